// SPDX-License-Identifier: MIT
/* Storms of SET_SLOTS, up and down, on the domains whose words all use. */
#include "torture.h"

static void step(struct worker *w)
{
	struct space *s = &spaces[rnd(w, SPACES)];
	uint32_t slots = 2u << rnd(w, rnd(w, 8) ? 7 : 13);
	long ret;

	if (s->is_default)
		ret = ufx_prctl_futex_hash(UFX_PR_FUTEX_HASH_SET_SLOTS, slots, 0, 0);
	else
		ret = ufx_domain_set_slots(s->domain, slots);
	if (ret != (s->fixed ? -EBUSY : 0))
		finding("setting %u slots (space %s) returns %ld", slots, s->name, ret);
	count(COUNT_requests, 1);
	if (rnd(w, 4) == 0)
		nap_us(rnd(w, 200));
}

static void check(void)
{
	int i;

	for (i = 0; i < SPACES; i++) {
		struct ufx_domain_stats stats;

		ufx_domain_get_stats(spaces[i].domain, &stats);
		total_add(COUNT_replacements, stats.replacements);
		total_add(COUNT_waiters_moved, stats.moved);
	}
}

const struct activity resizes = { "resizes", 2, NULL, step, NULL, check };
