/* SPDX-License-Identifier: MIT */
/* Grace periods: cookies, banks, deferred calls. */
#include "all.h"
#include "grace/reader.h"
#include "scene.h"

static void **pointer; /* what readers load */
static uint32_t *old_thing, *new_thing;

static void make_things(void)
{
	pointer = scene_memory(8);
	old_thing = scene_memory(64);
	new_thing = scene_memory(64);
	*pointer = old_thing;
}

static void reads(void)
{
	struct ufx_read read = ufx_read_begin();
	uint32_t *thing = __atomic_load_n((uint32_t **)pointer, __ATOMIC_ACQUIRE);

	must(*thing == 0);
	ufx_read_end(read);
}

static void replaces_and_frees(void)
{
	ufx_cookie cookie = ufx_grace_publish(pointer, new_thing);

	must(!ufx_grace_cond_sync(cookie));
	scenario_free(old_thing);
}

static void makes_a_period(void)
{
	must(!ufx_grace_synchronize());
}

const struct scenario period = {
	.name = "period",
	.what = "a read side, a replacement, and another's period to share",
	.rules = "R1 R2 banks readers",
	.modes = "rseq membarrier fence shared",
	.setup = make_things,
	.threads = { reads, replaces_and_frees, makes_a_period },
};

static void reads_twice(void)
{
	reads();
	reads();
}

static void polls_and_frees(void)
{
	ufx_cookie cookie = ufx_grace_publish(pointer, new_thing);

	while (!ufx_grace_poll(cookie))
		makes_a_period();
	scenario_free(old_thing);
}

const struct scenario period_poll = {
	.name = "period-poll",
	.what = "a cookie that others' periods satisfy",
	.rules = "R1 banks readers",
	.modes = "rseq membarrier fence shared",
	.setup = make_things,
	.threads = { reads_twice, polls_and_frees, makes_a_period },
};

/* ---- deferred calls ---- */

static struct ufx_call *calls;
static uint32_t *ran;

static void make_calls(void)
{
	calls = scene_memory(4 * sizeof(*calls));
	ran = scene_memory(4);
}

static void count(struct ufx_call *call)
{
	(void)call;
	__atomic_fetch_add(ran, 1, __ATOMIC_RELAXED);
}

static void calls_first(void)
{
	ufx_grace_call_hurry(&calls[0], count);
}

static void calls_second(void)
{
	ufx_grace_call_hurry(&calls[1], count);
}

static void calls_lazily_and_waits(void)
{
	ufx_grace_call(&calls[2], count);
	must(!ufx_grace_barrier());
	must(__atomic_load_n(ran, __ATOMIC_RELAXED) >= 1);
}

static void all_ran(void)
{
	must(*ran == 3);
}

const struct scenario deferred_calls = {
	.name = "calls",
	.what = "two hurried calls, a lazy one and a barrier: each runs once",
	.rules = "calls",
	.modes = "rseq fence",
	.setup = make_calls,
	.threads = { calls_first, calls_second, calls_lazily_and_waits },
	.check = all_ran,
};

/* The second of these is one too many to leave to others. */
static void calls_lazily_twice(void)
{
	ufx_grace_call(&calls[1], count);
	ufx_grace_call(&calls[2], count);
}

static void not_both_left(void)
{
	must(*ran >= 2);
}

const struct scenario calls_lazy = {
	.name = "calls-lazy",
	.what = "lazy calls that find a driver, who is about to retire",
	.rules = "calls",
	.modes = "rseq fence",
	.setup = make_calls,
	.threads = { calls_first, calls_lazily_twice },
	.check = not_both_left,
};

static void runs_one_of_its_own(void)
{
	ufx_grace_call(&calls[0], count);
	must(ufx_grace_run(1, 0) >= 0);
}

static uint32_t *second_ran;

static void count_second(struct ufx_call *call)
{
	count(call);
	__atomic_fetch_add(second_ran, 1, __ATOMIC_RELAXED);
}

/* Nobody else who could take it does more than one. */
static void hurries_and_looks(void)
{
	ufx_grace_call_hurry(&calls[1], count_second);
	must(__atomic_load_n(second_ran, __ATOMIC_RELAXED) == 1);
}

static void make_calls_of_two(void)
{
	make_calls();
	second_ran = scene_memory(4);
	ufx_grace_limit(0, 0); /* who queues drives no more than it says */
}

static void both_ran(void)
{
	must(*ran == 2);
	must(!ufx_grace_pending(NULL));
}

const struct scenario calls_budget = {
	.name = "calls-budget",
	.what = "a hurried call does not rely on a driver that may stop short",
	.rules = "calls",
	.modes = "rseq fence",
	.setup = make_calls_of_two,
	.threads = { runs_one_of_its_own, hurries_and_looks },
	.check = both_ran,
};

static void calls_again(struct ufx_call *call)
{
	count(call);
	if (call == &calls[0])
		ufx_grace_call_hurry(&calls[3], count);
}

static void calls_a_caller(void)
{
	ufx_grace_call_hurry(&calls[0], calls_again);
}

const struct scenario call_from_call = {
	.name = "call-from-call",
	.what = "a deferred call queues another while somebody else hurries",
	.rules = "calls",
	.modes = "rseq fence",
	.setup = make_calls,
	.threads = { calls_a_caller, calls_second },
	.check = all_ran,
};

static void frees(struct ufx_call *call)
{
	(void)call;
	scenario_free(old_thing);
}

static void make_both(void)
{
	make_things();
	make_calls();
}

static void replaces_and_defers(void)
{
	__atomic_store_n(pointer, new_thing, __ATOMIC_RELEASE);
	ufx_grace_call_hurry(&calls[0], frees);
}

const struct scenario call_frees = {
	.name = "call-frees",
	.what = "a deferred call frees what a reader may still see",
	.rules = "R1 R2 calls banks readers",
	.modes = "rseq membarrier fence shared",
	.setup = make_both,
	.threads = { reads, replaces_and_defers, calls_second },
};
