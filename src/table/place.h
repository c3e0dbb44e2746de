/* SPDX-License-Identifier: MIT */
/*
 * A place: a key's bucket in the table in force, locked. All operations go
 * through these; they alone know that tables are replaced.
 *
 * Two things keep a table: a counted pin, and a locked bucket of it, because
 * who replaces it must lock every bucket first. Usually the lock is enough: it
 * is taken as the commit of the section that loads the table. Where that does
 * not go through at once (contended, being moved, other modes), and always for
 * replacing at zero, the table is pinned by counting.
 *
 * From lock to unlock the thread is marked inside (R11): the caller must not
 * be if it is a signal handler's frame, and must not sleep or fault.
 */
#ifndef UFX_TABLE_PLACE_H
#define UFX_TABLE_PLACE_H

#include "host/thread.h"
#include "table/domain.h"
#include "table/queue.h"
#include "table/replace.h"

struct ufx_place {
	struct ufx_table *table;
	struct ufx_bucket *bucket;
	bool pinned;
};

int ufx_place_lock_slow(struct ufx_domain *d, uint64_t key, uint32_t coming,
			struct ufx_place *place);

/* Gives a counted pin back; the last one hands the table over to be freed. */
static inline void ufx_place_unpin(struct ufx_table *t)
{
	struct ufx_domain *d = t->domain; /* I10: @t may be gone after the unpin */

	if (ufx_unlikely(ufx_unpin(&t->counted)))
		ufx_replace_drained(d, t);
}

/* One try at locking without a pin. */
static inline bool ufx_place_try(struct ufx_domain *d, uint64_t key, uint32_t coming,
				 struct ufx_place *place)
{
	uint64_t hash = ufx_domain_hash(d, key);
	uint32_t way = ufx_load_acquire(&d->way);
	void *table, *bucket;

	if (ufx_likely(way == UFX_WAY_LOCKED)) {
		if (ufx_unlikely(ufx_thread_is_unregistered()) ||
		    ufx_section_lock((void *const *)&d->table, hash,
				     ufx_bucket_take(coming), &table,
				     &bucket) != UFX_SECTION_DONE)
			return false;
	} else if (way == UFX_WAY_FIXED) {
		table = ufx_load_acquire(&d->table);
		if (!table) /* a handler forked just now: this is the child */
			return false;
		bucket = ufx_table_bucket(table, hash);
		if (!ufx_bucket_lock(bucket, coming,
				     &((struct ufx_table *)table)->epoch))
			return false;
	} else {
		return false;
	}
	*place = (struct ufx_place){ table, bucket, false };
	return true;
}

/*
 * Locks @key's bucket and counts @coming waiters up, by a read-modify-write
 * (for ufx_fence_after_rmw). 0; -ENOMEM if the domain has no table and there is no
 * memory for one.
 */
static inline int ufx_place_lock(struct ufx_domain *d, uint64_t key,
				 uint32_t coming, struct ufx_place *place)
{
	ufx_enter_inside();
	if (ufx_likely(ufx_place_try(d, key, coming, place)))
		return 0;
	return ufx_place_lock_slow(d, key, coming, place);
}

/* Counts @gone waiters off, unlocks, unpins, and runs what was posted. */
static inline void ufx_place_unlock(struct ufx_place *place, uint32_t gone)
{
	ufx_bucket_unlock(place->bucket, gone);
	if (ufx_unlikely(place->pinned))
		ufx_place_unpin(place->table);
	ufx_leave_inside();
}

/*
 * The same for two keys, in one table and in the order of its buckets. If both
 * share one, places[1].bucket is places[0].bucket.
 */
int ufx_place_lock_two(struct ufx_domain *d, uint64_t key1, uint64_t key2,
		       struct ufx_place places[2]);

/* Counts off and up in each; waiters may go from the first to the second. */
void ufx_place_unlock_two(struct ufx_place places[2], uint32_t gone[2],
			  uint32_t come[2]);

/*
 * Is nobody queued on @key, nor about to look at its word? No lock, no pin.
 * The caller has stored to the word and executed a full fence since; the
 * waiter counts itself up, full fence, and loads the word. So if we miss its
 * count, it sees our store. False where only a lock can tell.
 */
bool ufx_place_nobody(struct ufx_domain *d, uint64_t key);

/* A bucket's word says so: no waiters, nor were there any to be moved. */
static inline bool ufx_place_says_nobody(uint64_t word)
{
	if (UFX_FAULT(PEEK_IGNORES_MARK))
		word &= ~UFX_BUCKET_MOVED;
	return !ufx_bucket_count(word) && !(word & UFX_BUCKET_MOVED);
}

enum ufx_place_look { UFX_PLACE_NOBODY, UFX_PLACE_SOMEBODY, UFX_PLACE_UNKNOWN };

/* The same as far as a section tells; unknown: ask ufx_place_nobody. */
static inline enum ufx_place_look ufx_place_look(struct ufx_domain *d, uint64_t hash)
{
	uint64_t word;

	if (ufx_unlikely(ufx_thread_is_unregistered()))
		return UFX_PLACE_UNKNOWN;
	switch (ufx_section_peek((void *const *)&d->table, hash, &word)) {
	case UFX_SECTION_DONE:
		return ufx_place_says_nobody(word) ? UFX_PLACE_NOBODY : UFX_PLACE_SOMEBODY;
	case UFX_SECTION_EMPTY: /* no table yet: nobody can be queued */
		return UFX_PLACE_NOBODY;
	default:
		return UFX_PLACE_UNKNOWN;
	}
}

#endif
