// SPDX-License-Identifier: MIT
/*
 * R8: a table is freed exactly once, after its last pin, never before a grace
 * period in which somebody could still load its address; a put neither frees
 * nor moves anything itself.
 */
#include <ufutex/futex.h>

#include "ref/counted.h"
#include "table/domain.h"
#include "table/replace.h"

#include "blocked.h"
#include "hammer.h"
#include "rule.h"

static struct ufx_domain *domain;

static uint64_t retired(void)
{
	struct ufx_domain_stats stats;

	ufx_domain_get_stats(domain, &stats);
	return stats.retired;
}

static struct ufx_table *pin(void)
{
	void *table;

	ufx_domain_touch(domain, 64); /* so that there is one */
	if (!ufx_pin((void *const *)&domain->table, &table))
		bail("the table cannot be pinned");
	return table;
}

static bool intact(struct ufx_table *t, uint32_t slots)
{
	return *(volatile uint32_t *)&t->mask == slots - 1 && t->domain == domain;
}

static bool in_force(struct ufx_table *t)
{
	return ufx_load(&domain->table) == t;
}

static void moving(void)
{
	struct ufx_table *t;

	ufx_domain_set_slots(domain, 64);
	t = pin();
	is_int(ufx_domain_set_slots(domain, 128), 0, "replaced while it is pinned");
	ok(intact(t, 64), "the pinned table is there");
	is_int((long long)retired(), 1, "it is retired, not freed");
	ok(ufx_unpin(&t->counted), "the last pin goes");
	ufx_replace_drained(domain, t);
	ok(intact(t, 64), "that frees nothing");
	is_int(ufx_domain_set_slots(domain, 64), 0, "the next replacement");
	is_int((long long)retired(), 0, "frees it");
}

static long set_slots(void *arg)
{
	return ufx_domain_set_slots(domain, *(uint32_t *)arg);
}

static void at_zero(void)
{
	uint32_t slots = 128;
	struct ufx_table *t;
	struct blocked b;

	ufx_domain_set_slots(domain, 64);
	t = pin();
	blocked_start(&b, set_slots, &slots, NULL);
	ok(blocked_wait(&b), "a replacement waits while the table is pinned");
	ok(intact(t, 64) && in_force(t), "the table stays in force");
	ok(ufx_unpin(&t->counted), "the last pin goes");
	/* Nobody has been told yet, so it is still there. */
	ok(intact(t, 64) && in_force(t), "that switches nothing");
	ufx_replace_drained(domain, t);
	is_int(blocked_join(&b), 0, "the replacement ends");
	is_int(ufx_domain_get_slots(domain), slots, "and is in force");
}

/* ---- empty wakes look without a pin ---- */

static void look(struct hammer *h)
{
	static uint32_t words[64];

	if (!h->rounds)
		use_cpu(1);
	ufx_domain_futex(domain, &words[hammer_random(h, 64)], UFX_FUTEX_WAKE, 1,
			 NULL, NULL, 0);
}

static void under_looks(void)
{
	int64_t end = clock_ms() + (rule_faulty() ? 8000 : 500);
	struct crew c = { 0 };
	uint32_t slots = 16;
	int replaced = 0;

	ufx_section_delay = 10000; /* between the table's address and its bucket */
	crew_add(&c, look, NULL);
	use_cpu(0); /* so that the two run at the same time */
	while (clock_ms() < end) {
		slots = slots == 16 ? 4096 : 16;
		replaced += !ufx_domain_set_slots(domain, slots);
		nap_us(20);
	}
	ufx_section_delay = 0;
	crew_stop(&c);
	ok(replaced > 0, "%d replaced under empty wakes", replaced);
}

int main(void)
{
	struct ufx_capabilities caps = rule_start();
	struct ufx_domain_options options = { .replace = caps.replace };

	tap_timeout(20);
	if (ufx_domain_create(&domain, &options))
		bail("no domain");
	if (caps.replace == UFX_REPLACE_MOVING)
		moving();
	else
		at_zero();
	under_looks();
	is_int(ufx_domain_destroy(domain), 0, "the domain goes");
	return tap_end();
}
