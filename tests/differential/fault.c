// SPDX-License-Identifier: MIT
/*
 * Faults, to see that they are found. Those of src/host/fault.h are about
 * races, which programs with one step at a time seldom have; those here are
 * put between the engine's files by the linker (--wrap).
 */
#include <string.h>

#include "futex/wake.h"
#include "host/park.h"
#include "program.h"
#include "fault_name.h"

static enum {
	NONE,
	DISORDER,   /* a queue is not first in, first out */
	ANY_BIT,    /* every wake has a bit in common with every wait */
	NO_RESTART, /* a handler ends every wait */
	UNWATCHED,  /* a word that a handler has changed is not looked at */
	ONE_MORE,   /* requeue and WAKE_OP wake one more */
	EARLY,      /* relative timeouts are over at once */
	FAULTS
} chosen;

static const char *const names[FAULTS] = {
	[NONE] = "NONE",	     [DISORDER] = "DISORDER",
	[ANY_BIT] = "ANY_BIT",	     [NO_RESTART] = "NO_RESTART",
	[UNWATCHED] = "UNWATCHED",   [ONE_MORE] = "ONE_MORE",
	[EARLY] = "EARLY",
};

bool fault_choose(const char *name)
{
	enum ufx_fault rule = fault_named(name);

	for (int i = 0; i < FAULTS; i++) {
		if (!strcmp(names[i], name)) {
			chosen = i;
			return true;
		}
	}
	if (rule == UFX_FAULT_COUNT)
		return false;
	ufx_fault_chosen = rule;
	return true;
}

void __real_ufx_queue_insert(struct ufx_waiter **root, struct ufx_waiter *w);
void __wrap_ufx_queue_insert(struct ufx_waiter **root, struct ufx_waiter *w);
void __wrap_ufx_queue_insert(struct ufx_waiter **root, struct ufx_waiter *w)
{
	static uint8_t n;

	if (chosen == DISORDER)
		w->priority = n++ % 99;
	if (chosen == ANY_BIT)
		w->mask = UINT32_MAX;
	__real_ufx_queue_insert(root, w);
}

int __real_ufx_park_words(const struct ufx_waitv_entry *words, unsigned int n,
			  const struct ufx_deadline *deadline);
int __wrap_ufx_park_words(const struct ufx_waitv_entry *words, unsigned int n,
			  const struct ufx_deadline *deadline);
int __wrap_ufx_park_words(const struct ufx_waitv_entry *words, unsigned int n,
			  const struct ufx_deadline *deadline)
{
	uint32_t *park = (uint32_t *)(uintptr_t)words[0].uaddr;
	uint32_t watching = UFX_PARK_WATCHING;
	struct ufx_waitv_entry alone = ufx_park_entry(park, UFX_PARK_ASLEEP);

	if (chosen != NO_RESTART && chosen != UNWATCHED)
		return __real_ufx_park_words(words, n, deadline);
	/* It does not: so the word's bell must not be rung for it. */
	__atomic_compare_exchange_n(park, &watching, UFX_PARK_ASLEEP, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	if (chosen == NO_RESTART)
		return ufx_park_alone(park, deadline);
	return __real_ufx_park_words(&alone, 1, deadline);
}

struct ufx_waiter **__real_ufx_take(struct ufx_place *place, uint64_t key, uint32_t n,
				    uint32_t mask, struct ufx_waiter **chain,
				    uint32_t *taken);
struct ufx_waiter **__wrap_ufx_take(struct ufx_place *place, uint64_t key, uint32_t n,
				    uint32_t mask, struct ufx_waiter **chain,
				    uint32_t *taken);
struct ufx_waiter **__wrap_ufx_take(struct ufx_place *place, uint64_t key, uint32_t n,
				    uint32_t mask, struct ufx_waiter **chain,
				    uint32_t *taken)
{
	return __real_ufx_take(place, key, n + (chosen == ONE_MORE), mask, chain,
			       taken);
}

struct ufx_deadline __real_ufx_deadline_after(const struct timespec *relative);
struct ufx_deadline __wrap_ufx_deadline_after(const struct timespec *relative);
struct ufx_deadline __wrap_ufx_deadline_after(const struct timespec *relative)
{
	static const struct timespec none;

	return __real_ufx_deadline_after(chosen == EARLY ? &none : relative);
}
