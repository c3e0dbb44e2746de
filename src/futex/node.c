/* SPDX-License-Identifier: MIT */
/* The two phases of a node, and ending it from outside. */
#include <errno.h>

#include "futex/node.h"
#include "futex/wait.h"
#include "futex/wake.h"
#include "host/lock.h"

#define PREPARED 0x9d1e5a7e

static uint32_t *thread_park(void)
{
	struct ufx_thread *t = ufx_thread_self();

	return t ? &t->park : NULL;
}

/* Zeroed, or finished: then only what the last wait left is to go. */
static int fill(struct ufx_node *n, const struct ufx_condition *c,
		const struct ufx_parker *parker, void *handle)
{
	struct ufx_waiter *w = &n->line;

	w->mask = c->mask ? c->mask : UINT32_MAX;
	w->priority = c->priority > UINT8_MAX ? UINT8_MAX : (uint8_t)c->priority;
	w->node = 1;
	w->guest = parker != NULL;
	w->here = 0;
	w->ending = UFX_WOKEN;
	w->park = parker ? NULL : thread_park();
	n->parker = parker;
	n->handle = handle;
	n->owner = c->owner;
	n->token = c->token;
	n->answer = 0;
	return parker || w->park ? 0 : -ENOMEM;
}

static bool checks(const struct ufx_condition *c)
{
	bool yes;

	ufx_callback_begin();
	yes = c->check(c->arg);
	ufx_callback_end();
	return yes;
}

/*
 * Locks the key's bucket with one waiter more in its count, and looks: as
 * lock_and_look (wait.c), which has the partner.
 */
static int lock_and_check(struct ufx_domain *d, const struct ufx_condition *c,
			  struct ufx_place *place)
{
	struct ufx_compared compared = { c->word, c->expected, c->size };
	int ret = ufx_compare(&compared); /* so that no fault waits under the lock */

	if (!ret)
		ret = ufx_place_lock(d, c->key, 1, place);
	if (ret)
		return ret;
	ufx_fence_after_rmw();
	ret = ufx_compare(&compared);
	if (!ret && c->check && !checks(c))
		ret = -EAGAIN;
	if (!ret && ufx_domain_is_going(d))
		ret = -ECANCELED;
	if (ret)
		ufx_place_unlock(place, 1);
	return ret;
}

/* How many slots there should be, as far as @place and the depth of a key tell. */
static uint32_t wanted_slots(const struct ufx_place *place, unsigned int depth)
{
	uint32_t slots = ufx_table_slots(place->table);

	if (ufx_unlikely(depth > UFX_DOMAIN_DEEP))
		return 4 * slots;
	if (ufx_unlikely(slots > UFX_TABLE_SLOTS_MIN) && !depth &&
	    ufx_table_is_sparse(place->table, place->bucket))
		return slots / 4;
	return slots;
}

static int queue(struct ufx_domain *d, struct ufx_node *n, const struct ufx_condition *c)
{
	struct ufx_waiter *w = &n->line;
	struct ufx_place place;
	uint32_t slots, wanted;
	int ret = lock_and_check(d, c, &place);

	if (ret)
		return ret;
	if (ufx_domain_config(d)->options.fifo)
		w->priority = 0;
	n->domain = d;
	n->prepared = PREPARED;
	ufx_store(&w->key, c->key);
	w->epoch = place.table->epoch.own;
	ufx_store(&w->state, UFX_WAITER_QUEUED);
	wanted = wanted_slots(&place, ufx_queue_insert(&place.bucket->root, w));
	slots = ufx_table_slots(place.table);
	ufx_place_unlock(&place, 0);
	if (ufx_unlikely(wanted != slots))
		ufx_domain_resize(d, slots, wanted);
	return 0;
}

int ufx_node_prepare(struct ufx_domain *d, struct ufx_node *n,
		     const struct ufx_condition *c, const struct ufx_parker *parker,
		     void *handle)
{
	struct ufx_compared compared;
	int ret;

	ufx_rule(d && n && c, "no argument is NULL");
	if (!d || !n || !c || (parker && !parker->unpark))
		return -EINVAL;
	compared = (struct ufx_compared){ c->word, c->expected, c->size };
	ret = ufx_compared_check(&compared);
	ufx_rule(!ret, "a word is aligned, of 1, 2, 4 or 8 bytes, its value fits");
	if (ret)
		return ret;
	ufx_rule_not_called();
	ufx_rule(ufx_domain_is_there(d), "a domain is not used once it is destroyed");
	if (!ufx_domain_is_there(d))
		return -EINVAL;
	ufx_rule(n->prepared != PREPARED, "a node is finished before it is prepared again");
	if (n->prepared == PREPARED)
		return -EBUSY;
	if (ufx_thread_inside) /* R11, or a callback that may not */
		return -EINTR;
	ret = fill(n, c, parker, handle);
	return ret ? ret : queue(d, n, c);
}

bool ufx_node_ended(const struct ufx_node *n)
{
	return ufx_wait_woken(&n->line) ||
	       (n->prepared == PREPARED && ufx_wait_forked(n->domain, &n->line));
}

/* True: it left the queue by itself. */
static bool leave(struct ufx_node *n, void (*left)(bool more, void *arg), void *arg)
{
	struct ufx_domain *d = n->domain;
	struct ufx_waiter *w = &n->line;
	uint64_t key = ufx_load(&w->key);
	struct ufx_place place;
	bool queued;

	if (ufx_place_lock(d, key, 0, &place)) /* in a fork child: no table */
		return false;
	/* A requeue may have changed the key until we held the lock. */
	queued = ufx_load(&w->state) == UFX_WAITER_QUEUED && ufx_load(&w->key) == key &&
		 !ufx_wait_forked(d, w);
	if (queued) {
		ufx_queue_remove(&place.bucket->root, w);
		ufx_store(&w->state, UFX_WAITER_IDLE);
		ufx_callback_begin();
		if (left)
			left(ufx_queue_find(place.bucket->root, key) != NULL, arg);
		ufx_callback_end();
	}
	ufx_place_unlock(&place, queued);
	return queued;
}

/* A waker has taken it: until its last touch. Its thread need not be ours. */
static void wait_for_touch(struct ufx_node *n)
{
	unsigned int round = 0;

	while (ufx_load_acquire(&n->line.state) == UFX_WAITER_TAKEN &&
	       !ufx_wait_forked(n->domain, &n->line))
		ufx_relax(&round);
}

static int finish(struct ufx_node *n, void (*left)(bool more, void *arg), void *arg)
{
	struct ufx_waiter *w = &n->line;

	for (;;) {
		if (ufx_load_acquire(&w->state) == UFX_WAITER_WOKEN)
			return w->ending;
		if (ufx_wait_forked(n->domain, w))
			return UFX_CANCELLED;
		if (ufx_load(&w->state) == UFX_WAITER_TAKEN)
			wait_for_touch(n);
		else if (leave(n, left, arg))
			return UFX_LEFT;
	}
}

int ufx_node_finish_by(struct ufx_node *n, uint64_t *answer,
		       void (*left)(bool more, void *arg), void *arg)
{
	int how;

	ufx_rule(n && n->prepared == PREPARED, "what is finished was prepared");
	if (!n || n->prepared != PREPARED)
		return -EINVAL;
	how = finish(n, left, arg);
	ufx_store(&n->line.state, UFX_WAITER_IDLE);
	n->prepared = 0;
	if (answer)
		*answer = how == UFX_WOKEN || how == UFX_INTERRUPTED ? n->answer : 0;
	return how;
}

int ufx_node_finish(struct ufx_node *n, uint64_t *answer)
{
	return ufx_node_finish_by(n, answer, NULL, NULL);
}

/* Takes it out of its queue; true: inside until it is released. */
static bool take(struct ufx_node *n, enum ufx_ending how, uint64_t answer)
{
	struct ufx_domain *d = n->domain;
	struct ufx_waiter *w = &n->line;
	struct ufx_place place;

	while (ufx_load(&w->state) == UFX_WAITER_QUEUED && !ufx_wait_forked(d, w)) {
		uint64_t key = ufx_load(&w->key);
		bool ours;

		if (ufx_place_lock(d, key, 0, &place))
			return false;
		ours = ufx_load(&w->state) == UFX_WAITER_QUEUED &&
		       ufx_load(&w->key) == key && !ufx_wait_forked(d, w);
		if (ours) {
			ufx_queue_remove(&place.bucket->root, w);
			ufx_end_waiter(w, how, answer);
			w->next = NULL;
			ufx_enter_inside();
		}
		ufx_place_unlock(&place, ours);
		if (ours)
			return true;
	}
	return false;
}

bool ufx_node_interrupt(struct ufx_node *n, uint64_t reason)
{
	ufx_rule(n != NULL, "no argument is NULL");
	if (!n || n->prepared != PREPARED || ufx_thread_inside)
		return false;
	if (!take(n, UFX_INTERRUPTED, reason))
		return false;
	ufx_release_all(&n->line, false);
	return true;
}
