/* SPDX-License-Identifier: MIT */
/*
 * A domain's inside. Its state lies in a page that a fork wipes: all zero is
 * a fresh domain without a table. What it was created with lies in the page
 * behind and survives.
 */
#ifndef UFX_TABLE_DOMAIN_H
#define UFX_TABLE_DOMAIN_H

#include "host/blocks.h"
#include "table/table.h"


/* What keeps the table while an operation uses it. */
enum ufx_domain_way {
	UFX_WAY_NONE,    /* there is no table yet */
	UFX_WAY_LOCKED,  /* the bucket's lock, taken in a section (moving) */
	UFX_WAY_FIXED,   /* it is never replaced */
	UFX_WAY_COUNTED, /* a counted pin (at zero) */
};

struct ufx_domain {
	/* Read by every operation. */
	struct ufx_table *table; /* first: the sections load it */
	uint32_t way;            /* enum ufx_domain_way; set behind @table */
	uint32_t lock;           /* serialises replacements */
	uint64_t requested;      /* generation of the newest table asked for */
	uint32_t shown;          /* what GET_SLOTS says */
	uint32_t epoch;          /* no other start of it in any fork has the same */
	uint32_t going;          /* no more waits */
	uint32_t scaled;         /* no number of threads asks for more slots */
	/* Under the lock, or statistics. */
	struct ufx_table *pending __attribute__((aligned(64))); /* at zero */
	struct ufx_migration *migration;                        /* at zero */
	uint64_t generation; /* of the newest table made */
	struct ufx_table *dead; /* moving: drained, to be freed */
	struct ufx_domain_stats stats;
	uint64_t leaked; /* tables not freed: grace periods refused */
	uint64_t signals; /* that the holder of the lock had blocked before */
};

_Static_assert(sizeof(struct ufx_domain) <= UFX_PAIR, "a pair's first half");

/* Behind the state: set at creation, the same in a fork child. */
struct ufx_domain_config {
	uint64_t secret[2]; /* of the hash */
	struct ufx_domain_options options;
	struct ufx_allocator allocator; /* if it has its own */
	bool scales; /* with its waiters */
	uint64_t references;
	struct ufx_call call; /* that frees it */
};

_Static_assert(sizeof(struct ufx_domain_config) <= UFX_PAIR, "and its second");

static inline struct ufx_domain_config *ufx_domain_config(const struct ufx_domain *d)
{
	return (struct ufx_domain_config *)((char *)d + UFX_PAIR_APART);
}

/*
 * Where @key belongs: the low bits select the bucket; there are 32. Keyed by
 * the domain's secret. One multiplication alone collapses on some strides for
 * some secrets; the second, of the folded product, does not.
 */
static inline uint64_t ufx_domain_hash(const struct ufx_domain *d, uint64_t key)
{
	const uint64_t *secret = ufx_domain_config(d)->secret;
	uint64_t x = (key ^ secret[0]) * secret[1];

	x ^= x >> 32;
	return (x * 0xd6e8feb86659fd93u) >> 32;
}

/* False once it has been destroyed, as far as that can be told. */
static inline bool ufx_domain_is_there(const struct ufx_domain *d)
{
	return ufx_load(&ufx_domain_config(d)->references);
}

/* One reference less; true: it was the last. */
bool ufx_domain_drop(struct ufx_domain *d);

/* Frees it after a grace period. */
void ufx_domain_dispose_later(struct ufx_domain *d);

/* Makes and publishes the first table, unless there is one. 0 or -ENOMEM. */
int ufx_domain_start(struct ufx_domain *d);

/*
 * Blocks the thread's signals too: a handler that forks over what is done under
 * it would leave the child with half of it.
 */
void ufx_domain_lock(struct ufx_domain *d);
void ufx_domain_unlock(struct ufx_domain *d);

/* Says by d->shown what table is in force. Under the lock. */
void ufx_domain_show(struct ufx_domain *d, const struct ufx_table *t);

/* The same, of one that has just come into force; it counts. */
void ufx_domain_replaced(struct ufx_domain *d, const struct ufx_table *t);

void ufx_domain_count_moved(struct ufx_domain *d, uint32_t n);

/*
 * Scales the table for one more thread beside @threads others, as the kernel
 * does at clone: 4 slots a thread or CPU, whichever are fewer, a power of two
 * from 16 to the global size. Never shrinks, never waits, does nothing if
 * somebody set the slots. Not from a signal handler.
 */
void ufx_domain_scale(struct ufx_domain *d, unsigned int threads);

/*
 * More keys than this before one's own in a bucket's tree, and it is asked whether
 * there should be more buckets.
 */
#define UFX_DOMAIN_DEEP 6

/*
 * Once in 1,024 calls, of a table of 64 slots or more: is nobody but the caller in
 * 64 buckets from @b on? Something keeps the table.
 */
bool ufx_table_is_sparse(struct ufx_table *t, const struct ufx_bucket *b);

/* Replaces a table of @from slots by one of @to, if the domain scales with waiters. */
void ufx_domain_resize(struct ufx_domain *d, uint32_t from, uint32_t to);

/* No waits that begin after a full fence behind this (sweep, futex/cancel.c). */
void ufx_domain_go(struct ufx_domain *d);

static inline bool ufx_domain_is_going(const struct ufx_domain *d)
{
	return ufx_load(&d->going);
}

/* Need the threads not even be counted for ufx_domain_scale? */
static inline bool ufx_domain_is_scaled(const struct ufx_domain *d)
{
	return ufx_load(&d->scaled);
}

/* Slots of a table for 0: what the kernel's global one would have. */
uint32_t ufx_domain_global_slots(void);

/*
 * For measurements and tests: one pinned and locked pass through @key's
 * bucket; returns the generation of the table that was used.
 */
uint64_t ufx_domain_touch(struct ufx_domain *d, uint64_t key);

/* The generation of the newest table asked for, stored before it is in force. */
uint64_t ufx_domain_requested(struct ufx_domain *d);

#endif
