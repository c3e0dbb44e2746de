// SPDX-License-Identifier: MIT
/* SET_SLOTS 0 asks for the one table that is never replaced again. */
#include "crowd.h"
#include "rows.h"

static uint32_t word;

static void sticky(const struct subject *s)
{
	static const unsigned long sizes[] = { 0, 2, 16, 64, 1024 };
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		row(s, slots_set(s, sizes[i]), -EBUSY,
		    "SET_SLOTS %lu after SET_SLOTS 0", sizes[i]);
	row(s, slots_set(s, 3), -EINVAL, "SET_SLOTS 3 after SET_SLOTS 0");
	row(s, slots_set(s, 1), -EINVAL, "SET_SLOTS 1 after SET_SLOTS 0");
	row(s, s->hash(UFX_PR_FUTEX_HASH_SET_SLOTS, 16, 1, 0), -EINVAL,
	    "SET_SLOTS 16, arg4 1 after SET_SLOTS 0");
	row(s, slots_set(s, 1ul << 25), -EBUSY,
	    "SET_SLOTS 2^25 after SET_SLOTS 0");
	row(s, slots_get(s), 0, "GET_SLOTS after that");
}

static void works(const struct subject *s)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &word, 3);
	row(s, crowd_wake_one(&c, &word), 0, "wake the first");
	row(s, crowd_wake_one(&c, &word), 1, "wake the second");
	row(s, crowd_close(&c), 1, "one is left");
	row(s, slots_get(s), 0, "GET_SLOTS: threads change nothing");
}

static void fresh(const struct subject *s)
{
	row(s, slots_set(s, 0), 0, "SET_SLOTS 0 in a fresh process");
	row(s, slots_get(s), 0, "GET_SLOTS after it");
	sticky(s);
	works(s);
}

static void later(const struct subject *s)
{
	row(s, slots_set(s, 64), 0, "SET_SLOTS 64");
	row(s, slots_set(s, 0), 0, "SET_SLOTS 0 from 64");
	row(s, slots_get(s), 0, "GET_SLOTS after it");
	sticky(s);
	works(s);
}

/* A default table, made for threads, can be given up too. */
static void scaled(const struct subject *s)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &word, 1);
	row(s, slots_get(s), 16, "GET_SLOTS with a thread");
	row(s, slots_set(s, 0), 0, "SET_SLOTS 0 from there");
	row(s, slots_get(s), 0, "GET_SLOTS after it");
	row(s, crowd_close(&c), 1, "the waiter is found");
	sticky(s);
}

static const struct slots_row rows[] = {
	{ "fresh", fresh },
	{ "later", later },
	{ "scaled", scaled },
};

SLOTS_MAIN(rows)
