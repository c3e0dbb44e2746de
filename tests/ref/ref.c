// SPDX-License-Identifier: MIT
/* The verbs of a ref, one after the other, in one thread. */
#include <ufutex/ref.h>

#include "ref/counted.h"

#include "tap.h"

static struct ufx_ref ref;
static int released;

static void count_release(struct ufx_ref *r)
{
	if (r != &ref)
		bail("another ref is released");
	released++;
}

static void start(void)
{
	released = 0;
	is_int(ufx_ref_init(&ref, count_release), 0, "init");
}

static void get_put_kill(void)
{
	start();
	ok(!ufx_ref_is_dying(&ref) && !ufx_ref_is_zero(&ref), "it is alive");
	ufx_ref_get(&ref);
	ufx_ref_get_many(&ref, 10);
	ok(ufx_ref_tryget(&ref) && ufx_ref_tryget_live(&ref), "tryget");
	ufx_ref_put_many(&ref, 12);
	is_int(ufx_ref_kill(&ref), 0, "kill");
	ok(ufx_ref_is_dying(&ref), "it is dying");
	ok(!ufx_ref_is_zero(&ref), "one reference is left");
	is_int(ufx_ref_kill(&ref), -EALREADY, "kill again");
	ok(!ufx_ref_tryget_live(&ref), "tryget_live does not succeed any more");
	ok(ufx_ref_tryget(&ref), "tryget does");
	ufx_ref_put(&ref);
	is_int(released, 0, "not released yet");
	ufx_ref_put(&ref);
	is_int(released, 1, "the last put releases it");
	ok(ufx_ref_is_zero(&ref), "it is zero");
	ok(!ufx_ref_tryget(&ref), "tryget does not succeed any more");
	ufx_ref_exit(&ref);
}

static void kill_of_the_last(void)
{
	start();
	is_int(ufx_ref_kill(&ref), 0, "kill, nobody else holds it");
	is_int(released, 1, "it is released at once");
	ufx_ref_exit(&ref);
}

static void reinit(void)
{
	int i;

	start();
	for (i = 1; i <= 3; i++) {
		ufx_ref_get_inline(&ref);
		ufx_ref_kill(&ref);
		ufx_ref_put_inline(&ref);
		is_int(released, i, "used, killed and released, time %d", i);
		ufx_ref_reinit(&ref);
		ok(!ufx_ref_is_dying(&ref) && !ufx_ref_is_zero(&ref),
		   "reinit: alive again");
		ok(!ufx_counted_atomic(&ref.counted), "and per-CPU");
		ok(ufx_ref_tryget_live(&ref), "it may be got");
		ufx_ref_put(&ref);
	}
	ufx_ref_kill(&ref);
	is_int(released, 4, "killed for good");
	ufx_ref_exit(&ref);
}

static void resurrect(void)
{
	int i;

	start();
	is_int(ufx_ref_resurrect(&ref), -EINVAL, "it is not dying");
	ufx_ref_get(&ref);
	for (i = 0; i < 3; i++) {
		is_int(ufx_ref_kill(&ref), 0, "kill");
		is_int(ufx_ref_resurrect(&ref), 0, "resurrect");
		ok(ufx_ref_tryget_live(&ref), "it is live again");
		ufx_ref_put(&ref);
	}
	ufx_ref_put(&ref);
	is_int(released, 0, "the initial reference is back");
	ufx_ref_kill(&ref);
	is_int(released, 1, "killed for good");
	is_int(ufx_ref_resurrect(&ref), -EINVAL, "too late for resurrection");
	ufx_ref_exit(&ref);
}

static void switches(void)
{
	int i;

	start();
	ufx_ref_get_many(&ref, 3);
	for (i = 0; i < 4; i++) {
		is_int(ufx_ref_switch_to_atomic(&ref), 0, "to atomic");
		is_int(ufx_ref_switch_to_atomic(&ref), 0, "again");
		is_int(ref.counters.count, 4, "the count tells the truth");
		ufx_ref_get(&ref);
		ufx_ref_put_inline(&ref);
		is_int(ufx_ref_switch_to_percpu(&ref), 0, "to per-CPU");
		is_int(ufx_ref_switch_to_percpu(&ref), 0, "again");
		ufx_ref_get_inline(&ref);
		ufx_ref_put(&ref);
	}
	ufx_ref_kill(&ref);
	is_int(ufx_ref_switch_to_percpu(&ref), -EINVAL, "not while it is dying");
	is_int(ref.counters.count, 3, "three are left");
	ufx_ref_put_many(&ref, 3);
	is_int(released, 1, "the last put releases it");
	ufx_ref_exit(&ref);
}

static void large_numbers(void)
{
	start();
	ufx_ref_get_many(&ref, 1ul << 40);
	ufx_ref_put_many(&ref, (1ul << 40) - 1);
	ufx_ref_get_many(&ref, 1ul << 31);
	ufx_ref_put_many(&ref, 1ul << 31);
	ufx_ref_kill(&ref);
	is_int(ref.counters.count, 1, "one of 2^40 is left");
	ufx_ref_put(&ref);
	is_int(released, 1, "it is released");
	ufx_ref_exit(&ref);
}

static void ignore(struct ufx_ref *r)
{
	(void)r;
}

/* Counts are kept in pieces of memory for 512 of them. */
static void many_refs(void)
{
	static struct ufx_ref refs[1500];
	int i, round, wrong = 0;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 1500; i++) {
			wrong += ufx_ref_init(&refs[i], ignore) != 0;
			ufx_ref_get_many(&refs[i], (unsigned long)i);
		}
		for (i = 0; i < 1500; i++) {
			ufx_ref_kill(&refs[i]);
			wrong += refs[i].counters.count != i && i;
		}
		for (i = 0; i < 1500; i++)
			ufx_ref_exit(&refs[i]);
	}
	is_int(wrong, 0, "1,500 refs at once, three times: no count is another's");
}

int main(void)
{
	get_put_kill();
	kill_of_the_last();
	reinit();
	resurrect();
	switches();
	large_numbers();
	many_refs();
	return tap_end();
}
