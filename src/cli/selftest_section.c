/* SPDX-License-Identifier: MIT */
/*
 * Does this kernel restart sequences as the mode rseq needs it?
 *
 * A worker runs one long sequence after the other: load a pointer, linger,
 * count on the object. We put another object in its place, do what must
 * restart a sequence under way, and then the old object's count may not change
 * any more, however long the worker runs on.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifndef UFX_TEST_DELAYS
#define UFX_TEST_DELAYS 1 /* the sequences linger */
#endif
#include <ufutex/section.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include <ufutex/caps.h>
#include <ufutex/grace.h>

#include "cli/selftest.h"

#define LINGER 20000 /* rounds: some microseconds */
#define TEST_MS 60

/* The engine has its own in builds for tests. */
__attribute__((weak)) uint64_t ufx_section_delay;

struct object {
	uintptr_t cells; /* first, as the sequences expect it */
};

struct shared {
	void *current;
	struct object objects[2];
	unsigned int cpus;
	int cpu; /* to run on, or -1 */
	bool started, stop;
	uint64_t done, restarted, slow;
};

static void *worker(void *arg)
{
	struct shared *s = arg;
	void *object;

	if (s->cpu >= 0)
		ufx_selftest_pin(s->cpu);
	__atomic_store_n(&s->started, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		uint64_t *count = &s->slow;

		switch (ufx_section_pin(&s->current, &object)) {
		case UFX_SECTION_DONE:
			count = &s->done;
			break;
		case UFX_SECTION_ABORT:
			count = &s->restarted;
			break;
		default:
			break;
		}
		__atomic_store_n(count, *count + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static uint64_t sum(const struct shared *s, const struct object *object)
{
	uint64_t total = 0;

	for (unsigned int cpu = 0; cpu < s->cpus; cpu++)
		total += __atomic_load_n(
			(uint64_t *)(object->cells + cpu * UFX_CELL_STRIDE),
			__ATOMIC_RELAXED);
	return total;
}

/* The worker ends two more sequences: one that was under way is over then. */
static bool wait_for_worker(struct shared *s)
{
	uint64_t before = __atomic_load_n(&s->done, __ATOMIC_ACQUIRE);
	double limit = ufx_selftest_clock() + 1000;

	while (__atomic_load_n(&s->done, __ATOMIC_ACQUIRE) < before + 2)
		if (ufx_selftest_clock() > limit)
			return false;
	return true;
}

static bool restart_by_barrier(struct shared *s)
{
	(void)s;
	return ufx_grace_synchronize() == 0;
}

/* Sleeping lets the worker run; waking takes its CPU away. */
static bool restart_by_preemption(struct shared *s)
{
	static const struct timespec nap = { 0, 200000 };

	nanosleep(&nap, NULL);
	return s != NULL;
}

static bool nothing(struct shared *s)
{
	return s != NULL;
}

/*
 * @settle restarts what is under way; then @watch lets the worker go on, and
 * the count must stand still. -1 if it did not, else the rounds made.
 */
static long rounds(struct shared *s, bool (*settle)(struct shared *),
		   bool (*watch)(struct shared *))
{
	double end = ufx_selftest_clock() + TEST_MS;
	long made = 0;

	while (ufx_selftest_clock() < end) {
		struct object *old = s->current;
		uint64_t settled;

		__atomic_store_n(&s->current, &s->objects[made & 1 ? 0 : 1],
				 __ATOMIC_SEQ_CST);
		if (!settle(s))
			return made;
		settled = sum(s, old);
		if (!watch(s))
			return made;
		made++;
		if (sum(s, old) != settled)
			return -1;
	}
	return made;
}

static bool make_objects(struct shared *s, unsigned int cpus, void **memory)
{
	size_t size = cpus * UFX_CELL_STRIDE;

	*memory = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (*memory == MAP_FAILED)
		return false;
	s->cpus = cpus;
	s->objects[0].cells = (uintptr_t)*memory;
	s->objects[1].cells = (uintptr_t)*memory + size;
	s->current = &s->objects[0];
	return true;
}

static enum ufx_verdict test(struct shared *s, unsigned int cpus, char *detail,
			     bool (*settle)(struct shared *),
			     bool (*watch)(struct shared *))
{
	pthread_t thread;
	void *memory;
	long made;

	snprintf(detail, UFX_DETAIL_SIZE, "no memory, or no thread");
	if (!make_objects(s, cpus, &memory))
		return UFX_VERDICT_BAD;
	ufx_section_delay = LINGER;
	if (pthread_create(&thread, NULL, worker, s))
		return UFX_VERDICT_BAD;
	while (!__atomic_load_n(&s->started, __ATOMIC_ACQUIRE))
		sched_yield();
	made = rounds(s, settle, watch);
	__atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	ufx_section_delay = 0;
	munmap(memory, 2 * cpus * UFX_CELL_STRIDE);

	if (made < 0)
		snprintf(detail, UFX_DETAIL_SIZE,
			 "a sequence went on that had to be restarted");
	else if (!made || !s->done)
		snprintf(detail, UFX_DETAIL_SIZE, "no sequence was completed");
	else if (!s->restarted)
		snprintf(detail, UFX_DETAIL_SIZE, "no sequence was restarted");
	else
		snprintf(detail, UFX_DETAIL_SIZE,
			 "%ld rounds, %llu completed, %llu restarted", made,
			 (unsigned long long)s->done,
			 (unsigned long long)s->restarted);
	return made > 0 && s->done && s->restarted ? UFX_VERDICT_GOOD :
						     UFX_VERDICT_BAD;
}

static bool mode_has_sections(unsigned int *cpus, char *detail)
{
	struct ufx_capabilities caps;

	snprintf(detail, UFX_DETAIL_SIZE, "only mode rseq needs it");
	if (ufx_caps(&caps) || caps.mode != UFX_MODE_RSEQ)
		return false;
	*cpus = caps.cpus;
	return true;
}

/* A grace period restarts every sequence that began before it. */
enum ufx_verdict ufx_selftest_barrier(char *detail)
{
	struct shared s = { .cpu = -1 };
	unsigned int cpus;

	if (!mode_has_sections(&cpus, detail))
		return UFX_VERDICT_NOT_HERE;
	return test(&s, cpus, detail, restart_by_barrier, wait_for_worker);
}

/*
 * A thread that loses its CPU to another one restarts its sequence. Both run
 * on one CPU: whoever stores the pointer has taken the CPU from the worker.
 */
enum ufx_verdict ufx_selftest_preemption(char *detail)
{
	int here = sched_getcpu();
	struct shared s = { .cpu = here };
	enum ufx_verdict verdict;
	cpu_set_t before;
	unsigned int cpus;

	if (!mode_has_sections(&cpus, detail))
		return UFX_VERDICT_NOT_HERE;
	if (sched_getaffinity(0, sizeof(before), &before) ||
	    !ufx_selftest_pin(here)) {
		snprintf(detail, UFX_DETAIL_SIZE, "threads cannot be pinned");
		return UFX_VERDICT_NOT_HERE;
	}
	verdict = test(&s, cpus, detail, nothing, restart_by_preemption);
	sched_setaffinity(0, sizeof(before), &before);
	return verdict;
}
