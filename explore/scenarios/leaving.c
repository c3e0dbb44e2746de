/* SPDX-License-Identifier: MIT */
/* Handlers that end the wait they come over, and may not return (R12). */
#include "all.h"
#include "scene.h"

static void waits_and_may_leave(void)
{
	if (!scenario_left())
		waits_timed();
	scenario_stay();
}

/* Where it has to come later, another schedule has it come later. */
static void handler_wakes_and_leaves(void)
{
	if (!scenario_may_leave() || !ufx_futex_interrupt(false))
		return;
	wakes();
	scenario_leave();
}

const struct scenario handler_leaves = {
	.name = "handler-leaves",
	.what = "a handler amid a wait wakes somebody else and leaves for good",
	.rules = "R12",
	.modes = "rseq fence",
	.setup = scene_domain_and_results,
	.threads = { waits_and_may_leave, waits_timed },
	.handler = handler_wakes_and_leaves,
	.signals = { 1, 0 },
	.check = counts_are_exact,
};

/* ---- what others wait for ---- */

/* The first wakes somebody, posted or not; the second leaves if it may. */
static void handler_wakes_or_leaves(void)
{
	static bool woke;

	if (!woke) {
		set_and_wake(word[0], 1, 1);
		woke = true; /* a handler over this one must not leave it */
	} else if (scenario_may_leave() && ufx_futex_interrupt(false)) {
		scenario_leave();
	}
}

static void wakes_and_may_leave(void)
{
	if (!scenario_left())
		wake(word[1], 1);
	scenario_stay();
}

static void waits_timed_for_neighbour(void)
{
	wait_timed(word[1], 0);
}

const struct scenario handler_leaves_posted = {
	.name = "handler-leaves-posted",
	.what = "a handler leaves while the wakes of another are carried out",
	.rules = "R11 R12",
	.modes = "rseq fence",
	.setup = scene_domain,
	.threads = { wakes_and_may_leave, waits_until_set, waits_timed_for_neighbour },
	.handler = handler_wakes_or_leaves,
	.signals = { 2, 0, 0 },
};

static struct ufx_call *call;

static void make_call(void)
{
	call = scene_memory(sizeof(*call));
}

static void nothing(struct ufx_call *c)
{
	(void)c;
}

static void drives_and_may_leave(void)
{
	if (!scenario_left())
		ufx_grace_call_hurry(call, nothing);
	scenario_stay();
}

static void waits_for_calls(void)
{
	must(!ufx_grace_barrier());
}

static void handler_just_leaves(void)
{
	if (scenario_may_leave() && ufx_futex_interrupt(false))
		scenario_leave();
}

const struct scenario handler_leaves_driver = {
	.name = "handler-leaves-driver",
	.what = "a handler leaves who carries out deferred calls",
	.rules = "R12 calls",
	.modes = "rseq fence",
	.setup = make_call,
	.threads = { drives_and_may_leave, waits_for_calls },
	.handler = handler_just_leaves,
	.signals = { 1, 0 },
};

/* ---- handlers that return ---- */

static void handler_interrupts(void)
{
	ufx_futex_interrupt(true);
}

const struct scenario handler_restarts = {
	.name = "handler-restarts",
	.what = "a handler ends a wait, which goes on at the tail when it returns",
	.rules = "R12",
	.modes = "rseq fence",
	.setup = scene_domain,
	.threads = { waits_until_set, sets_and_wakes },
	.handler = handler_interrupts,
	.signals = { 1, 0 },
	.check = nobody_left,
};

const struct scenario handler_counts = {
	.name = "handler-counts",
	.what = "a wake that a handler finds done is the wait's all the same",
	.rules = "R12",
	.modes = "rseq fence",
	.setup = scene_domain_and_results,
	.threads = { waits_timed, wakes },
	.handler = handler_interrupts,
	.signals = { 1, 0 },
	.check = counts_are_exact,
};
