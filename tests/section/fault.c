// SPDX-License-Identifier: MIT
/*
 * A page fault amid a sequence: on the cell, that is at the commit, and on the
 * words that it loads before. Served by another thread while the faulting one
 * sleeps (userfaultfd), which moves it to another CPU meanwhile; or by a
 * handler of SIGSEGV. Both abort the sequence; the retry counts, once.
 */
#include "hammer.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <ufutex/caps.h>
#include <ufutex/ref.h>

#define PAGE 4096

static unsigned int cpus;
static char *cells, *state; /* two mappings whose pages come and go */
static int uffd, served, stop;
static pid_t faulter;
static char zeros[PAGE] __attribute__((aligned(64)));
static char state_content[PAGE] __attribute__((aligned(64))); /* what the pages hold */

static char *map(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		bail("no memory");
	return p;
}

static int64_t sum(void)
{
	int64_t total = 0;

	for (unsigned int i = 0; i < cpus; i++)
		total += *(int64_t *)(void *)(cells + i * UFX_CELL_STRIDE);
	return total;
}

/* ---- userfaultfd ---- */

static bool watch(char *start, size_t size)
{
	struct uffdio_register reg = { .range = { (uintptr_t)start, size },
				       .mode = UFFDIO_REGISTER_MODE_MISSING };

	return !ioctl(uffd, UFFDIO_REGISTER, &reg);
}

static bool open_uffd(void)
{
	struct uffdio_api api = { .api = UFFD_API };

	uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	return uffd >= 0 && !ioctl(uffd, UFFDIO_API, &api) &&
	       watch(cells, cpus * UFX_CELL_STRIDE) && watch(state, PAGE);
}

/* The sleeping thread goes to another CPU. */
static void move_faulter(void)
{
	static unsigned int cpu;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(++cpu % cpus, &one);
	sched_setaffinity(faulter, sizeof(one), &one);
}

static void *serve(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		struct pollfd p = { uffd, POLLIN, 0 };
		struct uffd_msg msg;
		struct uffdio_copy copy = { .len = PAGE };

		if (poll(&p, 1, 50) != 1 || read(uffd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		copy.dst = msg.arg.pagefault.address & ~(uint64_t)(PAGE - 1);
		copy.src = (uintptr_t)(copy.dst == (uintptr_t)state ? state_content :
								       zeros);
		move_faulter();
		ioctl(uffd, UFFDIO_COPY, &copy);
		__atomic_fetch_add(&served, 1, __ATOMIC_SEQ_CST);
	}
	return arg;
}

/* The pages are gone; those that are not to be missed are fetched at once. */
static void take_away(bool of_state)
{
	madvise(cells, cpus * UFX_CELL_STRIDE, MADV_DONTNEED);
	madvise(state, PAGE, MADV_DONTNEED);
	if (of_state)
		sum();
	else
		(void)*(volatile char *)state;
}

enum which { ADD, PIN };

static enum ufx_section_result try(enum which which)
{
	struct ufx_counted *counted = (struct ufx_counted *)(void *)state;
	void *where = counted, *got;

	return which == ADD ? ufx_section_add(&counted->cells, 1) :
			      ufx_section_pin(&where, &got);
}

static void served_by_another(enum which which, bool of_state)
{
	int aborts = 0, wrong = 0, rounds = 60, before = served;

	for (int i = 0; i < rounds; i++) {
		enum ufx_section_result ret;
		int tries = 0;

		take_away(of_state);
		while ((ret = try(which)) == UFX_SECTION_ABORT && tries < 64)
			tries++;
		aborts += tries > 0;
		wrong += ret != UFX_SECTION_DONE || sum() != 1;
	}
	is_int(wrong, 0, "%s, a page fault on %s: counted once each time",
	       which == ADD ? "add" : "pin",
	       of_state ? "what it loads" : "the cell");
	is_int(aborts, rounds, "each is aborted and tried again");
	ok(served - before >= rounds, "%d faults were served", served - before);
}

/* ---- a handler of SIGSEGV ---- */

static int faults;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info, (void)context;
	faults++;
	mprotect(cells, cpus * UFX_CELL_STRIDE, PROT_READ | PROT_WRITE);
}

static void served_by_handler(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	struct ufx_counted counted = { .cells = (uintptr_t)cells };
	int aborts = 0, wrong = 0, rounds = 100;

	sigaction(SIGSEGV, &action, NULL);
	for (int i = 0; i < rounds; i++) {
		enum ufx_section_result ret;
		int64_t before = sum();

		mprotect(cells, cpus * UFX_CELL_STRIDE, PROT_READ);
		ret = ufx_section_add(&counted.cells, 1);
		aborts += ret == UFX_SECTION_ABORT;
		for (int j = 0; ret == UFX_SECTION_ABORT && j < 64; j++)
			ret = ufx_section_add(&counted.cells, 1);
		wrong += ret != UFX_SECTION_DONE || sum() != before + 1;
	}
	signal(SIGSEGV, SIG_DFL);
	is_int(wrong, 0, "a cell that may not be written, mended by a handler");
	is_int(aborts, rounds, "each is aborted");
	is_int(faults, rounds, "each by one fault");
}

int main(void)
{
	struct ufx_capabilities caps;
	pthread_t server;

	ufx_caps(&caps);
	if (caps.mode != UFX_MODE_RSEQ) {
		skip("n/a: this mode has no sequences", "page faults");
		return tap_end();
	}
	cpus = caps.cpus;
	faulter = (pid_t)syscall(SYS_gettid);
	cells = map(cpus * UFX_CELL_STRIDE);
	state = map(PAGE);
	((struct ufx_counted *)(void *)state_content)->cells = (uintptr_t)cells;
	served_by_handler();
	if (!open_uffd()) {
		skip("no userfaultfd here", "page faults that another thread serves");
		return tap_end();
	}
	pthread_create(&server, NULL, serve, NULL);
	served_by_another(ADD, false);
	served_by_another(PIN, false);
	served_by_another(ADD, true);
	served_by_another(PIN, true);
	stop = 1;
	pthread_join(server, NULL);
	return tap_end();
}
