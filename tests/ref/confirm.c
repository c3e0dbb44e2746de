// SPDX-License-Identifier: MIT
/*
 * Verbs that do not wait: when they confirm, who is alive until then, what
 * comes in between; and the verbs' errors.
 */
#include <ufutex/ref.h>

#include "grace/period.h"

#include "hammer.h"

static struct ufx_ref ref;
static int confirmed, released, released_early, wrong;

static void count_release(struct ufx_ref *r)
{
	(void)r;
	released_early += !confirmed;
	released++;
}

static void count_confirm(struct ufx_ref *r)
{
	wrong += ufx_ref_is_zero(r) || !ufx_ref_is_atomic(r) || released;
	confirmed++;
}

static void start(void)
{
	confirmed = released = released_early = wrong = 0;
	is_int(ufx_ref_init(&ref, count_release), 0, "init");
}

static void kill_confirms(void)
{
	start();
	ufx_ref_get_many(&ref, 2);
	is_int(ufx_ref_kill_and_confirm(&ref, count_confirm), 0, "kill and confirm");
	is_int(confirmed, 0, "it does not wait");
	ok(ufx_ref_is_dying(&ref) && ufx_ref_is_atomic(&ref), "it is dying");
	ok(!ufx_ref_tryget_live(&ref), "and not to be got live");
	is_int(ufx_ref_kill_and_confirm(&ref, count_confirm), -EALREADY, "again");
	is_int(ufx_ref_kill(&ref), -EALREADY, "or waiting");
	ufx_ref_put_many(&ref, 2);
	is_int(released, 0, "the initial reference is there until it confirms");
	is_int(ufx_grace_barrier(), 0, "a barrier");
	is_int(confirmed, 1, "has it confirm, once");
	is_int(released, 1, "then the last reference goes");
	is_int(released_early + wrong, 0, "in that order");
	ufx_ref_exit(&ref);
	start();
	is_int(ufx_ref_kill_and_confirm(&ref, NULL), 0, "kill without a function");
	ufx_grace_barrier();
	is_int(released, 1, "is a kill");
	ufx_ref_exit(&ref);
}

static void switch_confirms(void)
{
	start();
	ufx_ref_get_many(&ref, 4);
	is_int(ufx_ref_switch_to_atomic_and_confirm(&ref, count_confirm), 0, "switch");
	is_int(confirmed, 0, "it does not wait");
	ok(ufx_ref_is_atomic(&ref), "but is atomic");
	is_int(ufx_ref_switch_to_atomic_and_confirm(&ref, count_confirm), -EBUSY,
	       "one at a time");
	is_int(ufx_ref_kill_and_confirm(&ref, count_confirm), -EBUSY, "of either kind");
	is_int(ufx_grace_barrier(), 0, "a barrier");
	is_int(confirmed, 1, "has it confirm");
	is_int(wrong, 0, "while it is alive");
	is_int(ref.counters.count, 5, "the word tells the truth, its own one put");
	is_int(ufx_ref_switch_to_atomic_and_confirm(&ref, count_confirm), 0, "again");
	is_int(ufx_ref_kill(&ref), 0, "a kill does not wait for it");
	ufx_ref_put_many(&ref, 4);
	is_int(released, 0, "it holds a reference");
	ufx_grace_barrier();
	is_int(confirmed, 2, "until it has confirmed");
	is_int(released, 1, "then the last one goes");
	ufx_ref_exit(&ref);
}

/* Back to per-CPU, and atomic once more, before it confirms. */
static void between(void)
{
	start();
	ufx_ref_get_many(&ref, 2);
	ufx_ref_switch_to_atomic_and_confirm(&ref, NULL);
	is_int(ufx_ref_switch_to_percpu(&ref), 0, "back before it confirms");
	ufx_ref_get_inline(&ref);
	ufx_grace_barrier();
	ok(!ufx_ref_is_atomic(&ref), "it stays per-CPU");
	ufx_ref_switch_to_atomic_and_confirm(&ref, NULL);
	ufx_ref_switch_to_percpu(&ref);
	ufx_ref_get_inline(&ref);
	is_int(ufx_ref_switch_to_atomic(&ref), 0, "back and to atomic again");
	ufx_grace_barrier();
	is_int(ref.counters.count, 5, "nothing is lost or folded twice");
	is_int(ufx_ref_kill_and_confirm(&ref, count_confirm), 0, "kill");
	is_int(ufx_ref_resurrect(&ref), 0, "resurrected before it confirms");
	ok(ufx_ref_tryget_live(&ref), "it may be got");
	ufx_ref_put(&ref);
	ufx_grace_barrier();
	ok(!ufx_ref_is_dying(&ref) && !released, "it is alive");
	ufx_ref_switch_to_atomic(&ref);
	is_int(ref.counters.count, 5, "the initial reference was taken and given once");
	ufx_ref_kill(&ref);
	ufx_ref_put_many(&ref, 4);
	is_int(released, 1, "released");
	ufx_ref_exit(&ref);
}

/* Thousands share a period. */
#define MANY 2000

static void many(void)
{
	static struct ufx_ref refs[MANY];
	uint64_t before;
	int i, failed = 0;

	confirmed = released = released_early = wrong = 0;
	ufx_grace_limit(0, 0);
	for (i = 0; i < MANY; i++)
		failed += ufx_ref_init(&refs[i], NULL) != 0;
	ufx_grace_barrier();
	before = ufx_periods_made();
	for (i = 0; i < MANY; i++)
		failed += ufx_ref_kill_and_confirm(&refs[i], count_confirm) != 0;
	is_int((long long)ufx_grace_pending(NULL), MANY, "%d kills wait", MANY);
	ufx_grace_barrier();
	is_int((long long)(ufx_periods_made() - before), 1, "one period does for all");
	is_int(confirmed, MANY, "all confirm");
	for (i = 0; i < MANY; i++) {
		failed += !ufx_ref_is_zero(&refs[i]);
		ufx_ref_exit(&refs[i]);
	}
	is_int(failed, 0, "all are at zero");
	ufx_grace_limit(64, 1 << 20);
}

static void start_flags(void)
{
	uint64_t before;

	released = 0;
	confirmed = 1;
	is_int(ufx_ref_init_flags(&ref, count_release, UFX_REF_ATOMIC), 0, "atomic");
	ok(ufx_ref_is_atomic(&ref) && !ufx_ref_is_dying(&ref), "it starts so");
	ufx_ref_get_inline(&ref);
	is_int(ref.counters.count, 2, "on one word");
	before = ufx_periods_made();
	is_int(ufx_ref_kill(&ref), 0, "kill");
	is_int((long long)(ufx_periods_made() - before), 0, "needs no period");
	ufx_ref_put_inline(&ref);
	is_int(released, 1, "released");
	ufx_ref_exit(&ref);
	ufx_ref_init_flags(&ref, count_release, UFX_REF_ATOMIC);
	ufx_ref_get(&ref);
	is_int(ufx_ref_switch_to_percpu(&ref), 0, "atomic, to per-CPU");
	ufx_ref_get_inline(&ref);
	ufx_ref_switch_to_atomic(&ref);
	is_int(ref.counters.count, 3, "three");
	ufx_ref_exit(&ref);
	is_int(ufx_ref_init_flags(&ref, count_release, UFX_REF_DEAD), 0, "dead");
	ok(ufx_ref_is_zero(&ref) && ufx_ref_is_dying(&ref), "it is");
	ok(!ufx_ref_tryget(&ref), "it is not got");
	is_int(ufx_ref_reinit(&ref), 0, "reinit");
	ok(ufx_ref_tryget_live(&ref) && !ufx_ref_is_atomic(&ref), "it lives");
	ufx_ref_put(&ref);
	ufx_ref_kill(&ref);
	is_int(released, 2, "and dies");
	ufx_ref_exit(&ref);
}

static void tryget_many(void)
{
	start();
	confirmed = 1;
	ok(ufx_ref_tryget_many(&ref, 5), "five at once");
	ufx_ref_switch_to_atomic(&ref);
	ok(ufx_ref_tryget_many(&ref, 7), "seven, atomic");
	is_int(ref.counters.count, 13, "are counted");
	ufx_ref_put_many(&ref, 12);
	ufx_ref_kill(&ref);
	ok(!ufx_ref_tryget_many(&ref, 3), "none at zero");
	is_int(ref.counters.count, 0, "it stays there");
	ufx_ref_exit(&ref);
}

static void bad_input(void)
{
	is_int(ufx_ref_init(NULL, NULL), -EINVAL, "init: NULL");
	is_int(ufx_ref_init_flags(&ref, NULL, 4), -EINVAL, "an unknown flag");
	start();
	is_int(ufx_ref_reinit(&ref), -EINVAL, "reinit while it is alive");
	ufx_ref_get(&ref);
	ufx_ref_kill(&ref);
	is_int(ufx_ref_reinit(&ref), -EINVAL, "reinit while one is left");
	ufx_ref_put(&ref);
	ufx_ref_exit(&ref);
	ok(!ufx_ref_tryget(&ref) && !ufx_ref_tryget_live(&ref), "after exit: tryget");
	is_int(ufx_ref_kill(&ref), -EINVAL, "kill");
	is_int(ufx_ref_kill_and_confirm(&ref, NULL), -EINVAL, "kill and confirm");
	is_int(ufx_ref_switch_to_atomic(&ref), -EINVAL, "switch to atomic");
	is_int(ufx_ref_switch_to_atomic_and_confirm(&ref, NULL), -EINVAL, "and confirm");
	is_int(ufx_ref_switch_to_percpu(&ref), -EINVAL, "switch to per-CPU");
	is_int(ufx_ref_reinit(&ref), -EINVAL, "reinit");
	is_int(ufx_ref_resurrect(&ref), -EINVAL, "resurrect");
	ufx_ref_exit(&ref); /* nothing more is given back */
}

/* ---- everything at once ---- */

static long held[3];

static void use(struct hammer *h)
{
	int i;

	for (i = 0; i < 20; i++) {
		ufx_ref_get_inline(&ref);
		held[h->number] += 1 + 3 * ufx_ref_tryget_many(&ref, 3);
		ufx_ref_put_inline(&ref);
		held[h->number]--;
	}
}

static void one_change(unsigned int n)
{
	switch (n % 5) {
	case 0:
		ufx_ref_switch_to_atomic_and_confirm(&ref, NULL);
		break;
	case 1:
		ufx_ref_switch_to_percpu(&ref);
		break;
	case 2:
		if (ufx_ref_kill_and_confirm(&ref, NULL) == 0 && n % 3)
			ufx_grace_barrier();
		ufx_ref_resurrect(&ref);
		break;
	case 3:
		ufx_ref_switch_to_atomic(&ref);
		break;
	default:
		ufx_grace_run(1, 0);
	}
}

static void storm(void)
{
	int64_t end = clock_ms() + 300;
	struct crew c = { 0 };
	unsigned int n = 12345;
	long left = 0, i;

	start();
	confirmed = 1;
	ufx_ref_get(&ref); /* keeps it from zero */
	for (i = 0; i < 3; i++)
		crew_add(&c, use, NULL);
	while (clock_ms() < end) {
		n = n * 1103515245u + 12345;
		one_change(n >> 16);
	}
	crew_stop(&c);
	ufx_grace_barrier();
	for (i = 0; i < 3; i++)
		left += held[i];
	is_int(ufx_ref_kill(&ref), 0, "killed after all kinds of changes");
	is_int(ref.counters.count, left + 1, "what the threads hold is counted");
	is_int(released, 0, "it is not released");
	ufx_ref_put_many(&ref, (unsigned long)left + 1);
	is_int(released, 1, "until the last is put");
	ufx_ref_exit(&ref);
}

static void fork_between(void)
{
	pid_t pid;

	start();
	ufx_ref_kill_and_confirm(&ref, count_confirm);
	pid = tap_fork();
	if (pid == 0) {
		is_int(ufx_grace_barrier(), 0, "a child's barrier");
		ok(!confirmed && !released, "the parent's kill does not come about");
		ok(ufx_ref_is_dying(&ref), "the child's copy is dying for good");
		_exit(0);
	}
	tap_reap(pid, "fork");
	ufx_grace_barrier();
	is_int(confirmed, 1, "the parent's does");
	ufx_ref_exit(&ref);
}

int main(void)
{
	kill_confirms();
	switch_confirms();
	between();
	many();
	start_flags();
	tryget_many();
	bad_input();
	storm();
	fork_between();
	return tap_end();
}
