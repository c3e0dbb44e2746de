/* SPDX-License-Identifier: MIT */
/* A table: buckets, how it is counted, and what it replaces. */
#ifndef UFX_TABLE_TABLE_H
#define UFX_TABLE_TABLE_H

#include <ufutex/domain.h>

#include "ref/counted.h"
#include "table/bucket.h"

#define UFX_TABLE_SLOTS_MAX (1u << 24)
#define UFX_TABLE_SLOTS_MIN UFX_SMALL(16, 2) /* of automatic sizes */

/* Why it has its size. */
#define UFX_TABLE_START 1u  /* nobody asked: GET_SLOTS does not show it */
#define UFX_TABLE_CUSTOM 2u /* somebody asked: no automatic scaling */
#define UFX_TABLE_GLOBAL 4u /* 0 slots were asked for */
#define UFX_TABLE_FIXED 8u  /* never replaced, not counted */

struct ufx_table {
	/* Read by every operation, written at birth and death only. */
	struct ufx_counted counted;
	struct ufx_table *prev; /* moving: what this one replaces, till emptied */
	uint32_t mask;          /* slots - 1 */
	uint32_t flags;
	uint64_t generation;
	struct ufx_domain *domain;
	struct ufx_epoch epoch;
	/* Written while it drains. */
	struct ufx_counters counters __attribute__((aligned(64))); /* moving */
	struct ufx_call call;
	union {
		struct ufx_table *next_dead;     /* moving */
		struct ufx_migration *migration; /* at zero; while it waits to be freed */
	};
	uint32_t size;  /* bytes: of 2^24 slots just above 2^30 */
	uint32_t looks; /* whether it is too large; one is lost now and then */
	struct ufx_bucket buckets[] __attribute__((aligned(64)));
};

/* ufx_section_peek knows these by number. */
_Static_assert(offsetof(struct ufx_table, prev) == 16, "section");
_Static_assert(offsetof(struct ufx_table, mask) == 24, "section");
_Static_assert(offsetof(struct ufx_table, buckets) == 128, "section");
_Static_assert(sizeof(struct ufx_bucket) == 64, "section");

/* An empty table for @d; NULL if there is no memory. Not counted yet. */
struct ufx_table *ufx_table_new(struct ufx_domain *d, uint32_t slots,
				uint32_t flags);
void ufx_table_free(struct ufx_table *t);

static inline struct ufx_bucket *ufx_table_bucket(struct ufx_table *t,
						  uint64_t hash)
{
	return &t->buckets[hash & t->mask];
}

/*
 * Moves the waiters of @b to @to, unless somebody did or does; returns once
 * they have arrived there. The caller keeps b's table alive.
 */
void ufx_table_move_bucket(struct ufx_bucket *b, struct ufx_table *to);

static inline uint32_t ufx_table_slots(const struct ufx_table *t)
{
	return t->mask + 1;
}

#endif
