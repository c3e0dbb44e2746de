/* SPDX-License-Identifier: MIT */
/* Waits and wakes, without a replacement. */
#include "all.h"
#include "scene.h"

const struct scenario wait_wake = {
	.name = "wait-wake",
	.what = "one waits for a word, another stores and wakes",
	.rules = "empty-wake",
	.modes = "rseq membarrier fence shared",
	.setup = scene_domain,
	.threads = { waits_until_set, sets_and_wakes },
	.check = nobody_left,
};

const struct scenario prepare_wake = {
	.name = "prepare-wake",
	.what = "one is queued and only then, without another look, waits",
	.rules = "empty-wake",
	.modes = "rseq membarrier fence shared",
	.setup = scene_domain,
	.threads = { prepares_and_polls, sets_and_wakes },
	.check = nobody_left,
};

const struct scenario timeout_wake = {
	.name = "timeout-wake",
	.what = "a wait with a deadline, and two wakes of one: counts are exact",
	.rules = "waiter-life",
	.modes = "rseq fence",
	.setup = scene_domain_and_results,
	.threads = { waits_timed, wakes, wakes },
	.check = counts_are_exact,
};

static void does_nothing(void)
{
}

const struct scenario signal_wake = {
	.name = "signal-wake",
	.what = "a signal ends a wait with a deadline while another wakes it",
	.rules = "waiter-life",
	.setup = scene_domain_and_results,
	.threads = { waits_timed, wakes, waits_timed },
	.handler = does_nothing,
	.signals = { 1, 0, 0 },
	.check = counts_are_exact,
};

static void sets_and_wakes_all(void)
{
	set(word[0], 1);
	counted[model_fiber()] = wake(word[0], INT32_MAX);
}

static void waits_once_more(void)
{
	waits();
	if (!results[model_fiber()])
		wait_timed(word[0], 0);
}

static void wakes_many(void)
{
	counted[model_fiber()] = wake(word[0], 5);
	must(counted[model_fiber()] <= 1);
	while (!__atomic_load_n(word[1], __ATOMIC_RELAXED)) /* it may not wait yet */
		if (wake(word[0], 1))
			break;
		else
			scenario_pause();
}

static void waits_twice(void)
{
	waits_once_more();
	set(word[1], 1);
}

const struct scenario wake_chase = {
	.name = "wake-chase",
	.what = "a wake of many does not go on to who waits again",
	.rules = "wake-bound",
	.setup = scene_domain_and_results,
	.threads = { waits_twice, wakes_many },
};

static void all_woken_or_never_slept(void)
{
	for (int i = 0; i < 2; i++)
		must(results[i] == 0 || results[i] == -EAGAIN);
	counts_are_exact();
}

const struct scenario wake_all = {
	.name = "wake-all",
	.what = "two wait, one call wakes both: by the word's bell if both sleep on it",
	.rules = "waiter-life empty-wake",
	.modes = "rseq fence",
	.setup = scene_domain_and_results,
	.threads = { waits, waits, sets_and_wakes_all },
	.check = all_woken_or_never_slept,
};

static void sets_other_and_wakes(void)
{
	set(word[2], 1);
	counted[model_fiber()] = wake(word[2], 1);
}

static void sets_and_counts(void)
{
	set(word[0], 1);
	counted[model_fiber()] = wake(word[0], 1);
}

static void waits_on_both(void)
{
	results[0] = wait_on_two(word[0], word[2]);
}

static void one_of_both(void)
{
	long said = counted[1] + counted[2];

	must(results[0] == 0 || results[0] == 1 || results[0] == -EAGAIN);
	if (results[0] == -EAGAIN)
		must(!said);
	else
		must(counted[1 + results[0]] == 1);
	must(nobody_queued());
}

const struct scenario waitv = {
	.name = "waitv",
	.what = "one waits for either of two words; both are stored and woken",
	.rules = "waiter-life empty-wake",
	.modes = "rseq fence",
	.setup = scene_domain_and_results,
	.threads = { waits_on_both, sets_and_counts, sets_other_and_wakes },
	.check = one_of_both,
};

static void waits_for_other(void)
{
	wait_until_not(word[1], 0);
}

static void wakes_both(void)
{
	set_and_wake(word[0], 1, 1);
	set_and_wake(word[1], 1, 1);
}

const struct scenario neighbours = {
	.name = "neighbours",
	.what = "two words in one bucket: its lock is fought for, and slept on",
	.rules = "bucket-lock empty-wake",
	.modes = "rseq fence",
	.setup = scene_domain,
	.threads = { waits_until_set, waits_for_other, wakes_both },
	.check = nobody_left,
};

static void acts_on_result(void)
{
	/* A mismatch, and a wake, both acquire: what was stored before is seen. */
	while (wait_on(word[0], 0) != -EAGAIN)
		;
	must(*word[1] == 7);
}

static void publishes(void)
{
	*word[1] = 7;
	__atomic_store_n(word[0], 1, __ATOMIC_RELEASE);
	wake(word[0], 1);
}

const struct scenario mismatch_acquires = {
	.name = "mismatch-acquires",
	.what = "who finds the word changed sees what was stored before it",
	.rules = "mismatch-acquires",
	.modes = "rseq fence",
	.setup = scene_domain,
	.threads = { acts_on_result, publishes },
};

static void waits_then_reads(void)
{
	if (!wait_on(word[0], 0))
		must(*word[1] == 7);
}

static void waits_timed_then_reads(void)
{
	if (!wait_timed(word[0], 0))
		must(*word[1] == 7);
}

static void writes_then_wakes_once(void)
{
	*word[1] = 7;
	wake(word[0], 1);
}

const struct scenario timeout_acquires = {
	.name = "timeout-acquires",
	.what = "a wait that is woken as its time runs out sees what the waker stored",
	.rules = "wake-acquires",
	.modes = "rseq fence",
	.setup = scene_domain,
	.threads = { waits_timed_then_reads, writes_then_wakes_once },
};

static void writes_then_wakes(void)
{
	*word[1] = 7;
	while (!wake(word[0], 1))
		scenario_pause();
}

const struct scenario wake_acquires = {
	.name = "wake-acquires",
	.what = "who is woken sees what the waker stored before",
	.rules = "wake-acquires",
	.modes = "rseq fence",
	.setup = scene_domain,
	.threads = { waits_then_reads, writes_then_wakes },
};

/* In a thread that is not registered for sequences: read sides take a bank. */
static void unregistered_sets_and_wakes(void)
{
	ufx_thread_unregistered = 1;
	sets_and_wakes();
}

static void unregistered_wakes_and_replaces(void)
{
	unregistered_sets_and_wakes();
	set_slots(4);
}

static void replaces(void)
{
	set_slots(4);
}

const struct scenario unregistered_replace = {
	.name = "unregistered-replace",
	.what = "a thread without registration wakes while another replaces",
	.rules = "banks R8",
	.setup = scene_domain,
	.threads = { waits_until_set, unregistered_sets_and_wakes, replaces },
	.check = nobody_left,
};

const struct scenario unregistered = {
	.name = "unregistered",
	.what = "a thread without registration wakes and replaces",
	.rules = "banks",
	.setup = scene_domain,
	.threads = { waits_until_set, unregistered_wakes_and_replaces },
	.check = nobody_left,
};
