/* SPDX-License-Identifier: MIT */
/*
 * Data races: two accesses to the same bytes by two fibers, one of them a
 * store, not both atomic, and neither in the other's past. Seen in whatever
 * order the schedule has them.
 */
#include <string.h>

#include "state.h"

static struct shadow *shadow_of(uintptr_t addr)
{
	uint32_t slot = (uint32_t)(addr * 0x9e3779b97f4a7c15u >> 40);

	for (;; slot++) {
		struct shadow *s = &model->races.shadows[slot % SHADOWS];

		if (s->generation != model->races.generation) {
			memset(s, 0, sizeof(*s));
			s->addr = addr;
			s->generation = model->races.generation;
			return s;
		}
		if (s->addr == addr)
			return s;
	}
}

void races_reset(void)
{
	model->races.generation++;
}

static const char *const names[ACCESSES] = { "load", "store", "atomic load",
					     "atomic store" };

/* Kinds that must not meet, as bits. */
static const uint8_t races_with[ACCESSES] = {
	[ACCESS_READ] = 1 << ACCESS_WRITE | 1 << ACCESS_ATOMIC_WRITE,
	[ACCESS_WRITE] = 15,
	[ACCESS_ATOMIC_READ] = 1 << ACCESS_WRITE,
	[ACCESS_ATOMIC_WRITE] = 1 << ACCESS_READ | 1 << ACCESS_WRITE,
};

static void report(uintptr_t addr, unsigned int other, enum access access,
		   enum access theirs)
{
	char name[80];

	finding("data race on %s: T%u's %s with T%u's %s",
		memory_name((const void *)addr, name, sizeof(name)), model->now + 1,
		names[access], other + 1, names[theirs]);
}

static void check_word(struct shadow *s, enum access access)
{
	unsigned int me = model->now;
	const uint16_t *clock = model->memory.seen[me].clock;

	for (unsigned int theirs = 0; theirs < ACCESSES; theirs++) {
		if (!(races_with[access] >> theirs & 1))
			continue;
		for (unsigned int i = 0; i < model->fibers_used; i++)
			if (i != me && s->last[theirs][i] > clock[i])
				report(s->addr, i, access, theirs);
	}
	s->last[access][me] = clock[me];
}

void race_check(const void *addr, size_t size, enum access access)
{
	uintptr_t from = (uintptr_t)addr & ~(uintptr_t)3;

	for (uintptr_t a = from; a < (uintptr_t)addr + size; a += 4)
		check_word(shadow_of(a), access);
}
