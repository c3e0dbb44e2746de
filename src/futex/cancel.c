/* SPDX-License-Identifier: MIT */
/* Ending waits all over a domain: of an owner, of a range of keys, all. */
#include <errno.h>

#include <ufutex/wait.h>

#include "futex/node.h"
#include "futex/wake.h"

/* Which, how, and the chain of those that were ended. */
struct sweep {
	bool (*ends)(const struct sweep *s, const struct ufx_waiter *w);
	uint64_t first, length; /* keys */
	const void *owner;
	enum ufx_ending how;
	uint64_t answer;
	struct ufx_waiter *chain, **end;
	long count;
};

/*
 * All leave the queue, heads first, so that each FIFO comes in its order; those
 * that stay are queued again. The bucket is locked. Returns how many were ended.
 */
static uint32_t sweep_bucket(struct sweep *s, struct ufx_bucket *b)
{
	struct ufx_waiter *stays = NULL, **end = &stays, *w;
	uint32_t ended = 0;

	while ((w = b->root)) {
		ufx_queue_remove(&b->root, w);
		if (s->ends(s, w)) {
			ufx_end_waiter(w, s->how, s->answer);
			*s->end = w;
			s->end = &w->next;
			ended++;
		} else {
			*end = w;
			end = &w->next;
		}
	}
	*end = NULL;
	while ((w = stays)) {
		stays = w->next;
		ufx_queue_insert(&b->root, w);
	}
	return ended;
}

/*
 * The domain's lock keeps the table: no replacement begins, and none is under
 * way, as it is held until all buckets have been moved.
 */
static long sweep(struct ufx_domain *d, struct sweep *s)
{
	struct ufx_table *t;

	s->end = &s->chain;
	s->chain = NULL;
	s->count = 0;
	/*
	 * As in ufx_wake: who counts himself up in a bucket that we find empty sees
	 * what was stored before, for his check; or that the domain is going.
	 */
	ufx_fence();
	ufx_domain_lock(d);
	t = d->table;
	for (uint32_t i = 0; t && i <= t->mask; i++) {
		struct ufx_bucket *b = &t->buckets[i];
		uint32_t ended;

		if (!ufx_load(&b->word) || !ufx_bucket_lock(b, 0, &t->epoch))
			continue;
		ended = sweep_bucket(s, b);
		ufx_bucket_unlock(b, ended);
		s->count += ended;
	}
	*s->end = NULL;
	ufx_enter_inside(); /* as in ufx_wake */
	ufx_domain_unlock(d);
	ufx_release_all(s->chain, false);
	return s->count;
}

static bool is_owners(const struct sweep *s, const struct ufx_waiter *w)
{
	return w->node && ufx_container(w, struct ufx_node, line)->owner == s->owner;
}

static bool is_in_range(const struct sweep *s, const struct ufx_waiter *w)
{
	return w->key - s->first < s->length;
}

static bool is_any(const struct sweep *s, const struct ufx_waiter *w)
{
	(void)s;
	(void)w;
	return true;
}

long ufx_domain_interrupt_owner(struct ufx_domain *d, const void *owner, uint64_t reason)
{
	struct sweep s = { .ends = is_owners, .owner = owner, .how = UFX_INTERRUPTED,
			   .answer = reason };

	ufx_rule(d && owner, "no argument is NULL");
	if (!d || !owner)
		return -EINVAL;
	return ufx_thread_inside ? -EAGAIN : sweep(d, &s);
}

long ufx_domain_purge(struct ufx_domain *d, uint64_t first, uint64_t length)
{
	struct sweep s = { .ends = is_in_range, .first = first, .length = length,
			   .how = UFX_CANCELLED };

	ufx_rule(d != NULL, "no argument is NULL");
	ufx_rule_not_called();
	if (!d)
		return -EINVAL;
	return ufx_thread_inside ? -EAGAIN : sweep(d, &s);
}

long ufx_domain_cancel(struct ufx_domain *d)
{
	struct sweep s = { .ends = is_any, .how = UFX_CANCELLED };

	ufx_rule(d != NULL, "no argument is NULL");
	ufx_rule_not_called();
	if (!d)
		return -EINVAL;
	if (ufx_thread_inside)
		return -EAGAIN;
	ufx_domain_go(d);
	return sweep(d, &s);
}

void ufx_domain_put(struct ufx_domain *d)
{
	ufx_rule(d != NULL, "no argument is NULL");
	if (!d || !ufx_domain_drop(d))
		return;
	ufx_domain_cancel(d);
	ufx_domain_dispose_later(d);
}
