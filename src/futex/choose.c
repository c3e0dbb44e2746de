/* SPDX-License-Identifier: MIT */
/* Wakes that ask for each waiter, and the plain one, for the public. */
#include <errno.h>

#include <ufutex/wake.h>

#include "futex/node.h"
#include "futex/wake.h"

static struct ufx_seen seen_of(const struct ufx_waiter *w, uint32_t woken, bool more)
{
	struct ufx_seen seen = { .key = w->key, .mask = w->mask, .woken = woken,
				 .more = more };

	if (w->node) {
		seen.token = ufx_container(w, struct ufx_node, line)->token;
		seen.owner = ufx_container(w, struct ufx_node, line)->owner;
	}
	return seen;
}

/* What @waker says of @w; @token: what it would get. */
static enum ufx_verdict judge(const struct ufx_waker *waker, const struct ufx_waiter *w,
			      uint32_t woken, bool more, uint64_t *token)
{
	enum ufx_verdict verdict;
	struct ufx_seen seen;

	if (waker->mask && !(w->mask & waker->mask))
		return UFX_SKIP;
	if (!waker->each)
		return UFX_TAKE;
	seen = seen_of(w, woken, more);
	ufx_callback_begin();
	verdict = waker->each(&seen, token, waker->arg);
	ufx_callback_end();
	return verdict;
}

/* As ufx_take, asking. Returns how many. */
static uint32_t choose(struct ufx_place *place, uint64_t key,
		       const struct ufx_waker *waker, struct ufx_waiter **chain)
{
	struct ufx_waiter *w = ufx_queue_find(place->bucket->root, key);
	struct ufx_waiter *last = w ? w->prev : NULL;
	uint32_t woken = 0;

	while (w && woken < waker->n) {
		struct ufx_waiter *next = w == last ? NULL : w->next;
		uint64_t token = waker->token;
		enum ufx_verdict verdict = judge(waker, w, woken, next != NULL, &token);

		if (verdict == UFX_STOP)
			break;
		if (verdict == UFX_TAKE) {
			ufx_queue_remove(&place->bucket->root, w);
			ufx_end_waiter(w, UFX_WOKEN, token);
			*chain = w;
			chain = &w->next;
			woken++;
		}
		w = next;
	}
	*chain = NULL;
	return woken;
}

void ufx_say_last(struct ufx_waiter *chain, struct ufx_taken *taken,
		  void (*last)(struct ufx_taken *taken, void *arg), void *arg)
{
	uint64_t before = taken->token;

	if (!last)
		return;
	ufx_callback_begin();
	last(taken, arg);
	ufx_callback_end();
	for (; chain && taken->token != before; chain = chain->next)
		if (chain->node)
			ufx_node_of(chain)->answer = taken->token;
}

long ufx_domain_wake_by(struct ufx_domain *d, uint64_t key, const struct ufx_waker *waker)
{
	struct ufx_taken taken = { 0 };
	struct ufx_waiter *chain;
	struct ufx_place place;
	int ret;

	ufx_rule(d && waker, "no argument is NULL");
	ufx_rule_not_called();
	if (!d || !waker)
		return -EINVAL;
	ufx_fence(); /* as in ufx_wake */
	if (!waker->last && ufx_place_nobody(d, key))
		return 0;
	if (ufx_thread_inside)
		return -EAGAIN;
	ret = ufx_place_lock(d, key, 0, &place);
	if (ret)
		return ret;
	ufx_enter_inside(); /* as in ufx_wake */
	taken.woken = choose(&place, key, waker, &chain);
	taken.more = ufx_queue_find(place.bucket->root, key);
	taken.token = waker->token;
	ufx_say_last(chain, &taken, waker->last, waker->arg);
	ufx_place_unlock(&place, taken.woken);
	ufx_release_all(chain, false);
	return taken.woken;
}

long ufx_domain_wake(struct ufx_domain *d, uint64_t key, uint32_t n, uint32_t mask)
{
	ufx_rule(d && mask, "a domain; a mask that is not empty");
	ufx_rule_not_called();
	if (ufx_unlikely(!d || !mask))
		return -EINVAL;
	return n ? ufx_wake(d, key, n, mask) : 0;
}

bool ufx_domain_maybe_waiters(struct ufx_domain *d, uint64_t key)
{
	enum ufx_place_look look;
	uint64_t hash;

	if (!d)
		return false;
	hash = ufx_domain_hash(d, key);
	ufx_fence(); /* as in ufx_wake */
	look = ufx_place_look(d, hash);
	if (ufx_unlikely(look == UFX_PLACE_UNKNOWN))
		return !ufx_place_nobody(d, key);
	return look == UFX_PLACE_SOMEBODY;
}
