// SPDX-License-Identifier: MIT
/*
 * CPU numbers that nobody expected: none (a thread without registration), as
 * many as there are cells, and far more. All give way to the fallback, which
 * counts right; nothing is written beyond the cells.
 *
 * The library is told that struct rseq is elsewhere, so that its CPU number
 * can be chosen.
 */
#include <ufutex/caps.h>
#include <ufutex/futex.h>

#include "counted.h"
#include "hammer.h"

#define PRIVATE(op) ((op) | UFX_FUTEX_PRIVATE)

static __thread struct {
	uint32_t start, cpu;
	uint64_t descriptor;
	uint32_t flags, node, concurrency;
} __attribute__((aligned(32))) elsewhere = { .cpu = (uint32_t)-1 };

static ptrdiff_t real_area;
static unsigned int cpus;
static uint32_t word;

static void pretend(uint32_t cpu)
{
	elsewhere.start = elsewhere.cpu = cpu;
	ufx_section_env.area = (char *)&elsewhere - (char *)__builtin_thread_pointer();
}

static void the_truth(void)
{
	ufx_section_env.area = real_area;
}

/* ---- nothing beyond the cells ---- */

/* Cells for @cpus CPUs, and behind them a page that may not be touched. */
static char *guarded_cells(void)
{
	size_t size = cpus * UFX_CELL_STRIDE;
	char *cells = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (cells == MAP_FAILED || mprotect(cells + size, 4096, PROT_NONE))
		bail("no memory");
	return cells;
}

static int64_t sum(const char *cells)
{
	int64_t total = 0;

	for (unsigned int i = 0; i < cpus; i++)
		total += *(const int64_t *)(const void *)(cells + i * UFX_CELL_STRIDE);
	return total;
}

static void with_guard(uint32_t cpu)
{
	uintptr_t cells = (uintptr_t)guarded_cells();
	struct ufx_counted guarded = { .cells = cells };
	void *where = &guarded, *got;
	int slow = 0;

	pretend(cpu);
	slow += ufx_section_add(&cells, 1) == UFX_SECTION_SLOW;
	slow += ufx_section_pin(&where, &got) == UFX_SECTION_SLOW;
	slow += ufx_section_pin_atomic(&where, &got) == UFX_SECTION_SLOW;
	the_truth();
	is_int(slow, 3, "CPU %#x: sections give way", cpu);
	is_int(sum((char *)cells), 0, "and write nothing");
	munmap((void *)cells, cpus * UFX_CELL_STRIDE + 4096);
}

/* The last CPU's cell is one, and the next page would be found out. */
static void the_guard(void)
{
	uintptr_t cells = (uintptr_t)guarded_cells();
	int status = 0;
	pid_t pid;

	pretend(cpus - 1);
	is_int(ufx_section_add(&cells, 1), UFX_SECTION_DONE, "the last CPU counts");
	the_truth();
	is_int(sum((char *)cells), 1, "on its cell");
	pid = tap_fork();
	if (pid == 0) {
		ufx_section_env.cpus = cpus + 1; /* the fault */
		pretend(cpus);
		ufx_section_add(&cells, 1);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
	   "one CPU too many would hit the page behind");
}

/* ---- the operations ---- */

static void *sleep_on_word(void *result)
{
	*(long *)result = ufx_futex(&word, PRIVATE(UFX_FUTEX_WAIT), 0, NULL, NULL, 0);
	return NULL;
}

static void operations(uint32_t cpu)
{
	static const struct timespec soon = { 0, 1000 };
	int64_t before = counted();
	struct ufx_object *got;
	long ret[4];

	pretend(cpu);
	for (int i = 0; i < 100; i++) {
		ufx_ref_get(&ref);
		ufx_ref_get_inline(&ref);
		ufx_ref_put(&ref);
	}
	got = ufx_slot_get(&slot);
	ufx_slot_put_inline(&slot, ufx_slot_get_inline(&slot));
	ret[0] = ufx_futex(&word, PRIVATE(UFX_FUTEX_WAKE), 1, NULL, NULL, 0);
	ret[1] = ufx_futex(&word, PRIVATE(UFX_FUTEX_WAIT), 1, NULL, NULL, 0);
	ret[2] = ufx_futex(&word, PRIVATE(UFX_FUTEX_WAIT), 0, &soon, NULL, 0);
	ret[3] = ufx_prctl_futex_hash(UFX_PR_FUTEX_HASH_SET_SLOTS, 64, 0, 0);
	the_truth();
	is_int(counted() - before, 101, "CPU %#x: the counts are exact", cpu);
	ok(got == &object && ret[0] == 0 && ret[1] == -EAGAIN &&
	   ret[2] == -ETIMEDOUT && ret[3] == 0, "and the results right");
	ok(elsewhere.cpu == cpu, "the number has not been written");
	ufx_slot_put(&slot, got);
}

/* ---- both at once: some threads' CPUs have cells, others' have not ---- */

static void get_and_put(struct hammer *h)
{
	struct ufx_object *o = ufx_slot_get(&slot);

	use_cpu((int)(h->rounds / 64) % 2);
	ufx_ref_get(&ref);
	ufx_ref_put_inline(&ref);
	ufx_slot_put(&slot, o);
	ufx_futex(&word, PRIVATE(UFX_FUTEX_WAKE), 1, NULL, NULL, 0);
}

static void one_cell_only(void)
{
	unsigned int there = ufx_section_env.cpus;
	int64_t before = counted();
	struct crew c = { 0 };

	ufx_section_env.cpus = 1;
	for (int i = 0; i < 4; i++)
		crew_add(&c, get_and_put, NULL);
	nap_us(150000);
	ok(crew_stop(&c) > 100, "threads that move between CPUs with and without cells");
	is_int(counted() - before, 0, "count right");
	ufx_section_env.cpus = there;
}

static void a_sleeper(void)
{
	pthread_t thread;
	long result = 1;

	/* Its thread has no registration, for the library's eyes. */
	pretend((uint32_t)-1);
	if (pthread_create(&thread, NULL, sleep_on_word, &result))
		bail("no thread");
	while (ufx_futex(&word, PRIVATE(UFX_FUTEX_WAKE), 1, NULL, NULL, 0) != 1)
		sched_yield();
	pthread_join(thread, NULL);
	the_truth();
	is_int(result, 0, "a sleeper is woken where no thread has a registration");
}

int main(void)
{
	struct ufx_capabilities caps;

	ufx_caps(&caps);
	if (caps.mode != UFX_MODE_RSEQ) {
		skip("n/a: this mode has no sequences", "numbers of CPUs");
		return tap_end();
	}
	real_area = ufx_section_env.area;
	cpus = caps.cpus;
	counted_start();
	uint32_t numbers[] = { cpus, cpus + 1, 4095, 0x7fffffff, 0x80000000,
			       (uint32_t)-2, (uint32_t)-1 };

	the_guard();
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		with_guard(numbers[i]);
		operations(numbers[i]);
	}
	one_cell_only();
	a_sleeper();
	is_int(ufx_ref_kill(&ref), 0, "the ref is killed");
	is_int(ref.counters.count, 700, "what was got is what is left");
	return tap_end();
}
