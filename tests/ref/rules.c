// SPDX-License-Identifier: MIT
/* Refs and deferred calls: the rules that a debug build tells. */
#include <ufutex/ref.h>

#include "broken.h"

static struct ufx_ref ref;

static void start(void)
{
	if (ufx_ref_init(&ref, NULL))
		bail("no ref");
}

static void put_too_many(void)
{
	start();
	ufx_ref_switch_to_atomic(&ref);
	ufx_ref_put_many(&ref, 2);
}

/* Nobody can tell before the cells are summed. */
static void put_too_many_percpu(void)
{
	start();
	ufx_ref_put_many(&ref, 2);
	ufx_ref_kill(&ref);
}

static void put_at_zero(void)
{
	start();
	ufx_ref_kill(&ref);
	ufx_ref_put(&ref);
}

static void get_at_zero(void)
{
	start();
	ufx_ref_kill(&ref);
	ufx_ref_get_inline(&ref);
}

static void kill_twice(void)
{
	start();
	ufx_ref_get(&ref);
	ufx_ref_kill(&ref);
	ufx_ref_kill(&ref);
}

static void kill_twice_later(void)
{
	start();
	ufx_ref_kill_and_confirm(&ref, NULL);
	ufx_ref_kill_and_confirm(&ref, NULL);
}

static void init_twice(void)
{
	start();
	ufx_ref_init(&ref, NULL);
}

static void exit_twice(void)
{
	start();
	ufx_ref_exit(&ref);
	ufx_ref_exit(&ref);
}

static void exit_before_confirm(void)
{
	start();
	ufx_ref_kill_and_confirm(&ref, NULL);
	ufx_ref_exit(&ref);
}

static void switch_after_exit(void)
{
	start();
	ufx_ref_exit(&ref);
	ufx_ref_switch_to_atomic(&ref);
}

static void percpu_after_exit(void)
{
	start();
	ufx_ref_exit(&ref);
	ufx_ref_switch_to_percpu(&ref);
}

static void reinit_after_exit(void)
{
	start();
	ufx_ref_exit(&ref);
	ufx_ref_reinit(&ref);
}

static void resurrect_after_exit(void)
{
	start();
	ufx_ref_exit(&ref);
	ufx_ref_resurrect(&ref);
}

static void get_after_exit(void)
{
	start();
	ufx_ref_exit(&ref);
	ufx_ref_get(&ref);
}

static void call_without_function(void)
{
	static struct ufx_call call;

	ufx_grace_call(&call, NULL);
}

/* What is right is not told. */
static void right(void)
{
	start();
	ufx_ref_get(&ref);
	is_int(ufx_ref_kill(&ref), 0, "kill");
	is_int(ufx_ref_resurrect(&ref), 0, "resurrect");
	ufx_ref_put(&ref);
	is_int(ufx_ref_kill(&ref), 0, "kill once more");
	is_int(ufx_ref_reinit(&ref), 0, "reinit");
	ufx_ref_kill(&ref);
	ufx_ref_exit(&ref);
	start();
	ufx_ref_exit(&ref);
	ok(!ufx_ref_tryget(&ref) && !ufx_ref_tryget_live(&ref),
	   "tryget after the exit gets nothing");
}

int main(void)
{
	const char *put = "no more is put than was got",
		   *zero = "nothing is got or put at zero",
		   *over = "a ref is not used after its exit",
		   *getter = "ufx_ref_get", *putter = "ufx_ref_put or ufx_slot_put";

	broken_rule(put_too_many, putter, put);
	broken_rule(put_too_many_percpu, "ufx_counters_fold", put);
	broken_rule(put_at_zero, putter, zero);
	broken_rule(get_at_zero, getter, zero);
	broken_rule(get_after_exit, getter, zero);
	broken_rule(kill_twice, "ufx_ref_kill", "a ref is killed once");
	broken_rule(kill_twice_later, "ufx_ref_kill_and_confirm", "a ref is killed once");
	broken_rule(init_twice, "ufx_ref_init_flags",
	       "a ref is initialised once, until its exit");
	broken_rule(exit_twice, "ufx_ref_exit", "a ref exits once");
	broken_rule(exit_before_confirm, "ufx_ref_exit",
	       "a ref that is to confirm does not exit");
	broken_rule(switch_after_exit, "ufx_ref_switch_to_atomic", over);
	broken_rule(percpu_after_exit, "ufx_ref_switch_to_percpu", over);
	broken_rule(reinit_after_exit, "ufx_ref_reinit", over);
	broken_rule(resurrect_after_exit, "ufx_ref_resurrect", over);
	broken_rule(call_without_function, "ufx_grace_call_bytes",
	       "a deferred call needs a function");
	right();
	return tap_end();
}
