/* SPDX-License-Identifier: MIT */
/* Making, finding, starting and freeing domains. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "host/count.h"
#include "host/lock.h"
#include "host/memory.h"
#include "host/signals.h"
#include "host/syscall.h"
#include "host/thread.h"
#include "ref/idle.h"
#include "table/domain.h"
#include "table/place.h"
#include "table/replace.h"

static struct ufx_domain *default_domain;
static uint32_t starts; /* of domains; a fork child counts on */

/* A replacement is rare, and its steps are many: none shall see a handler fork. */
void ufx_domain_lock(struct ufx_domain *d)
{
	uint64_t signals = ufx_signals_block();

	ufx_enter_inside();
	ufx_lock(&d->lock);
	d->signals = signals;
}

void ufx_domain_unlock(struct ufx_domain *d)
{
	uint64_t signals = d->signals;

	ufx_unlock(&d->lock);
	ufx_leave_inside();
	ufx_signals_restore(signals);
}

static bool slots_valid(uint32_t slots)
{
	return slots != 1 && !(slots & (slots - 1)) && slots <= UFX_TABLE_SLOTS_MAX;
}

static void configure(struct ufx_domain *d, const struct ufx_domain_options *options)
{
	struct ufx_domain_config *config = ufx_domain_config(d);

	if (options)
		config->options = *options;
	config->secret[1] = (uintptr_t)d * 0x9e3779b97f4a7c15u;
	ufx_syscall(SYS_getrandom, (long)config->secret, sizeof(config->secret),
		    GRND_NONBLOCK, 0, 0, 0);
	config->secret[1] |= 1;
}

int ufx_domain_create(struct ufx_domain **domain,
		      const struct ufx_domain_options *options)
{
	struct ufx_domain *d;
	int ret = ufx_ref_start();

	if (ret)
		return ret;
	if (options && !slots_valid(options->slots))
		return -EINVAL;
	/* One page that forks wipe, and one behind that they do not. */
	d = ufx_pages_alloc_pair(UFX_DOMAIN_PAGE);
	if (!d)
		return -ENOMEM;
	configure(d, options);
	*domain = d;
	return 0;
}

int ufx_domain_destroy(struct ufx_domain *d)
{
	struct ufx_table *t = d->table;

	for (uint32_t i = 0; t && i <= t->mask; i++)
		if (ufx_load(&t->buckets[i].root))
			return -EBUSY;
	ufx_replace_of(d)->finish(d);
	ufx_pages_free_pair(d, UFX_DOMAIN_PAGE);
	return 0;
}

/* UFUTEX_REPLACE; false if it is none of the two. */
static bool replace_from_environment(enum ufx_replace *replace)
{
	const char *name = getenv("UFUTEX_REPLACE");

	*replace = UFX_REPLACE_MOVING;
	if (name && !strcmp(name, "at-zero"))
		*replace = UFX_REPLACE_AT_ZERO;
	return !name || !*name || !strcmp(name, "at-zero") ||
	       !strcmp(name, "moving");
}

struct ufx_domain *ufx_domain_default(void)
{
	struct ufx_domain *d = ufx_load_acquire(&default_domain), *none = NULL;
	struct ufx_domain_options options = { 0 };

	if (ufx_likely(d))
		return d;
	if (!replace_from_environment(&options.replace) ||
	    ufx_domain_create(&d, &options))
		return NULL;
	if (!ufx_cas(&default_domain, &none, d)) {
		ufx_pages_free_pair(d, UFX_DOMAIN_PAGE);
		d = none;
	}
	return d;
}

static enum ufx_domain_way first_way(const struct ufx_domain_options *options)
{
	if (options->fixed)
		return UFX_WAY_FIXED;
	return options->replace == UFX_REPLACE_AT_ZERO ? UFX_WAY_COUNTED :
							 UFX_WAY_LOCKED;
}

void ufx_domain_replaced(struct ufx_domain *d, const struct ufx_table *t)
{
	d->stats.replacements++;
	ufx_domain_show(d, t);
	if (d == ufx_load(&default_domain))
		ufx_count_table(ufx_table_slots(t));
}

int ufx_domain_start(struct ufx_domain *d)
{
	const struct ufx_domain_options *config = &ufx_domain_config(d)->options;
	uint32_t flags = UFX_TABLE_START;
	struct ufx_table *t;
	int ret = 0;

	if (config->slots)
		flags = UFX_TABLE_CUSTOM;
	if (config->fixed)
		flags |= UFX_TABLE_FIXED;
	ufx_domain_lock(d);
	if (!d->table) {
		ufx_store(&d->epoch, ufx_fetch_add(&starts, 1) + 1);
		t = ufx_table_new(d, config->slots ? config->slots :
						     UFX_TABLE_SLOTS_MIN, flags);
		ret = t ? ufx_replace_of(d)->first(d, t) : -ENOMEM;
		if (t && ret)
			ufx_table_free(t);
		if (!ret) {
			ufx_domain_replaced(d, t);
			ufx_store_release(&d->way, first_way(config));
		}
	}
	ufx_domain_unlock(d);
	return ret;
}

void ufx_domain_count_moved(struct ufx_domain *d, uint32_t n)
{
	ufx_fetch_add(&d->stats.moved, n);
}

void ufx_domain_get_stats(struct ufx_domain *d, struct ufx_domain_stats *stats)
{
	*stats = d->stats; /* a snapshot, each number by itself */
	if (d->migration)
		stats->retired = ufx_load(&d->migration->retired);
}

void ufx_replace_number(struct ufx_domain *d, struct ufx_table *t)
{
	t->generation = ++d->generation;
	ufx_store_release(&d->requested, t->generation);
}

uint64_t ufx_domain_requested(struct ufx_domain *d)
{
	return ufx_load_acquire(&d->requested);
}

uint64_t ufx_domain_touch(struct ufx_domain *d, uint64_t key)
{
	struct ufx_place place;
	uint64_t generation;

	if (ufx_place_lock(d, key, 0, &place))
		return 0;
	generation = place.table->generation;
	ufx_place_unlock(&place, 0);
	return generation;
}
