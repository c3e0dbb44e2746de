// SPDX-License-Identifier: MIT
/*
 * R9: a replacement is in force after at most one critical section per old
 * bucket. No operation that starts later delays it, a pin does not, and no
 * operation waits for it other than for its own bucket.
 */
#include "futex/wait.h"
#include "futex/wake.h"
#include "ref/counted.h"
#include "table/replace.h"

#include "blocked.h"
#include "hammer.h"
#include "rule.h"

static struct ufx_domain *domain;
static uint32_t words[512];

static uint64_t key_of(const uint32_t *word)
{
	return (uintptr_t)word;
}

static long set_slots(void *arg)
{
	return ufx_domain_set_slots(domain, *(uint32_t *)arg);
}

static void pin_does_not_delay(void)
{
	struct ufx_table *t;
	void *table;

	ufx_domain_set_slots(domain, 16);
	if (!ufx_pin((void *const *)&domain->table, &table))
		bail("the table cannot be pinned");
	is_int(ufx_domain_set_slots(domain, 64), 0,
	       "a replacement returns although a pin is held");
	is_int(ufx_domain_get_slots(domain), 64, "and is in force");
	t = table;
	if (ufx_unpin(&t->counted))
		ufx_replace_drained(domain, t);
}

/* The bucket of words[@i] in the table in force. */
static uint32_t bucket(int i)
{
	return (uint32_t)ufx_domain_hash(domain, key_of(&words[i])) &
	       domain->table->mask;
}

/* The word in the last or first bucket of those that have one. */
static int extreme(bool last)
{
	int i, best = 0;

	for (i = 1; i < 512; i++)
		if (last ? bucket(i) > bucket(best) : bucket(i) < bucket(best))
			best = i;
	return best;
}

/*
 * The first bucket is held, so the mover has not come to the last one: whoever
 * needs that one moves it and goes on, with all that waits there.
 */
static void others_do_not_wait(void)
{
	struct ufx_waiter w = { .mask = UINT32_MAX };
	uint32_t slots = 128, park = 0;
	struct ufx_place place;
	struct blocked b;
	int held, other;

	ufx_domain_set_slots(domain, 16);
	held = extreme(false);
	other = extreme(true);
	w.park = &park;
	is_int(ufx_wait_prepare(domain, &w, &words[other], 0), 0,
	       "a waiter in the last bucket");
	ufx_place_lock(domain, key_of(&words[held]), 0, &place);
	blocked_start(&b, set_slots, &slots, NULL);
	ok(blocked_wait(&b), "a replacement waits for a bucket that is held");
	ufx_leave_inside(); /* ours is no critical section of this thread */
	ok(!ufx_place_nobody(domain, key_of(&words[other])),
	   "an empty wake cannot overlook the waiter");
	is_int(ufx_wake(domain, key_of(&words[other]), 1, UINT32_MAX), 1,
	       "the waiter is woken meanwhile");
	ok(ufx_wait_finish(domain, &w), "and knows it");
	is_int((long long)ufx_domain_touch(domain, key_of(&words[other])),
	       (long long)ufx_domain_requested(domain),
	       "operations use the new table");
	ok(!blocked_ended(&b), "the replacement still waits");
	ufx_enter_inside();
	ufx_place_unlock(&place, 0);
	is_int(blocked_join(&b), 0, "until the bucket is let go");
}

/* ---- under load, each replacement gets through ---- */

static void work(struct hammer *h)
{
	ufx_domain_touch(domain, key_of(&words[hammer_random(h, 4)]));
}

static void under_load(void)
{
	struct crew c = { 0 };
	int i, replaced = 0;

	for (i = 0; i < 3; i++)
		crew_add(&c, work, NULL);
	for (i = 0; i < 300; i++) {
		replaced += !ufx_domain_set_slots(domain, i % 2 ? 16 : 64);
		if (i % 16 == 0)
			nap_us(500);
	}
	crew_stop(&c);
	is_int(replaced, 300, "each of 300 is in force when its call returns");
}

int main(void)
{
	struct ufx_capabilities caps = rule_start();
	struct ufx_domain_options options = { .replace = caps.replace };

	if (caps.replace == UFX_REPLACE_AT_ZERO) {
		skip("n/a: at zero waits until nobody pins, by design",
		     "a replacement is not delayed");
		return tap_end();
	}
	if (ufx_domain_create(&domain, &options))
		bail("no domain");
	ufx_domain_touch(domain, key_of(words));
	pin_does_not_delay();
	others_do_not_wait();
	under_load();
	is_int(ufx_domain_destroy(domain), 0, "the domain goes");
	return tap_end();
}
