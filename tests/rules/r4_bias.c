// SPDX-License-Identifier: MIT
/*
 * R4: nobody observes zero before the per-CPU counts have been folded in, and
 * they are folded exactly once, after the grace period.
 *
 * A read side keeps the grace period of a kill open. The counts still lie in
 * the cells; all references are put meanwhile, on the atomic counter.
 */
#include "grace/reader.h"
#include "ref/cells.h"
#include "ref/counted.h"

#include "blocked.h"
#include "hammer.h"
#include "rule.h"

#define HELD 5

static int released;

static void count_release(struct ufx_ref *ref)
{
	(void)ref;
	__atomic_fetch_add(&released, 1, __ATOMIC_SEQ_CST);
}

static long kill_it(void *ref)
{
	return ufx_ref_kill(ref);
}

int main(void)
{
	struct ufx_read read;
	struct ufx_ref ref;
	struct blocked b;

	rule_start();
	ufx_ref_init(&ref, count_release);
	ufx_ref_get_many(&ref, HELD);
	read = ufx_read_begin();
	blocked_start(&b, kill_it, &ref, NULL);
	while (!ufx_counted_atomic(&ref.counted))
		sched_yield();
	for (int i = 0; i < HELD; i++)
		ufx_ref_put(&ref);
	ok(!__atomic_load_n(&released, __ATOMIC_SEQ_CST),
	   "all but the initial reference are put: it is not released");
	ok(!ufx_ref_is_zero(&ref), "nor is it zero");
	ok(ufx_ref_tryget(&ref), "one more may be had");
	ok(!blocked_ended(&b), "the kill waits for its grace period");
	ufx_read_end(read);
	is_int(blocked_join(&b), 0, "it ends with it");
	is_int(released, 0, "one reference is left");
	is_int(ufx_cells_sum(ref.counters.cells), 0, "the cells are folded");
	ufx_ref_put(&ref);
	is_int(released, 1, "the last put releases it");
	ok(ufx_ref_is_zero(&ref), "the count is zero");
	ufx_ref_exit(&ref);
	return tap_end();
}
