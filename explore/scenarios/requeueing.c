/* SPDX-License-Identifier: MIT */
/* Requeue and wake_op: two buckets at once. */
#include "all.h"
#include "scene.h"

static long requeue(uint32_t *from, uint32_t *to, uint32_t n)
{
	return ufx_requeue(domain, from, to, 0, n, false, 0);
}

/* Whoever waits is on the one word or the other: nobody slips between. */
static void requeues_and_ends(void)
{
	set(word[0], 1);
	requeue(word[0], word[2], 5);
	counted[model_fiber()] = wake(word[2], 5);
	counted[model_fiber()] += wake(word[0], 5);
}

/* As a broadcast does: one is woken by the same call, the others moved. */
static void requeues_with_a_wake(void)
{
	set(word[0], 1);
	counted[model_fiber()] = ufx_requeue(domain, word[0], word[2], 1, 5, false, 0);
}

const struct scenario requeue_wakes = {
	.name = "requeue-wakes",
	.what = "a requeue that wakes finds who has been queued",
	.rules = "empty-wake",
	.modes = "rseq fence",
	.setup = scene_domain_and_results,
	.threads = { prepares_and_polls, requeues_with_a_wake },
};

static void wakes_target(void)
{
	counted[model_fiber()] = wake(word[2], 1);
}

const struct scenario requeue_wake = {
	.name = "requeue-wake",
	.what = "a waiter is requeued to a word that another wakes",
	.rules = "waiter-life empty-wake",
	.modes = "rseq fence",
	.setup = scene_domain_and_results,
	.threads = { waits, requeues_and_ends, wakes_target },
	.check = counts_are_exact,
};

/* Both sleep on the first word in the kernel, and wait for the other one here. */
const struct scenario requeue_all = {
	.name = "requeue-all",
	.what = "two are requeued, then one call wakes both where they are",
	.rules = "waiter-life",
	.modes = "rseq fence",
	.setup = scene_domain_and_results,
	.threads = { waits, waits, requeues_and_ends },
	.check = counts_are_exact,
};

const struct scenario requeue_timeout = {
	.name = "requeue-timeout",
	.what = "a waiter is requeued while its time runs out",
	.rules = "waiter-life",
	.modes = "rseq fence",
	.setup = scene_domain_and_results,
	.threads = { waits_timed, requeues_and_ends },
	.check = counts_are_exact,
};

/*
 * Both words stored before; the waiter was moved from one to the other; its
 * waker looks at the target only after it saw that the requeue was made. An
 * empty wake must not miss it: counted there before it is gone from here.
 */
static void requeues_then_tells(void)
{
	set(word[0], 1);
	requeue(word[0], word[2], 5);
	__atomic_store_n(word[1], 1, __ATOMIC_RELEASE);
}

static void wakes_both_once_told(void)
{
	while (!__atomic_load_n(word[1], __ATOMIC_ACQUIRE))
		scenario_pause();
	wake(word[0], 5);
	wake(word[2], 5);
}

const struct scenario requeue_told = {
	.name = "requeue-told",
	.what = "who knows of a requeue finds its waiters by empty wakes too",
	.rules = "empty-wake",
	.setup = scene_domain_and_results,
	.threads = { waits, requeues_then_tells, wakes_both_once_told },
};

static void requeues_only(void)
{
	requeue(word[0], word[2], 5);
}

static void sets_and_wakes_both(void)
{
	set(word[0], 1);
	set(word[2], 1);
	wake(word[0], 5);
	wake(word[2], 5);
}

const struct scenario requeue_passing = {
	.name = "requeue-passing",
	.what = "who wakes the one word and then the other finds a requeued waiter",
	.rules = "empty-wake",
	.modes = "rseq fence",
	.setup = scene_domain_and_results,
	.threads = { waits, requeues_only, sets_and_wakes_both },
};

static void requeues_back(void)
{
	set(word[0], 1);
	requeue(word[2], word[0], 5);
	requeue(word[0], word[2], 5);
}

static void wakes_at_the_end(void)
{
	requeues_back();
	__atomic_fetch_add(word[1], 1, __ATOMIC_ACQ_REL);
}

static void ends_both(void)
{
	set(word[0], 1);
	requeue(word[0], word[2], 5);
	while (!__atomic_load_n(word[1], __ATOMIC_ACQUIRE))
		scenario_pause();
	wake(word[0], 5);
	wake(word[2], 5);
}

const struct scenario requeue_cross = {
	.name = "requeue-cross",
	.what = "requeues both ways: two locks in one order",
	.rules = "bucket-lock waiter-life",
	.modes = "rseq fence",
	.setup = scene_domain_and_results,
	.threads = { waits, wakes_at_the_end, ends_both },
};

/* Adds one to word 2, wakes word 0, and word 2 if it was 0. */
static void wake_op(void)
{
	const uint32_t add_one_if_zero = 1u << 28 | 1u << 12;

	set(word[0], 1);
	counted[model_fiber()] = ufx_wake_op(domain, word[0], word[2], 5, 5,
					   add_one_if_zero);
}

static void wake_op_back(void)
{
	ufx_wake_op(domain, word[2], word[0], 5, 5, 1u << 28 | 1u << 12);
}

const struct scenario wake_op_cross = {
	.name = "wake-op-cross",
	.what = "two words are locked by two calls that name them the other way round",
	.rules = "bucket-lock",
	.modes = "rseq fence",
	.setup = scene_domain_and_results,
	.threads = { wake_op, wake_op_back },
};

static void waits_for_target(void)
{
	results[model_fiber()] = wait_on(word[2], 0);
}

const struct scenario wake_op_both = {
	.name = "wake-op",
	.what = "one call changes a word and wakes waiters of two",
	.rules = "empty-wake bucket-lock",
	.modes = "rseq fence",
	.setup = scene_domain_and_results,
	.threads = { waits, waits_for_target, wake_op },
	.check = counts_are_exact,
};

/* ---- with a replacement between ---- */

static void replaces(void)
{
	set_slots(4);
}

const struct scenario wake_op_replace = {
	.name = "wake-op-replace",
	.what = "one call wakes waiters of two words while the table is replaced",
	.rules = "R9 bucket-lock",
	.modes = "rseq fence",
	.setup = scene_domain_and_results,
	.threads = { waits_for_target, wake_op, replaces },
	.check = counts_are_exact,
};

#define REPLACED(variable, title, way)                                         \
	const struct scenario variable = {                                     \
		.name = title,                                                 \
		.what = "a requeue of two buckets while the table is replaced", \
		.rules = "R9 bucket-lock waiter-life",                         \
		.modes = "rseq fence",                                         \
		.setup = scene_domain_and_results,                             \
		.threads = { waits, requeues_and_ends, replaces },             \
		.check = counts_are_exact,                                     \
		.at_zero = way,                                                \
	}

REPLACED(requeue_replace, "requeue-replace", false);
REPLACED(requeue_replace_at_zero, "requeue-replace-at-zero", true);
