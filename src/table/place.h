/* SPDX-License-Identifier: MIT */
/*
 * A place: a key's bucket in the table in force, locked, the table pinned.
 * All operations go through these; they alone know that tables are replaced.
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
};

int ufx_place_lock_slow(struct ufx_domain *d, uint64_t key, uint32_t coming,
			struct ufx_place *place);

/* Gives a pin back; tells if that was the last one. */
static inline void ufx_place_unpin(struct ufx_table *t)
{
	if (ufx_unlikely(ufx_load(&t->flags) & UFX_TABLE_FIXED))
		return;
	if (ufx_unlikely(ufx_unpin(&t->counted)))
		ufx_replace_drained(t->domain, t);
}

/*
 * The table in force, pinned, with nothing in front of it; NULL where that
 * needs a closer look. A fixed one is never freed, and not pinned.
 */
static inline struct ufx_table *ufx_place_pin(struct ufx_domain *d)
{
	struct ufx_table *t = NULL;
	void *table;

	if (ufx_load_acquire(&d->fixed))
		return ufx_load_acquire(&d->table);
	if (ufx_likely(ufx_pin((void *const *)&d->table, &table)))
		t = table;
	/* Acquire: if all has been moved, we see where to. */
	if (ufx_unlikely(t && ufx_load_acquire(&t->prev))) {
		ufx_place_unpin(t);
		t = NULL;
	}
	return t;
}

/*
 * Locks @key's bucket and counts @coming waiters up, a full fence before what
 * the caller loads next. 0; -ENOMEM if the domain has no table and there is no
 * memory for one.
 */
static inline int ufx_place_lock(struct ufx_domain *d, uint64_t key,
				 uint32_t coming, struct ufx_place *place)
{
	struct ufx_table *t;

	ufx_enter_inside();
	t = ufx_place_pin(d);
	if (ufx_likely(t)) {
		/* The secret is older than the table. */
		place->table = t;
		place->bucket = ufx_table_bucket(t, ufx_domain_hash(d, key));
		if (ufx_likely(ufx_bucket_lock(place->bucket, coming)))
			return 0;
		/* Moved: its successor was published before. */
		ufx_place_unpin(t);
	}
	return ufx_place_lock_slow(d, key, coming, place);
}

/* Counts @gone waiters off, unlocks, unpins, and runs what was posted. */
static inline void ufx_place_unlock(struct ufx_place *place, uint32_t gone)
{
	ufx_bucket_unlock(place->bucket, gone);
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

#endif
