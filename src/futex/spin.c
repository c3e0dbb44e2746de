/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <time.h>

#include "futex/spin.h"
#include "host/cpu.h"
#include "host/syscall.h"
#include "table/waiter.h"

#define LOOK_EVERY 64 /* waits between looks at the scheduling class */
#define CREDIT UFX_SMALL(8, 1)
#define ROUNDS 128     /* pauses while it helps: a few microseconds */
#define PROBE_ROUNDS 4096 /* longer than a wake-up by the kernel */
#define PROBES 2       /* tries of a thread in a window */
#define PROBERS 2      /* threads that make them */
#define PROBE_AFTER 64 /* waits that a thread must have made before it probes */
#define WINDOW_NS 4000000
#define WINDOWS 8 /* one of so many is for probing */
#define YIELD_EVERY 32 /* waits between yields that are tried again */
#define YIELD_LONG_NS 100000
#define DEADLINE_POLICY 6
#define RESET_ON_FORK 0x40000000

static uint32_t read_priority(void)
{
	int parameter = 0;
	long policy = ufx_syscall(SYS_sched_getscheduler, 0, 0, 0, 0, 0, 0);

	policy &= ~(long)RESET_ON_FORK;
	if (policy == DEADLINE_POLICY)
		return 100;
	if (policy != SCHED_FIFO && policy != SCHED_RR)
		return 0;
	ufx_syscall(SYS_sched_getparam, 0, (long)&parameter, 0, 0, 0, 0);
	return (uint32_t)parameter;
}

void ufx_spin_prepare(struct ufx_thread *t)
{
	if (!t->waits)
		t->pause_credit = t->yield_credit = CREDIT;
	if (t->waits++ % LOOK_EVERY == 0)
		t->priority = read_priority();
}

static bool woken(const uint32_t *state)
{
	return ufx_load_acquire(state) == UFX_WAITER_WOKEN;
}

/*
 * In a window for probing a thread gets a few tries; so do only a few threads,
 * or a crowd of sleepers would spend the window spinning.
 */
static uint32_t probe_rounds(struct ufx_thread *t)
{
	static uint64_t window_now;
	static uint32_t tries;
	struct timespec now;
	uint64_t window;

	if (t->waits < PROBE_AFTER)
		return 0;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	window = ((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec) /
		 WINDOW_NS;
	if (window % WINDOWS)
		return 0;
	if (ufx_load(&window_now) != window) {
		ufx_store(&tries, 0);
		ufx_store(&window_now, window);
	}
	if (t->probed != window) {
		t->probed = window;
		t->probes = PROBES;
	}
	if (!t->probes || ufx_load(&tries) >= PROBES * PROBERS)
		return 0;
	t->probes--;
	ufx_add_relaxed(&tries, 1);
	return PROBE_ROUNDS;
}

static bool pauses(struct ufx_thread *t, const uint32_t *state)
{
	uint32_t rounds = t->pause_credit ? ROUNDS : probe_rounds(t);

	for (uint32_t i = 0; i < rounds; i++) {
		if (woken(state)) {
			t->pause_credit = CREDIT;
			return true;
		}
		ufx_pause();
	}
	if (t->pause_credit)
		t->pause_credit--;
	return false;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * Among busy strangers a yield gives away a time slice, where a sleeper would
 * be let in as soon as it is woken: one that took long ends the yielding.
 */
static bool yields(struct ufx_thread *t, const uint32_t *state)
{
	uint64_t before;

	if (!t->yield_credit && t->waits % YIELD_EVERY)
		return false;
	before = now_ns();
	ufx_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	if (now_ns() - before > YIELD_LONG_NS)
		t->yield_credit = 0;
	else if (woken(state))
		t->yield_credit = CREDIT;
	else if (t->yield_credit)
		t->yield_credit--;
	return woken(state);
}

bool ufx_spin(struct ufx_thread *t, const uint32_t *state)
{
	if (t->priority)
		return false;
	return (ufx_cpus_several() && pauses(t, state)) || yields(t, state);
}
