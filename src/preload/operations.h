/* SPDX-License-Identifier: MIT */
/* The program's operations, counted by kind: where they come to us, once each. */
#ifndef UFX_PRELOAD_OPERATIONS_H
#define UFX_PRELOAD_OPERATIONS_H

#include <ufutex/futex.h>

#include "host/count.h"

enum ufx_operation {
	UFX_OPERATION_WAIT,
	UFX_OPERATION_WAKE,
	UFX_OPERATION_REQUEUE,
	UFX_OPERATION_WAKE_OP,
	UFX_OPERATION_WAITV,
	UFX_OPERATION_PI,
	UFX_OPERATION_OTHER,
	UFX_OPERATIONS,
};

#define UFX_COUNT_SERVED UFX_COUNT_MORE
#define UFX_COUNT_PASSED (UFX_COUNT_MORE + UFX_OPERATIONS)

_Static_assert(UFX_COUNT_PASSED + UFX_OPERATIONS <= UFX_COUNTS, "a stripe has room");

/* Of futex(2)'s @op. */
static inline enum ufx_operation ufx_operation_of(int op)
{
	switch (op & ~(UFX_FUTEX_PRIVATE | UFX_FUTEX_CLOCK_REALTIME)) {
	case UFX_FUTEX_WAIT:
	case UFX_FUTEX_WAIT_BITSET:
		return UFX_OPERATION_WAIT;
	case UFX_FUTEX_WAKE:
	case UFX_FUTEX_WAKE_BITSET:
		return UFX_OPERATION_WAKE;
	case UFX_FUTEX_REQUEUE:
	case UFX_FUTEX_CMP_REQUEUE:
		return UFX_OPERATION_REQUEUE;
	case UFX_FUTEX_WAKE_OP:
		return UFX_OPERATION_WAKE_OP;
	case 6: /* LOCK_PI */
	case 7: /* UNLOCK_PI */
	case 8: /* TRYLOCK_PI */
	case 11: /* WAIT_REQUEUE_PI */
	case 12: /* CMP_REQUEUE_PI */
	case 13: /* LOCK_PI2 */
		return UFX_OPERATION_PI;
	default:
		return UFX_OPERATION_OTHER;
	}
}

/* The kernel does it; by a system call that is counted elsewhere. */
static inline void ufx_operation_passes(enum ufx_operation kind)
{
	ufx_count(UFX_COUNT_PASSED + kind);
}

/*
 * Around one that the engine does. It is counted at the beginning: a wait may
 * last until the process ends. What is returned is for the end: handlers'
 * operations nest in those that they interrupt.
 */
static inline uint32_t ufx_operation_begins(enum ufx_operation kind)
{
	uint32_t before = ufx_load(&ufx_thread_at);

	ufx_count(UFX_COUNT_SERVED + kind);
	ufx_store(&ufx_thread_at, UFX_AT_OPERATION);
	return before;
}

static inline long ufx_operation_ends(uint32_t before, long result)
{
	ufx_store(&ufx_thread_at, before);
	return result;
}

#endif
