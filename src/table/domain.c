/* SPDX-License-Identifier: MIT */
/* Making, finding, starting and freeing domains. */
#include <errno.h>
#include <string.h>

#include <ufutex/grace.h>

#include "host/count.h"
#include "host/lock.h"
#include "host/random.h"
#include "host/rule.h"
#include "host/setting.h"
#include "host/signals.h"
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

	config->references = 1;
	config->options = *options;
	if (options->allocator)
		config->allocator = *options->allocator;
	config->options.allocator = NULL; /* the caller's may go */
	config->scales = !options->slots && !options->fixed;
	if (options->has_secret) {
		config->secret[0] = options->secret[0];
		config->secret[1] = options->secret[1];
	} else {
		config->secret[1] = (uintptr_t)d * 0x9e3779b97f4a7c15u;
		ufx_random(config->secret, sizeof(config->secret));
	}
	config->secret[1] |= 1;
}

/* ---- memory ---- */

/* With an allocator of its own it lies as if in a pair. */
#define OWN_SIZE (UFX_PAIR_APART + sizeof(struct ufx_domain_config))

static struct ufx_domain *allocate(const struct ufx_allocator *own)
{
	void *memory;

	if (!own)
		return ufx_pair_alloc();
	memory = own->allocate(OWN_SIZE, 64, own->arg);
	if (memory)
		memset(memory, 0, OWN_SIZE);
	return memory;
}

static void release(struct ufx_domain *d)
{
	struct ufx_allocator own = ufx_domain_config(d)->allocator;

	if (own.allocate)
		own.release(d, OWN_SIZE, own.arg);
	else
		ufx_pair_free(d);
}

int ufx_domain_create(struct ufx_domain **domain,
		      const struct ufx_domain_options *options)
{
	static const struct ufx_domain_options none;
	struct ufx_domain *d;
	int ret;

	if (!options)
		options = &none;
	if (!domain || !slots_valid(options->slots) ||
	    (unsigned int)options->replace > UFX_REPLACE_AT_ZERO)
		return -EINVAL;
	if (options->allocator &&
	    (!options->allocator->allocate || !options->allocator->release))
		return -EINVAL;
	ret = ufx_ref_start();
	if (ret)
		return ret;
	d = allocate(options->allocator);
	if (!d)
		return -ENOMEM;
	configure(d, options);
	*domain = d;
	return 0;
}

static bool has_waiters(const struct ufx_domain *d)
{
	struct ufx_table *t = ufx_load_acquire(&d->table);

	for (uint32_t i = 0; t && i <= t->mask; i++)
		if (ufx_bucket_count(ufx_load(&t->buckets[i].word)))
			return true;
	return false;
}

static void dispose(struct ufx_domain *d)
{
	ufx_replace_of(d)->finish(d);
	release(d);
}

int ufx_domain_destroy(struct ufx_domain *d)
{
	ufx_rule(d != NULL, "no argument is NULL");
	if (!d)
		return -EINVAL;
	ufx_rule(!has_waiters(d), "nobody waits on a domain that is destroyed");
	ufx_rule(ufx_domain_is_there(d), "a domain is destroyed once");
	if (!ufx_domain_is_there(d))
		return -EINVAL;
	if (has_waiters(d) || ufx_load_acquire(&ufx_domain_config(d)->references) > 1)
		return -EBUSY;
	dispose(d);
	return 0;
}

void ufx_domain_get(struct ufx_domain *d)
{
	ufx_rule(d != NULL, "no argument is NULL");
	if (!d)
		return;
	ufx_fetch_add(&ufx_domain_config(d)->references, 1);
}

static void dispose_later(struct ufx_call *call)
{
	struct ufx_domain_config *config =
		ufx_container(call, struct ufx_domain_config, call);

	dispose((struct ufx_domain *)(void *)((char *)config - UFX_PAIR_APART));
}

bool ufx_domain_drop(struct ufx_domain *d)
{
	return ufx_fetch_sub(&ufx_domain_config(d)->references, 1) == 1;
}

void ufx_domain_dispose_later(struct ufx_domain *d)
{
	ufx_grace_call(&ufx_domain_config(d)->call, dispose_later);
}

void ufx_domain_go(struct ufx_domain *d)
{
	ufx_store(&d->going, 1);
}

void ufx_domain_forget(struct ufx_domain *d)
{
	if (d && ufx_domain_config(d)->allocator.allocate)
		memset(d, 0, sizeof(*d)); /* its tables stay the parent's */
}

/* UFUTEX_REPLACE; false if it is none of the two. */
static bool replace_from_environment(enum ufx_replace *replace)
{
	const char *name = ufx_setting("UFUTEX_REPLACE");
	bool at_zero = name && ufx_setting_is(name, "at-zero");

	*replace = at_zero ? UFX_REPLACE_AT_ZERO : UFX_REPLACE_MOVING;
	return !name || !*name || at_zero || ufx_setting_is(name, "moving");
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
	ufx_domain_config(d)->scales = false; /* but with threads, as the kernel's */
	if (!ufx_cas(&default_domain, &none, d)) {
		ufx_pair_free(d);
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
	ufx_rule(d && stats, "no argument is NULL");
	if (!d || !stats)
		return;
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
