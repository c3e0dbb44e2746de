// SPDX-License-Identifier: MIT
/*
 * Replacing a table: waiters arrive in the new one, in their order; the first
 * table is no exception; statistics; what happens when there is no memory.
 */
#include <ufutex/futex.h>
#include <ufutex/ref.h>

#include "futex/wait.h"
#include "futex/wake.h"
#include "host/memory.h"
#include "table/domain.h"
#include "table/replace.h"

#include "blocked.h"
#include "hammer.h"

#define WAITERS 64

static struct ufx_domain *domain;
static struct ufx_waiter waiters[WAITERS];
static uint32_t words[WAITERS], park;

static void make(void)
{
	struct ufx_domain_options options = { .slots = 0 };
	struct ufx_capabilities caps;

	ufx_caps(&caps);
	options.replace = caps.replace;
	if (ufx_domain_create(&domain, &options))
		bail("no domain");
}

static int queue(int n, int different)
{
	int i, failed = 0;

	for (i = 0; i < n; i++) {
		waiters[i] = (struct ufx_waiter){ .mask = UINT32_MAX,
						  .park = &park };
		failed += ufx_wait_prepare(domain, &waiters[i],
					   &words[i % different], 0) != 0;
	}
	return failed;
}

/* Wakes one by one; how many came out of their order? */
static int wake_in_order(int n, int different)
{
	int i, wrong = 0;

	for (i = 0; i < n; i++) {
		if (ufx_wake(domain, (uintptr_t)&words[i % different], 1,
			     UINT32_MAX) != 1)
			wrong++;
		wrong += !ufx_wait_woken(&waiters[i]);
		if (!ufx_wait_finish(domain, &waiters[i]))
			wrong++;
	}
	return wrong;
}

static struct ufx_domain_stats stats(void)
{
	struct ufx_domain_stats s;

	ufx_domain_get_stats(domain, &s);
	return s;
}

static void first_table(void)
{
	static const uint32_t sizes[] = { 2, 4096, 16, 0 };

	for (int i = 0; i < 4; i++) {
		make();
		is_int(queue(WAITERS, 8), 0, "%d wait in the first table",
		       WAITERS);
		is_int(ufx_domain_destroy(domain), -EBUSY,
		       "a domain with waiters is not destroyed");
		is_int(ufx_domain_set_slots(domain, sizes[i]), 0,
		       "replaced by one of %u", sizes[i]);
		is_int((long long)stats().moved, WAITERS, "all are moved");
		is_int(wake_in_order(WAITERS, 8), 0,
		       "all are woken, in their order");
		is_int(ufx_domain_destroy(domain), 0, "it is destroyed");
	}
}

static void many_in_a_row(void)
{
	int i, failed = 0;

	make();
	queue(WAITERS, 16);
	for (i = 0; i < 200; i++)
		failed += ufx_domain_set_slots(domain, 2u << i % 9) != 0;
	is_int(failed, 0, "200 replacements with waiters");
	is_int((long long)stats().moved, 200 * WAITERS, "each moves all");
	is_int((long long)stats().replacements, 201, "200 and the first");
	is_int((long long)stats().requests, 200, "were asked for");
	ufx_grace_barrier();
	is_int((long long)stats().retired, 0, "no old table is left");
	is_int(wake_in_order(WAITERS, 16), 0, "all are woken, in their order");
	is_int(ufx_domain_destroy(domain), 0, "it is destroyed");
}

/* Waiters that leave while, and after, they are moved. */
static void leaving(void)
{
	int i, woken = 0;

	make();
	queue(WAITERS, 4);
	ufx_domain_set_slots(domain, 256);
	for (i = 0; i < WAITERS; i += 2)
		woken += ufx_wait_finish(domain, &waiters[i]);
	is_int(woken, 0, "half of them leave after the move");
	ufx_domain_set_slots(domain, 8);
	is_int((long long)stats().moved, WAITERS + WAITERS / 2,
	       "the others are moved again");
	for (i = 1; i < WAITERS; i += 2)
		woken += ufx_wait_finish(domain, &waiters[i]);
	is_int(woken, 0, "and leave");
	is_int(ufx_domain_destroy(domain), 0, "nobody is left");
}

/* ---- no memory ---- */

static void no_memory_for_table(void)
{
	make();
	queue(WAITERS, 8);
	ufx_domain_set_slots(domain, 32);
	ufx_pages_fail(100000, 1);
	is_int(ufx_domain_set_slots(domain, 4096), -ENOMEM,
	       "no memory for a table");
	is_int(ufx_domain_get_slots(domain), 32, "the old one stays");
	is_int((long long)stats().replacements, 2, "nothing has been replaced");
	is_int(ufx_domain_set_slots(domain, 4096), 0, "later there is some");
	is_int(wake_in_order(WAITERS, 8), 0, "nobody is lost");
	is_int(ufx_domain_destroy(domain), 0, "it is destroyed");
}

#define REFS 520 /* more than there are in one piece of memory */

/*
 * The counters' memory comes in pieces, larger than a small table, for 512
 * counts each: when those are used up, there is none for the new table's.
 */
static void no_memory_for_counters(void)
{
	static struct ufx_ref refs[REFS];
	struct ufx_capabilities caps;
	int i, n, ret = 0;

	ufx_caps(&caps);
	make();
	queue(WAITERS, 8);
	ufx_pages_fail(8000, 1000);
	for (n = 0; n < REFS; n++)
		if (ufx_ref_init(&refs[n], NULL))
			break;
	ok(n < REFS, "%d refs use all counters up", n);
	ret = ufx_domain_set_slots(domain, 4);
	if (caps.replace == UFX_REPLACE_MOVING)
		is_int(ret, -ENOMEM, "no memory for a table's counters");
	else
		is_int(ret, 0, "at zero takes no new counters");
	ufx_pages_fail(0, 0);
	is_int(ufx_domain_set_slots(domain, 8), 0, "later there is some");
	is_int(wake_in_order(WAITERS, 8), 0, "nobody is lost");
	is_int(ufx_domain_destroy(domain), 0, "it is destroyed");
	for (i = 0; i < n; i++)
		ufx_ref_exit(&refs[i]);
}

static void no_memory_at_first(void)
{
	struct ufx_waiter w = { .mask = 1, .park = &park };

	make();
	ufx_pages_fail(1, 1);
	is_int(ufx_wait_prepare(domain, &w, &words[0], 0), -ENOMEM,
	       "no memory for the first table: a wait fails");
	ufx_pages_fail(1, 1);
	is_int(ufx_domain_futex(domain, &words[0], UFX_FUTEX_WAKE, 1, NULL, NULL,
				0), 0, "a wake finds nobody");
	ufx_pages_fail(0, 0);
	is_int(ufx_wait_prepare(domain, &w, &words[0], 0), 0, "later there is");
	ok(!ufx_wait_finish(domain, &w), "nobody has woken it");
	is_int(ufx_domain_destroy(domain), 0, "it is destroyed");
}

/* ---- a child of fork ---- */

/*
 * As in a child whose handler forked after a pin of a drained table had failed:
 * the domain has no table there, and the next look finds that.
 */
static void failed_pin_without_table(void)
{
	make();
	ufx_replace_pin_failed(domain);
	is_int(queue(1, 1), 0, "a failed pin where there is no table, then a waiter");
	is_int(wake_in_order(1, 1), 0, "is woken");
	is_int(ufx_domain_destroy(domain), 0, "the domain goes");
}

/* ---- under load ---- */

static int lost;

/* Queues on a word of its own, wakes itself, and knows it. */
static void work(struct hammer *h)
{
	struct ufx_waiter w = { .mask = UINT32_MAX, .park = &park };
	uint32_t *word = &words[h->number * 16 + (int)hammer_random(h, 16)];

	if (ufx_wait_prepare(domain, &w, word, 0))
		bail("a waiter is not queued");
	if (ufx_wake(domain, (uintptr_t)word, 1, UINT32_MAX) != 1)
		__atomic_fetch_add(&lost, 1, __ATOMIC_SEQ_CST);
	if (!ufx_wait_finish(domain, &w))
		__atomic_fetch_add(&lost, 1, __ATOMIC_SEQ_CST);
}

static void under_load(void)
{
	int64_t end = clock_ms() + 500;
	struct crew c = { 0 };
	int i, replaced = 0;

	make();
	for (i = 0; i < 3; i++)
		crew_add(&c, work, NULL);
	while (clock_ms() < end) {
		replaced += !ufx_domain_set_slots(domain, 2u << replaced % 8);
		nap_us(30);
	}
	crew_stop(&c);
	is_int(lost, 0, "no wake misses a waiter in %d replacements", replaced);
	is_int(ufx_domain_destroy(domain), 0, "nobody is left");
}

int main(void)
{
	first_table();
	many_in_a_row();
	leaving();
	no_memory_for_table();
	no_memory_for_counters();
	no_memory_at_first();
	failed_pin_without_table();
	under_load();
	return tap_end();
}
