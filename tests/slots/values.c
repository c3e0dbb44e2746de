// SPDX-License-Identifier: MIT
/* SET_SLOTS and GET_SLOTS: which values are taken, which refused and how. */
#include "rows.h"

#define SET UFX_PR_FUTEX_HASH_SET_SLOTS
#define GET UFX_PR_FUTEX_HASH_GET_SLOTS

static void fresh(const struct subject *s)
{
	slots_unset(s, "in a fresh process");
	row(s, s->hash(GET, 1, 2, 3), slots_get(s),
	    "GET_SLOTS with other arguments");
	row(s, s->hash(GET, -1ul, -1ul, -1ul), slots_get(s),
	    "GET_SLOTS with -1s");
}

static void operations(const struct subject *s)
{
	static const long unknown[] = { 0, 3, 4, 5, -1 };
	size_t i;

	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		row(s, s->hash((unsigned long)unknown[i], 16, 0, 0), -EINVAL,
		    "operation %ld", unknown[i]);
	slots_unset(s, "after that");
}

/* Not a power of two, or 1. */
static void refused(const struct subject *s)
{
	static const unsigned long sizes[] = { 1,    3,	    5,	   6,	7,
					       15,   17,    1000,  4095,
					       0x7fffffff,  0x80000001,
					       0xffffffff,  -1ul };
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		row(s, slots_set(s, sizes[i]), -EINVAL, "SET_SLOTS %ld",
		    (long)sizes[i]);
	slots_unset(s, "after that");
	row(s, slots_set(s, 8), 0, "SET_SLOTS 8");
	row(s, slots_set(s, 3), -EINVAL, "SET_SLOTS 3");
	row(s, slots_get(s), 8, "GET_SLOTS after that");
}

/* Each in a process of its own: the first setting of one does not wait. */
static void taken(const struct subject *s)
{
	int bit;

	for (bit = 1; bit <= 20; bit++) {
		pid_t pid = tap_fork();

		if (pid == 0) {
			row(s, slots_set(s, 1ul << bit), 0, "SET_SLOTS 2^%d",
			    bit);
			row(s, slots_get(s), 1l << bit, "GET_SLOTS after it");
			_exit(0);
		}
		tap_reap(pid, "SET_SLOTS");
	}
}

static void too_many(const struct subject *s)
{
	static const int bits[] = { 25, 26, 29, 31 };
	size_t i;

	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		row(s, slots_set(s, 1ul << bits[i]), -ENOMEM, "SET_SLOTS 2^%d",
		    bits[i]);
	slots_unset(s, "after that");
	row(s, slots_set(s, 32), 0, "SET_SLOTS 32");
	row(s, slots_set(s, 1ul << 25), -ENOMEM, "SET_SLOTS 2^25");
	row(s, slots_get(s), 32, "GET_SLOTS: the old table stays");
}

/* A gigabyte: of address space only, in the engine. */
static void most(const struct subject *s)
{
	if (!s->engine) {
		row_skip(s, "takes a gigabyte of memory", "SET_SLOTS 2^24");
		return;
	}
	row(s, slots_set(s, 1ul << 24), 0, "SET_SLOTS 2^24");
	row(s, slots_get(s), 1l << 24, "GET_SLOTS after it");
}

static void arguments(const struct subject *s)
{
	row(s, s->hash(SET, 16, 1, 0), -EINVAL, "SET_SLOTS 16, arg4 1");
	row(s, s->hash(SET, 16, 2, 0), -EINVAL, "SET_SLOTS 16, arg4 2");
	row(s, s->hash(SET, 3, 1, 0), -EINVAL, "SET_SLOTS 3, arg4 1");
	row(s, s->hash(SET, 0, 1, 0), -EINVAL, "SET_SLOTS 0, arg4 1");
	slots_unset(s, "after that");
	row(s, s->hash(SET, 32, 0, 77), 0, "SET_SLOTS 32, arg5 77");
	row(s, slots_get(s), 32, "GET_SLOTS after it");
}

/* Of the number, 32 bits are looked at. */
static void truncated(const struct subject *s)
{
	row(s, slots_set(s, 0x100000001), -EINVAL, "SET_SLOTS 2^32 + 1");
	row(s, slots_set(s, 0x100000010), 0, "SET_SLOTS 2^32 + 16");
	row(s, slots_get(s), 16, "GET_SLOTS after it");
}

static void again(const struct subject *s)
{
	row(s, slots_set(s, 1024), 0, "SET_SLOTS 1024");
	row(s, slots_set(s, 2), 0, "SET_SLOTS 2: fewer");
	row(s, slots_get(s), 2, "GET_SLOTS after it");
	row(s, slots_set(s, 2), 0, "SET_SLOTS 2: as many");
	row(s, slots_get(s), 2, "GET_SLOTS after it");
	row(s, slots_set(s, 4096), 0, "SET_SLOTS 4096: more");
	row(s, slots_get(s), 4096, "GET_SLOTS after it");
}

static const struct slots_row rows[] = {
	{ "fresh", fresh },	    { "operations", operations },
	{ "refused", refused },	    { "taken", taken },
	{ "too many", too_many },   { "most", most },
	{ "arguments", arguments }, { "truncated", truncated },
	{ "again", again },
};

SLOTS_MAIN(rows)
