/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "futex/wait.h"
#include "host/guard.h"
#include "table/place.h"

static uint64_t key_of(const uint32_t *word)
{
	return (uintptr_t)word;
}

/*
 * Locks the word's bucket with one waiter more in its count, and looks. Count
 * up (in the lock), full fence, load. Partner: a waker stores, fence, looks at
 * the count (ufx_place_nobody). Without: it sees no count, we see no store.
 */
static int lock_and_look(struct ufx_domain *d, uint32_t *word, uint32_t expected,
			 struct ufx_place *place)
{
	uint32_t value = 0;
	int ret = UFX_FAULT(COUNT_AFTER_LOAD) ? ufx_guarded_load(word, &value) : 0;

	ufx_delay();
	if (!ret)
		ret = ufx_place_lock(d, key_of(word), 1, place);
	if (ret)
		return ret;
	ufx_fence_after_rmw();
	if (!UFX_FAULT(COUNT_AFTER_LOAD))
		ret = ufx_guarded_load(word, &value);
	if (!ret && value != expected)
		ret = -EAGAIN;
	if (!ret && ufx_unlikely(ufx_domain_is_going(d)))
		ret = -ECANCELED;
	if (ret)
		ufx_place_unlock(place, 1);
	return ret;
}

int ufx_wait_prepare(struct ufx_domain *d, struct ufx_waiter *w, uint32_t *word,
		     uint32_t expected)
{
	struct ufx_place place;
	int ret = lock_and_look(d, word, expected, &place);

	if (ret)
		return ret;
	ufx_store(&w->key, key_of(word));
	w->epoch = place.table->epoch.own; /* not d's: a handler may just have forked */
	ufx_store(&w->state, UFX_WAITER_QUEUED);
	ufx_queue_insert(&place.bucket->root, w);
	ufx_place_unlock(&place, 0);
	return 0;
}

long ufx_wait_probe(struct ufx_domain *d, uint32_t *word, uint32_t expected)
{
	struct ufx_place place;
	int ret = lock_and_look(d, word, expected, &place);

	if (!ret)
		ufx_place_unlock(&place, 1);
	return ret;
}

bool ufx_wait_forked(const struct ufx_domain *d, const struct ufx_waiter *w)
{
	return w->epoch != ufx_load(&d->epoch) && !UFX_FAULT(FORK_UNSEEN);
}

bool ufx_wait_leave(struct ufx_domain *d, struct ufx_waiter *w, uint64_t key)
{
	struct ufx_place place;
	bool left;

	if (ufx_place_lock(d, key, 0, &place)) /* in a fork child: no table */
		return false;
	/* A requeue may have changed the key until we held the lock. */
	left = ufx_load(&w->state) == UFX_WAITER_QUEUED &&
	       (ufx_load(&w->key) == key || UFX_FAULT(LEAVE_UNCHECKED)) &&
	       !ufx_wait_forked(d, w);
	if (left) {
		ufx_queue_remove(&place.bucket->root, w);
		ufx_store(&w->state, UFX_WAITER_IDLE);
	}
	ufx_place_unlock(&place, left);
	return left;
}

/* A waker has taken @w: the wake is ours; sleep until its last touch. */
static void wait_for_touch(struct ufx_domain *d, struct ufx_waiter *w)
{
	while (ufx_load_acquire(&w->state) == UFX_WAITER_TAKEN && !ufx_wait_forked(d, w)) {
		ufx_xchg(w->park, UFX_PARK_ASLEEP); /* as in sleep_once (futex/block.c) */
		if (ufx_load_acquire(&w->state) == UFX_WAITER_TAKEN && !ufx_wait_forked(d, w))
			ufx_park_alone(w->park, NULL);
		ufx_xchg(w->park, UFX_PARK_AWAKE);
	}
}

bool ufx_wait_finish(struct ufx_domain *d, struct ufx_waiter *w)
{
	for (;;) {
		switch (ufx_load_acquire(&w->state)) {
		case UFX_WAITER_WOKEN:
			ufx_store(&w->state, UFX_WAITER_IDLE);
			return !UFX_FAULT(FORGET_WAKE);
		case UFX_WAITER_TAKEN:
			wait_for_touch(d, w);
			if (ufx_wait_forked(d, w)) /* its waker stayed in the parent */
				return true;
			break;
		case UFX_WAITER_QUEUED:
			if (ufx_wait_forked(d, w) || ufx_wait_leave(d, w, ufx_load(&w->key)))
				return false;
			break;
		default: /* it left by itself */
			return false;
		}
	}
}
