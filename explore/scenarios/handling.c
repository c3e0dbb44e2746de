/* SPDX-License-Identifier: MIT */
/* Signal handlers that use the engine, and forks, amid anything. */
#include "all.h"
#include "scene.h"

static void handler_wakes(void)
{
	set_and_wake(word[0], 1, 1);
}

/* A wake that takes locks, for the handler to come into. */
static void wakes_neighbour(void)
{
	set_and_wake(word[1], 1, 1);
}

static void waits_for_neighbour(void)
{
	wait_until_not(word[1], 0);
}

const struct scenario handler_wake = {
	.name = "handler-wake",
	.what = "a handler amid a wake wakes somebody in the same bucket",
	.rules = "R10 R11",
	.modes = "rseq fence",
	.setup = scene_domain,
	.threads = { waits_until_set, waits_for_neighbour, wakes_neighbour },
	.handler = handler_wakes,
	.signals = { 0, 0, 1 },
};

static void waits_timed_for_neighbour(void)
{
	wait_timed(word[1], 0);
}

const struct scenario handler_wake_wait = {
	.name = "handler-wake-wait",
	.what = "a handler amid a wait wakes somebody in the same bucket",
	.rules = "R10 R11",
	.modes = "rseq fence",
	.setup = scene_domain,
	.threads = { waits_until_set, waits_timed_for_neighbour },
	.handler = handler_wakes,
	.signals = { 0, 1 },
};

static void replaces(void)
{
	set_slots(4);
}

const struct scenario handler_replace = {
	.name = "handler-replace",
	.what = "a handler amid a replacement wakes",
	.rules = "R10 R11",
	.setup = scene_domain,
	.threads = { waits_until_set, replaces },
	.handler = handler_wakes,
	.signals = { 0, 1 },
};

const struct scenario handler_replace_at_zero = {
	.name = "handler-replace-at-zero",
	.what = "a handler amid a replacement at zero wakes",
	.rules = "R10 R11",
	.setup = scene_domain,
	.threads = { waits_until_set, replaces },
	.handler = handler_wakes,
	.signals = { 0, 1 },
	.at_zero = true,
};

/* Waits and requeues in a handler: over a critical section they give up. */
static void handler_waits_and_requeues(void)
{
	long ret = wait_timed(word[0], 0);

	must(ret == -EINTR || ret == -ETIMEDOUT || ret == 0 || ret == -EAGAIN);
	ret = ufx_requeue(domain, word[0], word[2], 0, 1, false, 0);
	must(ret == -EAGAIN || ret >= 0);
}

const struct scenario handler_waits = {
	.name = "handler-waits",
	.what = "a handler amid a wake waits and requeues",
	.rules = "R11",
	.setup = scene_domain,
	.threads = { waits_timed_for_neighbour, wakes_neighbour },
	.handler = handler_waits_and_requeues,
	.signals = { 0, 1 },
};

/* Two signals: what was posted while the posted wakes were being run. */
static void handler_wakes_two(void)
{
	static uint32_t handlers;
	uint32_t turn = __atomic_fetch_add(&handlers, 1, __ATOMIC_RELAXED);

	set_and_wake(word[turn ? 2 : 0], 1, 1);
}

static void waits_for_both(void)
{
	wait_until_not(word[0], 0);
	wait_until_not(word[2], 0);
}

const struct scenario handler_twice = {
	.name = "handler-twice",
	.what = "a second handler while the wakes of the first are carried out",
	.rules = "R11",
	.setup = scene_domain,
	.threads = { waits_for_both, wakes_neighbour, waits_timed_for_neighbour },
	.handler = handler_wakes_two,
	.signals = { 0, 2, 0 },
};

/*
 * A waiter that a wake has taken is let go before a handler of the waker may
 * wait for it. (Somebody else would have woken it, had the handler come first.)
 */
static void waits_and_answers(void)
{
	waits_until_set();
	set_and_wake(word[1], 1, 1);
}

static void wakes_only(void)
{
	wake(word[0], 1);
}

static void handler_waits_for_answer(void)
{
	while (!peek(word[1]))
		if (wait_on(word[1], 0) == -EINTR)
			break;
}

const struct scenario handler_waits_for_woken = {
	.name = "handler-waits-for-woken",
	.what = "a handler amid a wake waits for whom that wake has taken",
	.rules = "R11",
	.setup = scene_domain,
	.threads = { waits_and_answers, wakes_only, sets_and_wakes },
	.handler = handler_waits_for_answer,
	.signals = { 0, 1, 0 },
};

/*
 * Each handler wakes one of those that wait on one word, twice: the second wake
 * is added to the first where that was posted, and none is lost.
 */
static void handler_wakes_one_twice(void)
{
	set(word[0], 1);
	wake(word[0], 1);
	wake(word[0], 1);
}

static void is_inside(void)
{
	ufx_enter_inside();
	scenario_take_signals();
	ufx_leave_inside();
}

const struct scenario handler_over_handler = {
	.name = "handler-over-handler",
	.what = "two handlers, one over the other, wake four times one of three",
	.rules = "R11",
	.setup = scene_domain,
	.threads = { is_inside, waits_until_set, waits_until_set, waits_until_set },
	.handler = handler_wakes_one_twice,
	.signals = { 2, 0, 0, 0 },
};

/* ---- fork ---- */

/* What a child does with a domain that others were using. */
static void use_as_child(void)
{
	must(wake(word[0], 1) == 0);
	must(wait_timed(word[0], 99) == -EAGAIN);
	must(wait_timed(word[2], peek(word[2])) == -ETIMEDOUT);
	set_slots(8);
	must(!ufx_grace_barrier());
	must(nobody_queued());
}

static bool in_child;

static void forks(void)
{
	in_child = scenario_fork();
}

static void forks_amid_all(void)
{
	for (int i = 0; i < 4; i++) {
		scenario_pause();
		if (scenario_fork()) {
			use_as_child();
			return;
		}
	}
}

#define FORK(variable, title, way)                                             \
	const struct scenario variable = {                                     \
		.name = title,                                                 \
		.what = "a thread forks while others wait, wake and replace",  \
		.rules = "fork",                                               \
		.modes = "rseq fence",                                         \
		.setup = scene_domain,                                         \
		.threads = { forks_amid_all, waits_until_set, sets_and_wakes,  \
			     replaces },                                       \
		.at_zero = way,                                                \
	}

FORK(fork_middle, "fork", false);
FORK(fork_middle_at_zero, "fork-at-zero", true);

static void waits_with_deadline(void)
{
	long ret = wait_timed(word[0], 0);

	must(ret == 0 || ret == -EINTR || ret == -ETIMEDOUT || ret == -EAGAIN);
	scenario_take_signals();
	if (in_child)
		use_as_child();
}

const struct scenario fork_handler = {
	.name = "fork-handler",
	.what = "a handler forks amid its own thread's wait: the child's ends",
	.rules = "fork",
	.setup = scene_domain,
	.threads = { waits_with_deadline, sets_and_wakes },
	.handler = forks,
	.signals = { 1, 0 },
};

/* In the child no period is done that nobody made there. */
static void makes_a_period_over_a_fork(void)
{
	ufx_cookie cookie;

	must(!ufx_grace_synchronize());
	scenario_take_signals();
	cookie = ufx_grace_get_state();
	must(!in_child || !ufx_grace_poll(cookie));
	must(!ufx_grace_cond_sync(cookie));
	must(ufx_grace_poll(cookie));
}

const struct scenario fork_period = {
	.name = "fork-period",
	.what = "a handler forks over the leader of a grace period",
	.rules = "fork",
	.modes = "rseq fence",
	.setup = scene_domain,
	.threads = { makes_a_period_over_a_fork },
	.handler = forks,
	.signals = { 1 },
};
