// SPDX-License-Identifier: MIT
/*
 * Reference counts that are killed, revived and switched under their users.
 * Who has a reference finds the payload alive; who is told zero, one thread
 * alone, buries it; nobody gets one once the kill has returned.
 */
#include "torture.h"

#include <ufutex/ref.h>

#define REFS 4
#define ALIVE 0x600d600d600d600dull
#define DEAD 0xdeaddeaddeaddeadull

static struct counted {
	struct ufx_ref ref; /* first */
	uint64_t payload;
	int owned;    /* one killer at a time */
	uint64_t era; /* odd: killed, and not yet revived */
	int zeroes;
	int confirmed;
} all[REFS];

static void zero(struct ufx_ref *ref)
{
	struct counted *c = (struct counted *)ref;

	if (__atomic_exchange_n(&c->payload, DEAD, __ATOMIC_SEQ_CST) != ALIVE)
		finding("a count comes to zero twice");
	__atomic_fetch_add(&c->zeroes, 1, __ATOMIC_SEQ_CST);
}

static void start(void)
{
	int i, ret;

	for (i = 0; i < REFS; i++) {
		ret = ufx_ref_init(&all[i].ref, zero);
		if (ret)
			finding("ufx_ref_init returns %d", ret);
		all[i].payload = ALIVE;
	}
}

static void use(struct worker *w, struct counted *c)
{
	uint64_t era = __atomic_load_n(&c->era, __ATOMIC_SEQ_CST);
	bool live = rnd(w, 2);

	if (!(live ? ufx_ref_tryget_live : ufx_ref_tryget)(&c->ref)) {
		count(COUNT_refs_refused, 1);
		return;
	}
	if (live && (era & 1) && __atomic_load_n(&c->era, __ATOMIC_SEQ_CST) == era)
		finding("tryget_live gets a count whose kill has returned");
	if (rnd(w, 2))
		ufx_ref_get_inline(&c->ref);
	else
		ufx_ref_get(&c->ref);
	if (rnd(w, 16) == 0)
		sched_yield();
	ufx_ref_put_inline(&c->ref);
	if (__atomic_load_n(&c->payload, __ATOMIC_SEQ_CST) != ALIVE)
		finding("a referenced count's payload is dead");
	ufx_ref_put(&c->ref);
	count(COUNT_refs_used, 1);
}

/* Waits until all users have gone; they hold one for a moment only. */
static void wait_for_zero(struct counted *c)
{
	while (__atomic_load_n(&c->zeroes, __ATOMIC_SEQ_CST) == 0)
		sched_yield();
	if (c->zeroes != 1 || !ufx_ref_is_zero(&c->ref))
		finding("after zero: release ran %d times, is_zero says %d", c->zeroes,
			ufx_ref_is_zero(&c->ref));
	c->zeroes = 0;
}

static void revive(struct worker *w, struct counted *c)
{
	int ret = rnd(w, 3) ? -EINVAL : ufx_ref_resurrect(&c->ref);

	if (ret) {
		wait_for_zero(c);
		__atomic_store_n(&c->payload, ALIVE, __ATOMIC_SEQ_CST);
		__atomic_fetch_add(&c->era, 1, __ATOMIC_SEQ_CST);
		ufx_ref_reinit(&c->ref);
	} else {
		__atomic_fetch_add(&c->era, 1, __ATOMIC_SEQ_CST);
	}
}

static void confirm(struct ufx_ref *ref)
{
	struct counted *c = (struct counted *)ref;

	if (ufx_ref_is_zero(ref) || c->zeroes)
		finding("a count comes to zero before it has confirmed");
	__atomic_fetch_add(&c->confirmed, 1, __ATOMIC_SEQ_CST);
}

static int kill_later(struct counted *c)
{
	int ret = ufx_ref_kill_and_confirm(&c->ref, confirm);

	if (!ret)
		ret = ufx_grace_barrier();
	if (!ret && __atomic_exchange_n(&c->confirmed, 0, __ATOMIC_SEQ_CST) != 1)
		finding("a kill has not confirmed once after a barrier");
	return ret;
}

/* Back at once, perhaps before the deferred call that ends it. */
static int switch_later(struct counted *c)
{
	int ret = ufx_ref_switch_to_atomic_and_confirm(&c->ref, NULL);

	if (!ret)
		ret = ufx_ref_switch_to_percpu(&c->ref);
	return ret ? ret : ufx_grace_barrier();
}

static void kill_and_revive(struct worker *w, struct counted *c)
{
	int ret = rnd(w, 2) ? ufx_ref_kill(&c->ref) : kill_later(c);

	if (ret)
		finding("ufx_ref_kill returns %d", ret);
	__atomic_fetch_add(&c->era, 1, __ATOMIC_SEQ_CST);
	if (!ufx_ref_is_dying(&c->ref) || ufx_ref_kill(&c->ref) != -EALREADY)
		finding("a killed count is not dying");
	count(COUNT_refs_killed, 1);
	if (rnd(w, 2))
		sched_yield();
	revive(w, c);
}

static void change(struct worker *w, struct counted *c)
{
	int ret;

	if (__atomic_exchange_n(&c->owned, 1, __ATOMIC_ACQUIRE))
		return;
	if (rnd(w, 2)) {
		kill_and_revive(w, c);
	} else {
		ret = rnd(w, 2) ? switch_later(c) : ufx_ref_switch_to_atomic(&c->ref);
		if (rnd(w, 2))
			sched_yield();
		if (!ret)
			ret = ufx_ref_switch_to_percpu(&c->ref);
		if (ret)
			finding("switching a count returns %d", ret);
		count(COUNT_refs_switched, 1);
	}
	__atomic_store_n(&c->owned, 0, __ATOMIC_RELEASE);
}

static void step(struct worker *w)
{
	(rnd(w, 50) ? use : change)(w, &all[rnd(w, REFS)]);
}

static void check(void)
{
	int i;

	for (i = 0; i < REFS; i++) {
		ufx_ref_kill(&all[i].ref);
		if (all[i].zeroes != 1)
			finding("a count that nobody holds does not come to zero");
		ufx_ref_exit(&all[i].ref);
	}
}

const struct activity refs = { "refs", 3, start, step, NULL, check };
