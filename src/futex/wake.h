/* SPDX-License-Identifier: MIT */
/* Waking, requeueing, and the two together with an operation on a word. */
#ifndef UFX_FUTEX_WAKE_H
#define UFX_FUTEX_WAKE_H

#include <ufutex/domain.h>
#include <ufutex/wake.h>

#include "table/place.h"
#include "table/waiter.h"

/*
 * Wakes up to @n (at least 1) waiters of @key that share a bit with @mask, in
 * their order, and never one that came after it began. Returns how many. A
 * full fence first. From a handler over a critical section: posted, 0.
 */
long ufx_wake(struct ufx_domain *d, uint64_t key, uint32_t n, uint32_t mask);

/*
 * Wakes up to @wake waiters of @word1 and moves up to @requeue others to
 * @word2, behind its own. With @compare, only if *@word1 is @expected under
 * the lock: else -EAGAIN, or -EFAULT. Returns woken plus moved.
 */
long ufx_requeue(struct ufx_domain *d, uint32_t *word1, uint32_t *word2,
		 uint32_t wake, uint32_t requeue, bool compare,
		 uint32_t expected);

/*
 * Does the operation that @encoded says on *@word2 and wakes up to @n1 of
 * @word1 and, if the comparison held, up to @n2 of @word2. Returns how many,
 * -ENOSYS, -EFAULT.
 */
long ufx_wake_op(struct ufx_domain *d, uint32_t *word1, uint32_t *word2,
		 uint32_t n1, uint32_t n2, uint32_t encoded);

/*
 * Takes up to @n matching waiters of @key out of the locked @place; chained by
 * @next to *@chain, whose new end is returned. *@taken counts them.
 */
struct ufx_waiter **ufx_take(struct ufx_place *place, uint64_t key, uint32_t n,
			     uint32_t mask, struct ufx_waiter **chain,
			     uint32_t *taken);

/*
 * Tells taken waiters that they are ended, wakes their threads, and leaves
 * inside; then calls the parkers of those that have their own. No lock. @all: they
 * were all that their one word had.
 */
void ufx_release_all(struct ufx_waiter *chain, bool all);

/*
 * Calls a waker's or mover's @last, under the lock, and gives the taken ones of
 * @chain the token that it may have set.
 */
void ufx_say_last(struct ufx_waiter *chain, struct ufx_taken *taken,
		  void (*last)(struct ufx_taken *taken, void *arg), void *arg);

/*
 * Moves up to @n waiters of the first place's key @from behind those of @to in the
 * second; or counts them, where both keys are one. Under both locks.
 */
uint32_t ufx_move(struct ufx_place places[2], uint64_t from, uint64_t to, uint32_t n);

/* Unlocks two places that @taken left for good and @moved went over in. */
void ufx_moved_unlock(struct ufx_place places[2], uint64_t from, uint64_t to,
		      uint32_t taken, uint32_t moved);

/*
 * R11. Leaves a wake to the frame that a handler interrupted. Called only with
 * the thread marked inside.
 */
void ufx_post(struct ufx_domain *d, uint64_t key, uint32_t n, uint32_t mask);

#endif
