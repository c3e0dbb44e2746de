/* SPDX-License-Identifier: MIT */
/*
 * A waiter: one thread's (or one entry of a futex_waitv's) place in a queue.
 * One cache line. The memory is its owner's; while it is queued the lock of
 * its key's bucket guards all of it but @state.
 */
#ifndef UFX_TABLE_WAITER_H
#define UFX_TABLE_WAITER_H

#include <stdint.h>

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

struct ufx_waiter {
	uint64_t key;  /* changed by a requeue, under both locks */
	uint32_t state;
	uint32_t mask; /* wakes with a common bit find it */
	/* The FIFO of its key, a ring; the head's @prev is the tail. */
	struct ufx_waiter *next, *prev;
	/* Of a head only: the bucket's tree of keys. */
	struct ufx_waiter *left, *right;
	uint32_t *park; /* its thread's park word, never unmapped */
	uint8_t head;
	uint8_t priority; /* 0, or real-time 1 to 99: before all lower ones */
	uint8_t here; /* its thread may sleep on @key's word too, and on no other */
	uint8_t reserved;
	uint32_t epoch; /* of the domain's start: another one after a fork */
};

_Static_assert(sizeof(struct ufx_waiter) == 64, "one cache line");

#endif
