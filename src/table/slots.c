/* SPDX-License-Identifier: MIT */
/* How many slots a domain has: by request, and by the number of threads. */
#include <errno.h>

#include "host/cpu.h"
#include "host/rule.h"
#include "host/thread.h"
#include "table/domain.h"
#include "table/replace.h"

static uint32_t power_of_two_above(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p <<= 1;
	return p;
}

uint32_t ufx_domain_global_slots(void)
{
	uint32_t slots = 256 * ufx_cpus_for_sizing();

	return slots > UFX_TABLE_SLOTS_MAX ? UFX_TABLE_SLOTS_MAX :
					     power_of_two_above(slots);
}

/* The domain is locked and has a table; unlocks it. */
static int replace_locked(struct ufx_domain *d, uint32_t slots, uint32_t flags,
			  bool wait)
{
	struct ufx_table *next = ufx_table_new(d, slots, flags);

	if (!next) {
		ufx_domain_unlock(d);
		return -ENOMEM; /* the old one stays in use */
	}
	d->stats.requests++;
	return ufx_replace_of(d)->replace(d, next, wait);
}

/*
 * Locks the domain; its table, which a domain that is not started gets first.
 * NULL, with *@error and unlocked: there is no memory. A handler that forks
 * before we have the lock takes the table away in the child.
 */
static struct ufx_table *lock_started(struct ufx_domain *d, int *error)
{
	for (;;) {
		struct ufx_table *t;

		*error = ufx_load(&d->table) ? 0 : ufx_domain_start(d);
		if (*error)
			return NULL;
		ufx_domain_lock(d);
		t = ufx_load(&d->table);
		if (t)
			return t;
		ufx_domain_unlock(d);
	}
}

/* One try; may return UFX_REPLACE_FORKED. */
static int try_set_slots(struct ufx_domain *d, uint32_t slots, uint32_t flags)
{
	int ret;
	struct ufx_table *t = lock_started(d, &ret);

	if (!t)
		return ret;
	if (t->flags & UFX_TABLE_FIXED) {
		ufx_domain_unlock(d);
		return -EBUSY;
	}
	if (slots > UFX_TABLE_SLOTS_MAX) {
		ufx_domain_unlock(d);
		return -ENOMEM; /* the kernel's largest allocation */
	}
	return replace_locked(d, slots, flags, true);
}

int ufx_domain_set_slots(struct ufx_domain *d, uint32_t slots)
{
	uint32_t flags = UFX_TABLE_CUSTOM;
	int ret;

	ufx_rule(d != NULL, "no argument is NULL");
	if (!d || slots == 1 || (slots & (slots - 1)))
		return -EINVAL;
	if (ufx_thread_inside) /* a handler over what may be this very thing */
		return -EAGAIN;
	if (!slots) {
		flags |= UFX_TABLE_GLOBAL | UFX_TABLE_FIXED;
		slots = ufx_domain_global_slots();
	}
	do {
		ret = try_set_slots(d, slots, flags);
	} while (ret == UFX_REPLACE_FORKED);
	return ret;
}

static uint32_t slots_for(unsigned int n)
{
	uint32_t slots = power_of_two_above(4 * n), most = ufx_domain_global_slots();

	if (slots < UFX_TABLE_SLOTS_MIN)
		slots = UFX_TABLE_SLOTS_MIN;
	return slots < most ? slots : most;
}

static uint32_t wanted_slots(unsigned int threads)
{
	unsigned int cpus = ufx_cpus_online();

	return slots_for(threads < cpus ? threads : cpus);
}

void ufx_domain_scale(struct ufx_domain *d, unsigned int threads)
{
	uint32_t wanted;
	struct ufx_table *t;
	int error;

	if (ufx_thread_inside || ufx_domain_is_scaled(d))
		return;
	t = lock_started(d, &error);
	if (!t)
		return;
	if (t->flags & (UFX_TABLE_CUSTOM | UFX_TABLE_FIXED)) {
		ufx_domain_unlock(d);
		return;
	}
	ufx_store(&t->flags, t->flags & ~UFX_TABLE_START);
	ufx_domain_show(d, t);
	wanted = wanted_slots(threads);
	if (ufx_table_slots(t) >= wanted) {
		ufx_domain_unlock(d);
		return;
	}
	replace_locked(d, wanted, 0, false);
}

#define LOOK_EVERY 1024
#define LOOK_AT 64

bool ufx_table_is_sparse(struct ufx_table *t, const struct ufx_bucket *b)
{
	uint32_t first = (uint32_t)(b - t->buckets), waiters = 0;

	ufx_store(&t->looks, ufx_load(&t->looks) + 1);
	if (ufx_load(&t->looks) % LOOK_EVERY || ufx_table_slots(t) < LOOK_AT)
		return false;
	for (uint32_t i = 0; i < LOOK_AT; i++)
		waiters += ufx_bucket_count(ufx_load(&t->buckets[(first + i) & t->mask].word));
	return waiters <= 1; /* who looks */
}

void ufx_domain_resize(struct ufx_domain *d, uint32_t from, uint32_t to)
{
	struct ufx_table *t;
	int error;

	if (ufx_thread_inside || !ufx_domain_config(d)->scales)
		return;
	t = lock_started(d, &error);
	if (!t)
		return;
	if ((t->flags & (UFX_TABLE_CUSTOM | UFX_TABLE_FIXED)) || d->pending ||
	    ufx_table_slots(t) != from || to > UFX_TABLE_SLOTS_MAX) {
		ufx_domain_unlock(d);
		return;
	}
	replace_locked(d, to, 0, false);
}

void ufx_domain_show(struct ufx_domain *d, const struct ufx_table *t)
{
	bool hidden = t->flags & (UFX_TABLE_START | UFX_TABLE_GLOBAL);
	bool asked = t->flags & (UFX_TABLE_CUSTOM | UFX_TABLE_FIXED);
	bool full = ufx_table_slots(t) >= slots_for(ufx_cpus_for_sizing());

	ufx_store(&d->scaled, asked || (full && !(t->flags & UFX_TABLE_START)));
	ufx_store(&d->shown, hidden ? 0 : ufx_table_slots(t));
}

/* No lock, but where the first one to ask makes the table show. */
uint32_t ufx_domain_get_slots(struct ufx_domain *d)
{
	unsigned int threads;

	ufx_rule(d != NULL, "no argument is NULL");
	if (!d)
		return 0;
	if (!ufx_load(&d->shown) && !ufx_load(&ufx_thread_inside) &&
	    ufx_load(&d->way) != UFX_WAY_FIXED && ufx_threads_ever_several()) {
		threads = ufx_threads_count();
		ufx_domain_scale(d, threads > 1 ? threads - 1 : 1);
	}
	return ufx_load(&d->shown);
}
