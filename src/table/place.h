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

struct ufx_place {
	struct ufx_domain *domain;
	struct ufx_table *table;
	struct ufx_bucket *bucket;
};

/*
 * Locks @key's bucket and counts @coming waiters up, a full fence before what
 * the caller loads next. 0; -ENOMEM if the domain has no table and there is no
 * memory for one.
 */
int ufx_place_lock(struct ufx_domain *d, uint64_t key, uint32_t coming,
		   struct ufx_place *place);

/* Counts @gone waiters off, unlocks, unpins, and runs what was posted. */
void ufx_place_unlock(struct ufx_place *place, uint32_t gone);

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
