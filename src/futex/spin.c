/* SPDX-License-Identifier: MIT */
#include <sched.h>

#include "futex/spin.h"
#include "host/cpu.h"
#include "host/syscall.h"
#include "table/waiter.h"

#define LOOK_EVERY 64    /* waits between looks at the scheduling class */
#define ROUNDS_START 128 /* a few microseconds */
#define ROUNDS_MAX 1024
#define ROUNDS_MIN 32
#define SKIPS 32 /* waits without spinning once it has stopped to help */
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
	if (t->waits++ % LOOK_EVERY)
		return;
	t->priority = read_priority();
	t->spin_allowed = !t->priority && ufx_cpus_several();
	if (!t->spin_limit)
		t->spin_limit = ROUNDS_START;
}

static void helped(struct ufx_thread *t)
{
	if (t->spin_limit < ROUNDS_MAX)
		t->spin_limit *= 2;
}

static void did_not_help(struct ufx_thread *t)
{
	t->spin_limit /= 2;
	if (t->spin_limit < ROUNDS_MIN) {
		t->spin_limit = ROUNDS_MIN;
		t->spin_skips = SKIPS;
	}
}

bool ufx_spin(struct ufx_thread *t, const uint32_t *state)
{
	if (!t->spin_allowed)
		return false;
	if (t->spin_skips) {
		t->spin_skips--;
		return false;
	}
	for (uint32_t i = 0; i < t->spin_limit; i++) {
		if (ufx_load_acquire(state) == UFX_WAITER_WOKEN) {
			helped(t);
			return true;
		}
		ufx_pause();
	}
	did_not_help(t);
	return false;
}
