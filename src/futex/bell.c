/* SPDX-License-Identifier: MIT */
#include "futex/bell.h"

#include <limits.h>

#include "host/atomic.h"
#include "host/lock.h"

/* Words share them: then a wake from outside is taken for a ring at worst. */
#define BELLS 64

static struct ufx_rings bells[BELLS];

static struct ufx_rings *bell_of(uint64_t word)
{
	return &bells[(word * 0x9e3779b97f4a7c15u) >> 58];
}

void ufx_bell_ring(uint64_t word)
{
	struct ufx_rings *bell = bell_of(word);

	/*
	 * Partner: ufx_bell_rang, by whom this wakes. It must see that a ring has
	 * begun: else it takes itself for woken from outside.
	 */
	ufx_fetch_add(&bell->begun, 1);
	ufx_word_wake((const uint32_t *)(uintptr_t)word, INT_MAX);
	ufx_fetch_add(&bell->done, 1);
}

struct ufx_rings ufx_bell_look(uint64_t word)
{
	struct ufx_rings *bell = bell_of(word), now;

	now.done = ufx_load_acquire(&bell->done); /* first: else one looks done that is not */
	now.begun = ufx_load(&bell->begun);
	return now;
}

bool ufx_bell_rang(uint64_t word, const struct ufx_rings *before)
{
	return before->begun != before->done ||
	       ufx_load_acquire(&bell_of(word)->begun) != before->begun;
}
