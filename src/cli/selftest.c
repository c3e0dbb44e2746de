/* SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "cli/selftest.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <ufutex/ref.h>

#define TEST_MS 80

double ufx_selftest_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

bool ufx_selftest_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return false;
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

static enum ufx_verdict bad(char *detail, const char *what)
{
	snprintf(detail, UFX_DETAIL_SIZE, "%s", what);
	return UFX_VERDICT_BAD;
}

/* ---- what a slot has let go of is not used any more ----------------------- */

#define ALIVE 0x600d600d600d600dull
#define POISON 0xdeaddeaddeaddeadull
#define OBJECTS 64
#define READERS 2

struct thing {
	struct ufx_object object;
	uint64_t magic;
	bool in_use;
};

struct slot_test {
	struct ufx_slot slot;
	struct thing things[OBJECTS];
	uint64_t reads[READERS];
	bool stop, bad;
};

struct slot_reader {
	struct slot_test *test;
	uint64_t *reads;
};

static void poison(struct ufx_object *object)
{
	struct thing *t = (struct thing *)((char *)object -
					   offsetof(struct thing, object));

	__atomic_store_n(&t->magic, POISON, __ATOMIC_RELAXED);
	__atomic_store_n(&t->in_use, false, __ATOMIC_RELEASE);
}

/* Pins, looks at the object several times, lets go, and rests a little. */
static void *read_slot(void *arg)
{
	struct slot_reader *r = arg;
	struct slot_test *test = r->test;

	while (!__atomic_load_n(&test->stop, __ATOMIC_RELAXED)) {
		struct ufx_object *object = ufx_slot_get(&test->slot);
		struct thing *t = (struct thing *)object;

		for (int i = 0; object && i < 20; i++)
			if (__atomic_load_n(&t->magic, __ATOMIC_RELAXED) != ALIVE)
				__atomic_store_n(&test->bad, true,
						 __ATOMIC_RELAXED);
		if (object)
			ufx_slot_put(&test->slot, object);
		++*r->reads;
		for (volatile int i = 0; i < 100; i++)
			;
	}
	return NULL;
}

_Static_assert(offsetof(struct thing, object) == 0, "cast in read_slot");

static struct thing *fresh(struct slot_test *test, enum ufx_slot_kind kind)
{
	for (int i = 0; i < OBJECTS; i++) {
		struct thing *t = &test->things[i];

		if (__atomic_load_n(&t->in_use, __ATOMIC_ACQUIRE))
			continue;
		if (ufx_object_init(&t->object, kind, poison))
			return NULL;
		t->in_use = true;
		__atomic_store_n(&t->magic, ALIVE, __ATOMIC_RELAXED);
		return t;
	}
	return NULL;
}

/* Replacements made in the time; those that found one pending do not count. */
static long replace(struct slot_test *test, enum ufx_slot_kind kind)
{
	double end = ufx_selftest_clock() + TEST_MS;
	struct thing *next = NULL;
	long made = 0;

	while (ufx_selftest_clock() < end && !test->bad) {
		int error;

		if (!next)
			next = fresh(test, kind);
		if (!next) { /* readers hold them, and wait for a CPU */
			sched_yield();
			continue;
		}
		error = kind == UFX_SLOT_PUBLISH_FIRST ?
				ufx_slot_replace(&test->slot, &next->object) :
				ufx_slot_replace_later(&test->slot, &next->object);
		if (!error) {
			next = NULL;
			made++;
		}
		for (volatile int i = 0; i < 2000; i++)
			;
	}
	return made;
}

static enum ufx_verdict test_slot(enum ufx_slot_kind kind, char *detail)
{
	static struct slot_test test;
	struct slot_reader readers[READERS];
	pthread_t threads[READERS];
	struct thing *first;
	long made;

	memset(&test, 0, sizeof(test));
	first = fresh(&test, kind);
	if (!first || ufx_slot_init(&test.slot, kind, &first->object))
		return bad(detail, "no slot could be made");
	for (int i = 0; i < READERS; i++) {
		readers[i] = (struct slot_reader){ &test, &test.reads[i] };
		if (pthread_create(&threads[i], NULL, read_slot, &readers[i]))
			return bad(detail, "no thread could be made");
	}
	made = replace(&test, kind);
	__atomic_store_n(&test.stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	ufx_slot_exit(&test.slot);

	if (test.bad)
		return bad(detail, "a pinned object had been released");
	if (!made)
		return bad(detail, "nothing was replaced");
	snprintf(detail, UFX_DETAIL_SIZE, "%ld replacements, %llu pins", made,
		 (unsigned long long)(test.reads[0] + test.reads[1]));
	return UFX_VERDICT_GOOD;
}

static enum ufx_verdict test_publish_first(char *detail)
{
	return test_slot(UFX_SLOT_PUBLISH_FIRST, detail);
}

static enum ufx_verdict test_when_idle(char *detail)
{
	return test_slot(UFX_SLOT_WHEN_IDLE, detail);
}

/* ---- nothing is counted twice or not at all ------------------------------- */

#define COUNTS 1000000ul

static struct ufx_ref counted;
static int released;

static void note_release(struct ufx_ref *ref)
{
	(void)ref;
	__atomic_fetch_add(&released, 1, __ATOMIC_SEQ_CST);
}

static void *take(void *cpu)
{
	ufx_selftest_pin(*(int *)cpu);
	for (unsigned long i = 0; i < COUNTS; i++)
		ufx_ref_get(&counted);
	return NULL;
}

static void *give_back(void *cpu)
{
	ufx_selftest_pin(*(int *)cpu);
	for (unsigned long i = 0; i < COUNTS; i++)
		ufx_ref_put(&counted);
	return NULL;
}

/* To the atomic state and back, while the others count. */
static void migrate(double end)
{
	while (ufx_selftest_clock() < end) {
		static const struct timespec nap = { 0, 500000 };

		ufx_ref_switch_to_atomic(&counted);
		ufx_ref_switch_to_percpu(&counted);
		nanosleep(&nap, NULL);
	}
}

/* COUNTS are left, and the initial one; the last put must find just that. */
static enum ufx_verdict settle(char *detail)
{
	if (ufx_ref_kill(&counted))
		return bad(detail, "the kernel refuses grace periods");
	ufx_ref_put_many(&counted, COUNTS - 1);
	if (released)
		return bad(detail, "released early: some gets were lost");
	ufx_ref_put(&counted);
	if (released != 1)
		return bad(detail, "not released: some puts were lost");
	ufx_ref_exit(&counted);
	snprintf(detail, UFX_DETAIL_SIZE, "%lu gets and puts on one CPU", COUNTS);
	return UFX_VERDICT_GOOD;
}

/*
 * Two threads count on one CPU, so that each interrupts the other; one only
 * up, the other only down.
 */
static enum ufx_verdict test_counts(char *detail)
{
	int cpu = sched_getcpu();
	pthread_t up, down;

	released = 0;
	if (ufx_ref_init(&counted, note_release))
		return bad(detail, "no count could be made");
	ufx_ref_get_many(&counted, COUNTS);
	if (pthread_create(&up, NULL, take, &cpu) ||
	    pthread_create(&down, NULL, give_back, &cpu))
		return bad(detail, "no thread could be made");
	migrate(ufx_selftest_clock() + 20);
	pthread_join(up, NULL);
	pthread_join(down, NULL);
	return settle(detail);
}

const struct ufx_selftest ufx_selftests[] = {
	{ "a grace period restarts sequences", ufx_selftest_barrier },
	{ "preemption restarts sequences", ufx_selftest_preemption },
	{ "no use after replacing (publish first)", test_publish_first },
	{ "no use after replacing (when idle)", test_when_idle },
	{ "counts add up", test_counts },
	{ NULL, NULL },
};
