/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "grace/reader.h"
#include "table/place.h"
#include "table/replace.h"

/* Pins the table in force; NULL: none, and no memory for the first. */
static struct ufx_table *pin_table(struct ufx_domain *d)
{
	void *table;

	while (!ufx_pin((void *const *)&d->table, &table)) {
		if (!ufx_load(&d->table)) {
			if (ufx_domain_start(d))
				return NULL;
		} else {
			ufx_replace_pin_failed(d);
		}
	}
	return table;
}

/*
 * While @t is being filled from the table before it, a key may be used in @t
 * only once its old bucket has been moved; else a waker here would not find a
 * waiter that is still there. Whoever comes first moves it.
 */
static void settle(struct ufx_table *t, uint64_t hash)
{
	void *prev;

	if (UFX_FAULT(NO_SETTLE))
		return;
	if (!ufx_pin((void *const *)&t->prev, &prev))
		return; /* all has been moved meanwhile */
	ufx_table_move_bucket(ufx_table_bucket(prev, hash), t);
	ufx_place_unpin(prev);
}

/* The table in force, @hash settled there; pinned. */
static struct ufx_table *pin_settled(struct ufx_domain *d, uint64_t key,
				     uint64_t *hash)
{
	struct ufx_table *t = pin_table(d);

	if (ufx_unlikely(!t))
		return NULL;
	*hash = ufx_domain_hash(d, key);
	/* Acquire: if all has been moved, we see where to. */
	if (ufx_unlikely(ufx_load_acquire(&t->prev)))
		settle(t, *hash);
	return t;
}

int ufx_place_lock_slow(struct ufx_domain *d, uint64_t key, uint32_t coming,
			struct ufx_place *place)
{
	for (;;) {
		uint64_t hash;
		struct ufx_table *t = pin_settled(d, key, &hash);
		struct ufx_bucket *b;

		if (ufx_unlikely(!t)) {
			ufx_leave_inside();
			return -ENOMEM;
		}
		b = ufx_table_bucket(t, hash);
		if (ufx_likely(ufx_bucket_lock(b, coming, &t->epoch))) {
			*place = (struct ufx_place){ t, b, true };
			return 0;
		}
		ufx_place_unpin(t); /* moved: start again with its successor */
	}
}

/* Both buckets in address order; false if one has been moved. */
static bool lock_pair(const struct ufx_table *t, struct ufx_bucket *a,
		      struct ufx_bucket *b)
{
	struct ufx_bucket *first = a < b ? a : b, *second = a < b ? b : a;

	if (UFX_FAULT(UNSORTED_LOCKS)) {
		first = a;
		second = b;
	}
	if (!ufx_bucket_lock(first, 0, &t->epoch))
		return false;
	if (first == second || ufx_bucket_lock(second, 0, &t->epoch))
		return true;
	ufx_bucket_unlock(first, 0);
	return false;
}

int ufx_place_lock_two(struct ufx_domain *d, uint64_t key1, uint64_t key2,
		       struct ufx_place places[2])
{
	ufx_enter_inside();
	for (;;) {
		uint64_t hash1, hash2;
		struct ufx_table *t = pin_settled(d, key1, &hash1);

		if (ufx_unlikely(!t)) {
			ufx_leave_inside();
			return -ENOMEM;
		}
		hash2 = ufx_domain_hash(d, key2);
		/*
		 * Both settled before either is locked: a settler takes a lock
		 * of the older table, which comes before those of this one.
		 */
		if (ufx_unlikely(ufx_load_acquire(&t->prev)) && !UFX_FAULT(SETTLE_ONE))
			settle(t, hash2);
		places[0] = (struct ufx_place){ t, ufx_table_bucket(t, hash1), true };
		places[1] = (struct ufx_place){ t, ufx_table_bucket(t, hash2), true };
		if (lock_pair(t, places[0].bucket, places[1].bucket))
			return 0;
		ufx_place_unpin(t);
	}
}

void ufx_place_unlock_two(struct ufx_place places[2], uint32_t gone[2],
			  uint32_t come[2])
{
	struct ufx_bucket *a = places[0].bucket, *b = places[1].bucket;

	if (UFX_FAULT(COUNTED_LATE) && a != b) {
		ufx_bucket_unlock(a, gone[0] - come[0]);
		ufx_bucket_unlock(b, gone[1] - come[1]);
	} else if (a == b) {
		/* The sum is not negative: nobody leaves who was not counted. */
		ufx_bucket_unlock(a, gone[0] + gone[1] - come[0] - come[1]);
	} else {
		/*
		 * Where waiters go first, so that whoever finds them gone from
		 * the one bucket finds them counted in the other.
		 */
		ufx_bucket_unlock(b, gone[1] - come[1]);
		ufx_bucket_unlock(a, gone[0] - come[0]);
	}
	ufx_place_unpin(places[0].table);
	ufx_leave_inside();
}

/* The same look without a section. */
static bool nobody_plainly(struct ufx_domain *d, uint64_t hash)
{
	struct ufx_read read = ufx_read_begin();
	struct ufx_table *t = ufx_load_acquire(&d->table);
	uint64_t word = 0;

	ufx_delay();
	/* Acquire, so that the bucket is looked at after what is in front. */
	if (t)
		word = ufx_load_acquire(&t->prev) ?
			       UFX_BUCKET_MOVED :
			       ufx_load(&ufx_table_bucket(t, hash)->word);
	ufx_read_end(read);
	return ufx_place_says_nobody(word);
}

bool ufx_place_nobody(struct ufx_domain *d, uint64_t key)
{
	uint64_t hash = ufx_domain_hash(d, key);
	enum ufx_place_look look = ufx_place_look(d, hash);

	if (ufx_unlikely(look == UFX_PLACE_UNKNOWN))
		return nobody_plainly(d, hash);
	return look == UFX_PLACE_NOBODY;
}
