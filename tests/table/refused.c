// SPDX-License-Identifier: MIT
/*
 * Where the kernel refuses grace periods tables are leaked, or not replaced;
 * waiting and waking go on.
 */
#include <ufutex/futex.h>

#include "futex/wait.h"
#include "futex/wake.h"

#include "blocked.h"
#include "hammer.h"
#include "refused.h"

static uint32_t word;

static struct ufx_capabilities caps(void)
{
	struct ufx_capabilities c;

	ufx_caps(&c);
	return c;
}

static long wait_on(void *arg)
{
	return ufx_futex(arg, UFX_FUTEX_WAIT | UFX_FUTEX_PRIVATE, 0, NULL, NULL,
			 0);
}

static long set_slots(unsigned long slots)
{
	return ufx_prctl_futex_hash(UFX_PR_FUTEX_HASH_SET_SLOTS, slots, 0, 0);
}

static long get_slots(void)
{
	return ufx_prctl_futex_hash(UFX_PR_FUTEX_HASH_GET_SLOTS, 0, 0, 0);
}

/* One waiter from before, and one after it. */
static void default_domain(void)
{
	bool moving = caps().replace == UFX_REPLACE_MOVING;
	struct blocked before, after;
	int i, ret = 0;

	set_slots(64);
	blocked_start(&before, wait_on, &word, NULL);
	blocked_wait(&before);
	refused_from_here();
	for (i = 0; i < 5; i++)
		ret |= (int)set_slots(i % 2 ? 32 : 128) ^ (moving ? 0 : -EPERM);
	is_int(ret, 0, "five replacements: %s", moving ? "done" : "refused");
	is_int(get_slots(), moving ? 128 : 64, "the table in force");
	blocked_start(&after, wait_on, &word, NULL);
	blocked_wait(&after);
	is_int(ufx_futex(&word, UFX_FUTEX_WAKE | UFX_FUTEX_PRIVATE, 10, NULL,
			 NULL, 0), 2, "both waiters are woken");
	is_int(blocked_join(&before) | blocked_join(&after), 0, "and return 0");
	ok(caps().grace_failures > 0, "the failures are counted");
	if (moving)
		is_int((long long)caps().leaked_tables, 5, "the tables, too");
}

static void own_domain(void)
{
	struct ufx_domain_options options = { .replace = caps().replace };
	struct ufx_domain *d;
	uint32_t park;
	struct ufx_waiter w = { .mask = 1, .park = &park };

	if (ufx_domain_create(&d, &options) ||
	    ufx_wait_prepare(d, &w, &word, 0))
		bail("no domain");
	ufx_grace_synchronize();
	refused_from_here();
	ufx_domain_set_slots(d, 64);
	ufx_domain_set_slots(d, 128);
	is_int(ufx_domain_destroy(d), -EBUSY, "a waiter is there");
	is_int(ufx_wake(d, (uintptr_t)&word, 1, 1), 1, "it is woken");
	ok(ufx_wait_finish(d, &w), "and knows it");
	is_int(ufx_domain_destroy(d), 0, "the domain goes");
}

/* Somebody pins the table while it is asked to go. */
static void load(struct hammer *h)
{
	static uint32_t words[16];

	ufx_domain_touch(h->arg, (uintptr_t)&words[hammer_random(h, 16)]);
}

static void under_load(void)
{
	struct ufx_domain *d = ufx_domain_default();
	struct crew c = { 0 };
	int i, wrong = 0;

	ufx_domain_set_slots(d, 64);
	refused_from_here();
	crew_add(&c, load, d);
	crew_add(&c, load, d);
	for (i = 0; i < 50; i++) {
		int ret = ufx_domain_set_slots(d, i % 2 ? 32 : 128);

		wrong += ret && ret != -EPERM;
	}
	crew_stop(&c);
	is_int(wrong, 0, "50 replacements under load end");
}

int main(void)
{
	refused_child("the default domain", default_domain);
	refused_child("a domain of its own", own_domain);
	refused_child("under load", under_load);
	return tap_end();
}
