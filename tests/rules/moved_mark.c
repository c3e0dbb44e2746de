// SPDX-License-Identifier: MIT
/*
 * An empty wake during a replacement: the bucket that is being moved shows its
 * mark, or its waiters' count, at any time. So as long as somebody is queued
 * on a word, nobody is told that nobody is.
 */
#include "futex/wait.h"
#include "table/place.h"

#include "hammer.h"
#include "rule.h"

static struct ufx_domain *domain;
static uint32_t words[8];
static int overlooked;

static void look(struct hammer *h)
{
	uint32_t *word = &words[hammer_random(h, 8)];

	if (!h->rounds)
		use_cpu(1);
	ufx_fence();
	if (ufx_place_nobody(domain, (uintptr_t)word))
		__atomic_fetch_add(&overlooked, 1, __ATOMIC_SEQ_CST);
}

int main(void)
{
	struct ufx_capabilities caps = rule_start();
	struct ufx_domain_options options = { .replace = caps.replace };
	int64_t end = clock_ms() + 400;
	struct ufx_waiter w[8] = { 0 };
	struct crew c = { 0 };
	int i, replaced = 0, left = 0;
	uint32_t park = 0;

	if (rule_faulty())
		end += 8000;
	tap_timeout(20);
	if (ufx_domain_create(&domain, &options))
		bail("no domain");
	for (i = 0; i < 8; i++) {
		w[i].mask = UINT32_MAX;
		w[i].park = &park;
		if (ufx_wait_prepare(domain, &w[i], &words[i], 0))
			bail("a waiter is not queued");
	}
	/* Between mark and count, and between the table and its bucket. */
	ufx_test_delay = rule_faulty() ? 20000 : 0;
	ufx_section_delay = rule_faulty() ? 20000 : 0;
	crew_add(&c, look, NULL);
	use_cpu(0);
	while (clock_ms() < end && !overlooked) {
		replaced += !ufx_domain_set_slots(domain, replaced % 2 ? 4 : 32);
		if (replaced % 8 == 0)
			nap_us(100);
	}
	crew_stop(&c);
	is_int(overlooked, 0, "no waiter is overlooked in %d replacements",
	       replaced);
	for (i = 0; i < 8; i++)
		left += !ufx_wait_finish(domain, &w[i]);
	is_int(left, 8, "all are still queued at the end");
	is_int(ufx_domain_destroy(domain), 0, "the domain goes");
	return tap_end();
}
