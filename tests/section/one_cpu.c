// SPDX-License-Identifier: MIT
/*
 * Threads of one CPU that abort each other's sequences: preempted by each
 * other, by yields, and by handlers that run the same sequence. The kernel
 * restarts them all on the same CPU; the sequence here loads, lingers and
 * stores, so one that were not restarted would lose what came between.
 */
#include "hammer.h"

#include <ufutex/caps.h>
#include <ufutex/ref.h>

#ifdef __x86_64__

#define THREADS 3
#define LINGER 3000

static uintptr_t cells;
static bool protected_ones;
static __thread uint64_t done, aborted;
static uint64_t all_done, all_aborted, slow;
static int handlers;
static struct ufx_ref ref;

/* {this CPU's cell += 1} by a load and a store. */
static enum ufx_section_result add(void)
{
	uintptr_t tmp, cpu, value;

	__asm__ __volatile__ goto(
		UFX_SECTION_BEGIN
		"movq %[cells], %[tmp]\n\t"
		"shlq $12, %[cpu]\n\t"
		"addq %[cpu], %[tmp]\n\t"
		"movq (%[tmp]), %[value]\n\t"
		"movq %[linger], %[cpu]\n"
		"5:\n\t"
		"subq $1, %[cpu]\n\t"
		"jns 5b\n\t"
		"addq $1, %[value]\n\t"
		"movq %[value], (%[tmp])\n"
		UFX_SECTION_END
		: [tmp] "=&r"(tmp), [cpu] "=&r"(cpu), [value] "=&r"(value)
		: [area] "r"(ufx_section_env.area),
		  [cpus] "rm"(ufx_section_env.cpus), [cells] "m"(cells),
		  [linger] "i"(LINGER)
		: "memory", "cc"
		: slow, abort);
	return UFX_SECTION_DONE;
slow:
	return UFX_SECTION_SLOW;
abort:
	return UFX_SECTION_ABORT;
}

/* The same, and nobody restarts it: the fault. */
static enum ufx_section_result add_unprotected(void)
{
	volatile uint64_t *cell = (volatile uint64_t *)cells;
	uint64_t value = *cell;

	for (volatile int i = 0; i < LINGER; i++)
		;
	*cell = value + 1;
	return UFX_SECTION_DONE;
}

static void once(void)
{
	switch (protected_ones ? add() : add_unprotected()) {
	case UFX_SECTION_DONE:
		__atomic_fetch_add(&done, 1, __ATOMIC_RELAXED);
		break;
	case UFX_SECTION_ABORT:
		__atomic_fetch_add(&aborted, 1, __ATOMIC_RELAXED);
		break;
	default:
		__atomic_fetch_add(&slow, 1, __ATOMIC_RELAXED);
	}
	ufx_ref_get(&ref);
	ufx_ref_get_inline(&ref);
	ufx_ref_put(&ref);
	ufx_ref_put_inline(&ref);
}

static void handler(int sig)
{
	(void)sig;
	__atomic_fetch_add(&handlers, 1, __ATOMIC_RELAXED);
	once();
}

static int64_t end_ms;

static void *worker(void *number)
{
	unsigned int i = 0;
	sigset_t usr1;

	use_cpu(0);
	while (clock_ms() < end_ms) {
		once();
		if (++i % 8 == (uintptr_t)number)
			sched_yield();
	}
	/* No handler may count after this. */
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);
	__atomic_fetch_add(&all_done, done, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&all_aborted, aborted, __ATOMIC_SEQ_CST);
	return NULL;
}

static void storm(bool protect, int64_t ms)
{
	pthread_t threads[THREADS];
	sigset_t usr1;
	timer_t timer;

	protected_ones = protect;
	all_done = all_aborted = 0;
	end_ms = clock_ms() + ms;
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, worker, (void *)i);
	sigemptyset(&usr1); /* for the workers, not for us */
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);
	timer = signal_each(100000, handler);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	timer_delete(timer);
	pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
}

static int64_t sum(unsigned int cpus)
{
	int64_t total = 0;

	for (unsigned int i = 0; i < cpus; i++)
		total += *(int64_t *)(cells + i * UFX_CELL_STRIDE);
	memset((void *)cells, 0, cpus * UFX_CELL_STRIDE);
	return total;
}

static int released;

static void note(struct ufx_ref *r)
{
	(void)r;
	released++;
}

int main(void)
{
	struct ufx_capabilities caps;
	int64_t counted;
	int tries = 0;

	ufx_caps(&caps);
	if (caps.mode != UFX_MODE_RSEQ) {
		skip("n/a: this mode has no sequences", "one CPU");
		return tap_end();
	}
	cells = (uintptr_t)mmap(NULL, caps.cpus * UFX_CELL_STRIDE,
				PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0);
	if (ufx_ref_init(&ref, note))
		bail("no ref");
	done = aborted = 0;
	/* Handlers that come to us late count on our own numbers. */
	storm(true, 700);
	all_done += done;
	counted = sum(caps.cpus);
	is_int(counted, (int64_t)all_done, "as many counted as sequences were completed");
	ok(all_aborted > 0 && handlers > 0, "%llu were restarted, %d handlers",
	   (unsigned long long)all_aborted, handlers);
	is_int(slow, 0, "none gave way");
	do {
		done = 0;
		storm(false, 300);
		all_done += done;
		counted = sum(caps.cpus);
	} while (counted == (int64_t)all_done && ++tries < 10);
	ok(counted < (int64_t)all_done, "without restarts some are lost: %lld of %llu",
	   (long long)((int64_t)all_done - counted), (unsigned long long)all_done);
	is_int(ufx_ref_kill(&ref), 0, "the ref is killed");
	is_int(released, 1, "its count was exact");
	return tap_end();
}

#else

int main(void)
{
	skip("n/a: written for sequences of x86-64", "one CPU");
	return tap_end();
}

#endif
