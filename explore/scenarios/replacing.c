/* SPDX-License-Identifier: MIT */
/* Replacing a domain's table under waits and wakes, in both ways. */
#include "all.h"
#include "scene.h"

static void replaces(void)
{
	set_slots(4);
}

/* The same scenario for both ways of replacing. */
#define BOTH_WAYS(variable, title, ...)                                        \
	const struct scenario variable = { .name = title, .at_zero = false,    \
					   __VA_ARGS__ };                      \
	const struct scenario variable##_at_zero = { .name = title "-at-zero", \
						     .at_zero = true,          \
						     __VA_ARGS__ }

BOTH_WAYS(replace_wake, "replace-wake",
	.what = "a table is replaced while one waits and another wakes",
	.rules = "R2 R8 R9 empty-wake",
	.modes = "rseq membarrier fence shared",
	.setup = scene_domain,
	.threads = { waits_until_set, sets_and_wakes, replaces },
	.check = nobody_left);

static void starts(void)
{
	scene_domain_slots(2);
}

BOTH_WAYS(first_table, "first-table",
	.what = "the first table is made by whoever comes first",
	.rules = "empty-wake",
	.modes = "rseq fence",
	.setup = starts,
	.threads = { waits_until_set, sets_and_wakes },
	.check = nobody_left);

BOTH_WAYS(replace_timeout, "replace-timeout",
	.what = "a wait times out, is woken, or is moved: all at once",
	.rules = "R8 R9 waiter-life",
	.modes = "rseq fence",
	.setup = scene_domain_and_results,
	.threads = { waits_timed, wakes, replaces },
	.check = counts_are_exact);

static void replaces_by_8(void)
{
	set_slots(8);
}

BOTH_WAYS(replace_replace, "replace-replace",
	.what = "two replacements at once, and an operation",
	.rules = "R6 R8 R9",
	.modes = "rseq fence",
	.setup = scene_domain,
	.threads = { replaces, replaces_by_8, sets_and_wakes });

/* Three tables of one size: the first one's memory is used for the third. */
static void replaces_twice(void)
{
	set_slots(2);
	set_slots(2);
}

BOTH_WAYS(replace_recycle, "replace-recycle",
	.what = "a table's memory comes back as another's while an empty wake looks",
	.rules = "R2 R8 empty-wake",
	.modes = "rseq membarrier fence shared",
	.setup = scene_domain,
	.threads = { waits_until_set, sets_and_wakes, replaces_twice },
	.check = nobody_left,
	.recycles = true);

static void waits_for_other(void)
{
	wait_until_not(word[1], 0);
}

static void wakes_both(void)
{
	set_and_wake(word[0], 1, 1);
	set_and_wake(word[1], 1, 1);
}

/* Lockers that sleep on a bucket which is moved meanwhile. */
BOTH_WAYS(replace_contended, "replace-contended",
	.what = "a bucket whose lock is slept on is moved",
	.rules = "R9 bucket-lock",
	.modes = "rseq fence",
	.setup = scene_domain,
	.threads = { waits_until_set, waits_for_other, wakes_both, replaces },
	.check = nobody_left);

/* R9: nobody waits for a pin. Whoever holds one may wait for the replacement. */
static void pins_until_replaced(void)
{
	void *table;

	must(ufx_pin((void *const *)&domain->table, &table));
	while (!__atomic_load_n(word[2], __ATOMIC_ACQUIRE))
		scenario_pause();
	ufx_place_unpin(table);
}

static void replaces_and_tells(void)
{
	replaces();
	__atomic_store_n(word[2], 1, __ATOMIC_RELEASE);
}

const struct scenario replace_pinned = {
	.name = "replace-pinned",
	.what = "a replacement does not wait for who holds the old table",
	.rules = "R8 R9",
	.modes = "rseq fence",
	.setup = scene_domain,
	.threads = { pins_until_replaced, replaces_and_tells },
};

static void fixes(void)
{
	set_slots(0);
}

BOTH_WAYS(replace_fixed, "replace-fixed",
	.what = "the table becomes a fixed one, which nobody pins",
	.rules = "R8 R9 empty-wake",
	.modes = "rseq fence",
	.setup = scene_domain,
	.threads = { waits_until_set, sets_and_wakes, fixes },
	.check = nobody_left);

static void scales(void)
{
	ufx_domain_scale(domain, 2);
}

static void scaling_set_up(void)
{
	scene_domain_slots(0);
	must(!ufx_domain_start(domain));
}

BOTH_WAYS(scale_set, "scale-set",
	.what = "automatic scaling against a request",
	.rules = "R6 R8 R9",
	.modes = "rseq fence",
	.setup = scaling_set_up,
	.threads = { scales, replaces_by_8, sets_and_wakes });

/* Teardown with a migration's call pending that another thread drives. */
static void scales_and_destroys(void)
{
	ufx_domain_scale(domain, 2);
	must(!ufx_domain_destroy(domain));
}

static void drives(void)
{
	must(!ufx_grace_barrier());
}

BOTH_WAYS(teardown, "teardown",
	.what = "a domain is destroyed while its replacement is under way",
	.rules = "R7 R8",
	.modes = "rseq fence",
	.setup = scaling_set_up,
	.threads = { scales_and_destroys, drives });
