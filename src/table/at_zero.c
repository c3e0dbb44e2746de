/* SPDX-License-Identifier: MIT */
/*
 * Replacing at zero: the five steps of ref/idle.h, with the table as the
 * object. I1: at any instant all operations that hold a pin use one table.
 */
#include <errno.h>

#include "grace/period.h"
#include "host/lock.h"
#include "ref/idle.h"
#include "table/replace.h"

static void publish(struct ufx_domain *d, struct ufx_table *t)
{
	if (t->flags & UFX_TABLE_FIXED) {
		ufx_counted_init_fixed(&t->counted);
		ufx_grace_publish((void **)&d->table, t);
		ufx_store_release(&d->way, UFX_WAY_FIXED);
		return;
	}
	ufx_idle_publish(d->migration, (void **)&d->table, &t->counted);
}

static int first(struct ufx_domain *d, struct ufx_table *t)
{
	if (!d->migration)
		d->migration = ufx_idle_new();
	if (!d->migration)
		return -ENOMEM;
	ufx_replace_number(d, t);
	publish(d, t);
	return 0;
}

/*
 * Racing requests: a custom size beats an automatic one, zero slots beat
 * others, then the larger; of equals the older stays.
 */
static bool beats(const struct ufx_table *a, const struct ufx_table *b)
{
	uint32_t custom = (a->flags ^ b->flags) & UFX_TABLE_CUSTOM;
	uint32_t global = (a->flags ^ b->flags) & UFX_TABLE_GLOBAL;

	if (custom)
		return a->flags & custom;
	if (global)
		return a->flags & global;
	return a->mask > b->mask;
}

static void free_old(struct ufx_call *call)
{
	struct ufx_table *t = ufx_container(call, struct ufx_table, call);

	struct ufx_migration *m = t->migration;

	ufx_table_free(t); /* its domain may be gone */
	ufx_fetch_sub(&m->retired, 1);
	ufx_idle_unkeep(m);
}

/* Step 5. The domain is locked. Nobody pins the old table, nor can. */
static void switch_if_dead(struct ufx_domain *d)
{
	struct ufx_table *old = d->table, *next = d->pending;

	if (!old) /* a handler forked before we had the lock: this is the child */
		return;
	if ((old->flags & UFX_TABLE_FIXED) ||
	    !ufx_idle_dead(d->migration, &old->counted))
		return;
	if (!next) { /* the request was withdrawn: the old one goes on */
		publish(d, old);
		return;
	}
	for (uint32_t i = 0; i <= old->mask; i++)
		ufx_table_move_bucket(&old->buckets[i], next);
	d->pending = NULL;
	publish(d, next);
	ufx_domain_replaced(d, next);
	old->migration = d->migration;
	ufx_idle_keep(d->migration);
	ufx_fetch_add(&d->migration->retired, 1);
	/* R8: an empty wake may still look at a bucket of it. */
	ufx_grace_call_bytes(&old->call, free_old, old->size);
}

static int wait_for_switch(struct ufx_domain *d, uint32_t epoch)
{
	for (;;) {
		struct ufx_migration *m;
		bool pending, forked;
		int ret;

		ufx_domain_lock(d);
		switch_if_dead(d);
		pending = d->pending;
		m = d->migration;
		forked = ufx_load(&d->epoch) != epoch;
		ufx_domain_unlock(d);
		if (forked)
			return UFX_REPLACE_FORKED;
		if (!pending)
			return 0;
		ret = ufx_idle_wait(m);
		if (ret)
			return ret;
	}
}

/* Refused: the old table stays, unless another thread has switched. */
static int withdraw(struct ufx_domain *d, uint64_t generation, int error)
{
	ufx_domain_lock(d);
	if (d->pending && d->pending->generation == generation) {
		ufx_table_free(d->pending);
		d->pending = NULL;
	} else {
		error = 0; /* ours is in force, or a request that beat it waits */
	}
	ufx_domain_unlock(d);
	return error;
}

static int replace(struct ufx_domain *d, struct ufx_table *next, bool wait)
{
	struct ufx_table *loser = NULL;
	uint32_t epoch = ufx_load(&d->epoch);
	struct ufx_migration *m = d->migration;
	uint64_t generation;
	bool drop = false;
	int ret;

	ufx_replace_number(d, next);
	generation = next->generation;
	if (!d->pending) {
		d->pending = next;
		drop = ufx_idle_drop(m, &d->table->counted);
	} else if (beats(next, d->pending)) {
		loser = d->pending;
		d->pending = next;
	} else {
		loser = next;
	}
	ufx_bind(); /* until somebody will fold */
	ufx_domain_unlock(d);
	if (loser)
		ufx_table_free(loser);
	if (drop)
		ufx_idle_hurry(m);
	ufx_unbind();
	if (!wait)
		return 0;
	ret = wait_for_switch(d, epoch);
	return ret < 0 ? withdraw(d, generation, ret) : ret;
}

static void pin_failed(struct ufx_domain *d)
{
	ufx_domain_lock(d);
	switch_if_dead(d);
	ufx_domain_unlock(d);
}

static void drained(struct ufx_domain *d, struct ufx_table *t)
{
	struct ufx_migration *m = ufx_load(&d->migration);

	(void)t;
	if (m) /* else a handler forked over us, and this is the child */
		ufx_idle_zero(&m->counters);
}

static void finish(struct ufx_domain *d)
{
	if (d->migration)
		ufx_idle_exit(d->migration);
	if (d->pending)
		ufx_table_free(d->pending);
	if (d->table)
		ufx_table_free(d->table);
}

const struct ufx_replace_ops ufx_replace_at_zero = {
	first, replace, pin_failed, drained, finish
};
