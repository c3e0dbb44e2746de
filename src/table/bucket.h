/* SPDX-License-Identifier: MIT */
/*
 * A bucket: one cache line with a lock word and a queue. All zero is an empty
 * bucket. Nothing in it has the table's lifetime.
 *
 * The lock word, bit by bit:
 *   LOCKED     somebody holds the bucket.
 *   CONTENDED  somebody may sleep on the low half. Set by lockers before they
 *              sleep; cleared with LOCKED by the unlocker, who then wakes. A locker that
 *              was woken sets it again, for others that may still sleep.
 *   MOVED      the waiters are in a newer table. Set under the lock, before
 *              the first waiter leaves; never cleared. May not be locked any
 *              more. LOCKED and MOVED: they are on their way.
 *   high half  how many waiters are queued, or about to look at their word.
 *              Counts up with the lock. Left standing when the bucket is
 *              moved.
 */
#ifndef UFX_TABLE_BUCKET_H
#define UFX_TABLE_BUCKET_H

#include "host/atomic.h"
#include "host/fault.h"
#include "table/waiter.h"

#define UFX_BUCKET_LOCKED ((uint64_t)1)
#define UFX_BUCKET_CONTENDED ((uint64_t)2)
#define UFX_BUCKET_MOVED ((uint64_t)4)
#define UFX_BUCKET_ONE ((uint64_t)1 << 32) /* one waiter */

struct ufx_bucket {
	uint64_t word;
	struct ufx_waiter *root;
} __attribute__((aligned(64)));

/*
 * Which start of its domain a table belongs to. In the child of a fork that one
 * is over: nobody is there to unlock what others had locked.
 */
struct ufx_epoch {
	const uint32_t *now;
	uint32_t own;
};

static inline bool ufx_epoch_over(const struct ufx_epoch *e)
{
	return e && e->own != ufx_load(e->now);
}

bool ufx_bucket_lock_slow(struct ufx_bucket *b, uint32_t coming,
			  const struct ufx_epoch *epoch);
void ufx_bucket_wake_lockers(const struct ufx_bucket *b, uint64_t word);

/* What locking with @coming waiters counted up adds to an unlocked word. */
static inline uint64_t ufx_bucket_take(uint32_t coming)
{
	return UFX_BUCKET_LOCKED + coming * UFX_BUCKET_ONE;
}

/*
 * Locks @b and counts @coming waiters up, in one step, a read-modify-write.
 * False, and nothing is done, if it has been moved; or if it is locked and
 * @epoch (of its table; NULL: for ever) is over. May sleep; the caller is
 * marked inside, and something keeps the table.
 */
static inline bool ufx_bucket_lock(struct ufx_bucket *b, uint32_t coming,
				   const struct ufx_epoch *epoch)
{
	uint64_t word = ufx_load(&b->word);

	if (ufx_likely(!(word & (UFX_BUCKET_LOCKED | UFX_BUCKET_MOVED))) &&
	    ufx_likely(ufx_cas(&b->word, &word, word + ufx_bucket_take(coming))))
		return true;
	return ufx_bucket_lock_slow(b, coming, epoch);
}

/*
 * Counts @gone waiters off and unlocks. A release, and the last touch: without
 * a pin the table may be gone at once, since only the lock kept its bucket
 * from being moved. So the bit goes with the lock, and the wake that follows
 * uses the address only.
 */
static inline void ufx_bucket_unlock(struct ufx_bucket *b, uint32_t gone)
{
	uint64_t word = ufx_load(&b->word);

	while (!ufx_cas(&b->word, &word,
			(word - ufx_bucket_take(gone)) & ~UFX_BUCKET_CONTENDED))
		;
	if (ufx_unlikely(word & UFX_BUCKET_CONTENDED) && !UFX_FAULT(NO_LOCK_WAKE))
		ufx_bucket_wake_lockers(b, word);
}

/* Returns once a moved bucket's waiters have arrived. Acquire. */
void ufx_bucket_wait_moved(struct ufx_bucket *b, const struct ufx_epoch *epoch);

static inline uint32_t ufx_bucket_count(uint64_t word)
{
	return (uint32_t)(word >> 32);
}

#endif
