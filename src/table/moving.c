/* SPDX-License-Identifier: MIT */
/*
 * Replacing by moving (docs/tables.rst has the argument).
 *
 *   1 next->prev = old; publish next            operations use next from here
 *   2 old becomes atomic, with its bias
 *   3 each old bucket: lock, mark, move, unlock
 *   4 next->prev = NULL                         the replacement is in force
 *   5 one grace period for 1, 2 and 4           nobody can find old any more
 *   6 fold; free old at zero
 *
 * R9: an operation that starts after 1 never uses the old table, other than
 * to move its own key's bucket; so none can delay step 3 for more than the
 * critical section that it is in, and none waits for more than that bucket.
 */
#include <errno.h>

#include "grace/period.h"
#include "host/lock.h"
#include "ref/cells.h"
#include "table/replace.h"

static int make_counted(struct ufx_table *t)
{
	int ret = 0;

	if (t->flags & UFX_TABLE_FIXED) {
		ufx_counted_init_fixed(&t->counted);
		return 0;
	}
	ret = ufx_counters_init(&t->counters);
	if (!ret)
		ufx_counted_init(&t->counted, &t->counters);
	return ret;
}

static void discard(struct ufx_table *t)
{
	if (t->counters.cells)
		ufx_cells_free(t->counters.cells);
	ufx_table_free(t);
}

static int first(struct ufx_domain *d, struct ufx_table *t)
{
	int ret = make_counted(t);

	if (ret)
		return ret;
	ufx_replace_number(d, t);
	ufx_store_release(&d->table, t);
	return 0;
}

/* R8: what the last unpin found drained waits here; it frees nothing itself. */
static void drained(struct ufx_domain *d, struct ufx_table *t)
{
	if (UFX_FAULT(PUT_FREES)) {
		discard(t);
		return;
	}
	t->next_dead = ufx_load(&d->dead);
	while (!ufx_cas(&d->dead, &t->next_dead, t))
		;
}

/* Frees the drained ones. The domain is locked. */
static void reap(struct ufx_domain *d)
{
	struct ufx_table *t = ufx_xchg(&d->dead, NULL);

	while (t) {
		struct ufx_table *next = t->next_dead;

		discard(t);
		d->stats.retired--;
		t = next;
	}
}

/* Steps 5 and 6. */
static void retire(struct ufx_domain *d, struct ufx_table *old)
{
	d->stats.retired++;
	if (ufx_grace_synchronize()) {
		/* Refused: whether somebody can still see it is not known. */
		d->leaked++;
		return;
	}
	if (UFX_FAULT(FREE_EARLY)) {
		ufx_table_free(old);
		return;
	}
	if (ufx_counters_fold(&old->counters, 1)) {
		discard(old);
		d->stats.retired--;
	}
}

/* A design that waits for pins, for the test of R9. */
static void wait_for_pins(struct ufx_table *old)
{
	unsigned int round = 0;

	ufx_grace_synchronize();
	while (ufx_load_acquire(&old->counters.count) +
		       ufx_cells_sum(old->counters.cells) != UFX_BIAS + 1)
		ufx_relax(&round);
}

static int replace(struct ufx_domain *d, struct ufx_table *next, bool wait)
{
	struct ufx_table *old = d->table;
	int ret = make_counted(next);

	(void)wait; /* done on return */
	if (ret) {
		ufx_table_free(next);
		ufx_domain_unlock(d);
		return ret;
	}
	next->prev = UFX_FAULT(PREV_EARLY) ? NULL : old;
	ufx_replace_number(d, next);
	/* Publish first: who meets a mark below finds the successor here. */
	if (!UFX_FAULT(PUBLISH_LAST))
		ufx_store_release(&d->table, next);
	ufx_counted_begin(&old->counted);
	if (UFX_FAULT(WAIT_FOR_PINS))
		wait_for_pins(old);
	for (uint32_t i = 0; i <= old->mask; i++)
		ufx_table_move_bucket(&old->buckets[i], next);
	if (UFX_FAULT(PUBLISH_LAST))
		ufx_store_release(&d->table, next);
	/* Release: who sees that nothing is in front sees all waiters here. */
	ufx_store_release(&next->prev, NULL);
	if (next->flags & UFX_TABLE_FIXED)
		ufx_store_release(&d->way, UFX_WAY_FIXED);
	ufx_domain_replaced(d, next);
	retire(d, old);
	reap(d);
	ufx_domain_unlock(d);
	return 0;
}

/* The object that an operation found drained has been replaced: look again. */
static void pin_failed(struct ufx_domain *d)
{
	(void)d;
}

static void finish(struct ufx_domain *d)
{
	reap(d);
	if (d->table)
		discard(d->table);
}

const struct ufx_replace_ops ufx_replace_moving = {
	first, replace, pin_failed, drained, finish
};
