/* SPDX-License-Identifier: MIT */
/*
 * A waiter (struct ufx_waiter, ufutex/wait.h): one thread's, one entry of a
 * futex_waitv's, or one node's place in a queue. One cache line. The memory is its
 * owner's; while it is queued the lock of its key's bucket guards all of it but
 * @state.
 */
#ifndef UFX_TABLE_WAITER_H
#define UFX_TABLE_WAITER_H

#include <ufutex/wait.h>

/*
 * Life of a waiter. IDLE -> QUEUED by its owner, under the lock; QUEUED ->
 * IDLE by its owner (timed out, interrupted), under the lock; QUEUED -> TAKEN
 * by a waker, under the lock; TAKEN -> WOKEN by that waker, a release store
 * and its last touch: from then on the owner may reuse it. Zero is IDLE, so
 * memory that a fork wiped reads as "not queued".
 */
enum ufx_waiter_state {
	UFX_WAITER_IDLE,
	UFX_WAITER_QUEUED,
	UFX_WAITER_TAKEN,
	UFX_WAITER_WOKEN,
};

_Static_assert(sizeof(struct ufx_waiter) == 64, "one cache line");

#endif
