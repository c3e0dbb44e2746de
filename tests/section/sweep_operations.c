// SPDX-License-Identifier: MIT
/* The operations that a sweep interrupts. */
#include "sweep.h"

#include <errno.h>

#ifdef __x86_64__

uint32_t sweep_other_word, sweep_due;
static uint32_t word;

long sweep_set_slots(unsigned long n)
{
	return ufx_prctl_futex_hash(UFX_PR_FUTEX_HASH_SET_SLOTS, n, 0, 0);
}

static long wake_empty(void)
{
	return sweep_wake(&word, 1);
}

long wake_first(void)
{
	return sweep_wake(&first.word, 1);
}

static long mismatch(void)
{
	return ufx_futex(&word, PRIVATE(UFX_FUTEX_WAIT), 1, NULL, NULL, 0);
}

long times_out(void)
{
	static const struct timespec past = { 0, 1 };

	return ufx_futex(&sweep_due, PRIVATE(UFX_FUTEX_WAIT_BITSET), 0, &past, NULL,
			 UINT32_MAX);
}

static long requeue(void)
{
	return ufx_futex(&first.word, PRIVATE(UFX_FUTEX_CMP_REQUEUE), 0,
			 (const struct timespec *)1, &sweep_other_word, 0);
}

static long wake_op(void)
{
	/* other_word = 0; wakes @first, and nobody there as it was 0 */
	return ufx_futex(&first.word, PRIVATE(UFX_FUTEX_WAKE_OP), 1,
			 (const struct timespec *)1, &sweep_other_word, 0);
}

static long resize(void)
{
	return sweep_set_slots(16);
}

static long get_and_put(void)
{
	ufx_ref_get(&sweep_ref);
	ufx_ref_put_inline(&sweep_ref);
	return ufx_ref_tryget(&sweep_ref);
}

static long slot_pin(void)
{
	struct ufx_object *o = ufx_slot_get(&sweep_slot);

	if (o)
		ufx_slot_put(&sweep_slot, o);
	return o == &sweep_object;
}

static long switch_ways(void)
{
	return ufx_ref_switch_to_atomic(&sweep_ref) + ufx_ref_switch_to_percpu(&sweep_ref);
}

const struct operation sweep_operations[SWEEP_OPERATIONS] = {
	{ "a wake of nobody", wake_empty, 0, 0, 0, false, false },
	{ "a wake of one", wake_first, 1, 1, 0, false, false },
	{ "a wait on another value", mismatch, -EAGAIN, 0, 0, false, false },
	{ "a wait that times out", times_out, -ETIMEDOUT, 0, 0, false, false },
	{ "a requeue", requeue, 1, 0, 0, true, false },
	{ "wake_op", wake_op, 1, 1, 0, false, false },
	{ "a resize", resize, 0, 0, 0, false, true },
	{ "get and put", get_and_put, 1, 0, 1, false, false },
	{ "a slot's get and put", slot_pin, 1, 0, 0, false, false },
	{ "to atomic and back", switch_ways, 0, 0, 0, false, false },
};

#endif
