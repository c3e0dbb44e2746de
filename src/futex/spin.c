/* SPDX-License-Identifier: MIT */
#include "futex/spin.h"
#include "host/clock.h"
#include "host/confine.h"
#include "host/guard.h"
#include "host/lock.h"
#include "host/quota.h"
#include "host/sched.h"
#include "host/setting.h"

#define LOOK_WAITS 64 /* a thread's waits between looks at what it may have */
#define LOOK_NS 100000000
#define GAP_NS 2000 /* between looks at the words */
#define GAP_PAUSES 4 /* between looks at the clock */
#define SPINNERS 16
#define YIELD_CREDIT UFX_SMALL(8, 1)
#define YIELD_EVERY 32 /* waits between yields that are tried again */
#define YIELD_LONG_NS 100000

static uint32_t first_credit = UFX_SPIN_FIRST, first_yields = YIELD_CREDIT; /* a new thread's */

static uint64_t now_ns(void)
{
	struct timespec now;

	ufx_clock(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void look(struct ufx_thread *t, uint64_t now)
{
	struct ufx_sched sched = ufx_sched_look();
	uint32_t quota = ufx_quota();

	t->priority = sched.priority;
	t->cpus = 0;
	if (t->waits == 1 && t->spin_credit < UFX_SPIN_NS && !t->yield_credit)
		return; /* it has no use for CPUs, and may not wait a second time */
	t->looked = now;
	if (!sched.normal || !ufx_spin_setting())
		return;
	t->cpus = ufx_sched_cpus(now);
	if (quota / 100 < t->cpus)
		t->cpus = quota / 100 + (quota % 100 != 0);
	if (!t->cpus) /* not known, or hardly a quota */
		t->cpus = 1;
}

void ufx_spin_prepare(struct ufx_thread *t)
{
	uint64_t now;

	if (ufx_unlikely(ufx_is_confined())) {
		t->cpus = 0;
		return;
	}
	now = now_ns();

	if (!t->waits) {
		t->spin_credit = ufx_load(&first_credit);
		t->yield_credit = ufx_load(&first_yields);
	}
	if (t->waits++ % LOOK_WAITS == 0 || now - t->looked > LOOK_NS)
		look(t, now);
}

/* ---- how long ---- */

/*
 * How long may all threads try, from now on? Of two that hand a word to each
 * other, each asleep while the other wakes, neither finds that spinning helps
 * unless both do, and for longer than the kernel takes to wake a thread.
 */
static uint32_t left_to_try(uint64_t now)
{
	static uint64_t next;
	uint64_t due = ufx_load(&next), since;

	if (now >= due && ufx_cas(&next, &due, now + UFX_SPIN_TRY_EVERY))
		return UFX_SPIN_TRY_NS;
	since = now - (due - UFX_SPIN_TRY_EVERY);
	return since < UFX_SPIN_TRY_NS ? UFX_SPIN_TRY_NS - (uint32_t)since : 0;
}

uint32_t ufx_spin_allowed(struct ufx_thread *t, uint64_t now, bool *tries)
{
	uint32_t setting = ufx_spin_setting();

	*tries = false;
	if (t->cpus < 2)
		return 0;
	if (setting != UFX_SPIN_AUTO)
		return setting;
	if (t->spin_credit >= 2 * UFX_SPIN_NS)
		return t->spin_credit / 2;
	if (t->spin_credit >= UFX_SPIN_NS)
		return UFX_SPIN_NS;
	*tries = true;
	return left_to_try(now);
}

void ufx_spin_learn(struct ufx_thread *t, bool tries, uint64_t ns, bool helped)
{
	t->spins++;
	if (!tries)
		t->spin_credit -= ns < t->spin_credit ? (uint32_t)ns : t->spin_credit;
	if (!helped) {
		if (!tries && !t->spins_helped && t->spin_credit < UFX_SPIN_NS)
			ufx_store(&first_credit, ufx_load(&first_credit) / 2);
		return;
	}
	if (!t->spins_helped++)
		ufx_store(&first_credit, UFX_SPIN_FIRST);
	t->spin_credit += UFX_SPIN_NS;
	if (t->spin_credit > UFX_SPIN_CREDIT)
		t->spin_credit = UFX_SPIN_CREDIT;
}

/* ---- who spins now ---- */

/*
 * Until when each of them does, at most: nobody else need notice that one has
 * left by longjmp, died or stayed in the parent of a fork.
 */
static uint64_t spinners[SPINNERS] __attribute__((aligned(UFX_LINE)));

uint64_t *ufx_spin_enter(uint32_t cpus, uint64_t now, uint64_t end)
{
	uint32_t most = cpus / 2 < 2 ? 2 : cpus / 2;

	for (uint32_t i = 0; i < most && i < SPINNERS; i++) {
		uint64_t until = ufx_load(&spinners[i]);

		if (until <= now && ufx_cas(&spinners[i], &until, end))
			return &spinners[i];
	}
	return NULL;
}

void ufx_spin_leave(uint64_t *place, uint64_t end)
{
	ufx_cas(place, &end, 0); /* not if it is another's by now */
}

/* ---- the two ways of passing the time ---- */

/* The call that follows says what it is, also where it cannot be read. */
static bool changed(const struct ufx_waitv_entry *words, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		uint32_t value;

		if (!ufx_guarded_load((uint32_t *)(uintptr_t)words[i].uaddr, &value) &&
		    value != (uint32_t)words[i].val)
			return true;
	}
	return false;
}

/* Until @end, a change, or *@stop; returns whether it was a change. */
static bool watch(const struct ufx_waitv_entry *words, unsigned int n,
		  const bool *stop, uint64_t now, uint64_t end)
{
	while (now < end && !ufx_load(stop)) {
		uint64_t look = end - now > GAP_NS ? now + GAP_NS : end;

		while (now < look) {
			for (int i = 0; i < GAP_PAUSES; i++)
				ufx_pause();
			now = now_ns();
		}
		if (changed(words, n))
			return true;
	}
	return false;
}

static bool spins(struct ufx_thread *t, const struct ufx_waitv_entry *words,
		  unsigned int n, const bool *stop)
{
	uint64_t begin = now_ns(), end, *place;
	bool tries, helped;

	end = begin + ufx_spin_allowed(t, begin, &tries);
	place = end > begin ? ufx_spin_enter(t->cpus, begin, end) : NULL;
	if (!place)
		return false;
	helped = watch(words, n, stop, begin, end);
	ufx_spin_leave(place, end);
	ufx_spin_learn(t, tries, now_ns() - begin, helped);
	return helped;
}

static void fail_to_yield(struct ufx_thread *t)
{
	uint32_t first = ufx_load(&first_yields);

	t->yield_credit--;
	if (t->waits == 1 && first) /* one of many that may never wait again */
		ufx_store(&first_yields, first - 1);
}

/*
 * Among busy strangers a yield gives away a time slice, where a sleeper would
 * be let in as soon as it is woken: one that took long ends the yielding.
 */
static bool yields(struct ufx_thread *t, const struct ufx_waitv_entry *words,
		   unsigned int n)
{
	uint64_t before;
	bool helped;

	if (!t->yield_credit && t->waits % YIELD_EVERY)
		return false;
	before = now_ns();
	ufx_yield();
	helped = changed(words, n);
	if (now_ns() - before > YIELD_LONG_NS)
		t->yield_credit = 0;
	else if (helped)
		ufx_store(&first_yields, t->yield_credit = YIELD_CREDIT);
	else if (t->yield_credit)
		fail_to_yield(t);
	return helped;
}

bool ufx_spin(struct ufx_thread *t, const struct ufx_waitv_entry *words,
	      unsigned int n, const bool *stop)
{
	if (!t->cpus)
		return false;
	if (t->cpus > 1 && spins(t, words, n, stop))
		return true;
	return ufx_spin_setting() == UFX_SPIN_AUTO && !ufx_load(stop) &&
	       yields(t, words, n);
}
