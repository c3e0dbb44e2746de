/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "futex/node.h"
#include "futex/wake.h"
#include "host/guard.h"

static int differs(const uint32_t *word, uint32_t expected)
{
	uint32_t value;

	if (ufx_guarded_load(word, &value))
		return -EFAULT;
	return value == expected ? 0 : -EAGAIN;
}

/* Moves up to @n waiters of the first key behind those of the second. */
static uint32_t move(struct ufx_place places[2], uint64_t from, uint64_t to,
		     uint32_t n)
{
	uint32_t moved = 0;
	struct ufx_waiter *w;

	while (moved < n && (w = ufx_queue_find(places[0].bucket->root, from))) {
		ufx_queue_remove(&places[0].bucket->root, w);
		/* Its owner finds its bucket by this, and looks again locked. */
		ufx_store(&w->key, to);
		w->here = UFX_FAULT(RING_REQUEUED) && w->here; /* its thread watches the first */
		ufx_queue_insert(&places[1].bucket->root, w);
		moved++;
	}
	return moved;
}

/* From a word to itself nobody moves, but they count. */
static uint32_t count_staying(struct ufx_place *place, uint64_t key, uint32_t n)
{
	struct ufx_waiter *head = ufx_queue_find(place->bucket->root, key);
	struct ufx_waiter *w = head;
	uint32_t count = 0;

	while (w && count < n) {
		count++;
		w = w->next == head ? NULL : w->next;
	}
	return count;
}

uint32_t ufx_move(struct ufx_place places[2], uint64_t from, uint64_t to, uint32_t n)
{
	return from == to ? count_staying(&places[0], from, n) : move(places, from, to, n);
}

void ufx_moved_unlock(struct ufx_place places[2], uint64_t from, uint64_t to,
		      uint32_t taken, uint32_t moved)
{
	if (from == to)
		moved = 0;
	ufx_place_unlock_two(places, (uint32_t[2]){ taken + moved }, (uint32_t[2]){ 0, moved });
}

long ufx_requeue(struct ufx_domain *d, uint32_t *word1, uint32_t *word2,
		 uint32_t wake, uint32_t requeue, bool compare, uint32_t expected)
{
	uint64_t key1 = (uintptr_t)word1, key2 = (uintptr_t)word2;
	struct ufx_place places[2];
	struct ufx_waiter *chain;
	uint32_t taken, moved;
	int ret;

	if (ufx_thread_inside && !UFX_FAULT(REQUEUE_INSIDE))
		return -EAGAIN;
	/* Touched once before the lock, so that no page fault waits under it. */
	ret = compare ? differs(word1, expected) : 0;
	if (ret)
		return ret;
	ufx_fence(); /* as in ufx_wake */
	if (ufx_place_nobody(d, key1))
		return 0;
	if (ufx_place_lock_two(d, key1, key2, places))
		return 0; /* no table, so no waiters */
	ret = compare ? differs(word1, expected) : 0;
	if (ret) {
		ufx_place_unlock_two(places, (uint32_t[2]){ 0 }, (uint32_t[2]){ 0 });
		return ret;
	}
	ufx_enter_inside(); /* as in ufx_wake */
	ufx_take(&places[0], key1, wake, UINT32_MAX, &chain, &taken);
	moved = ufx_move(places, key1, key2, requeue);
	ufx_moved_unlock(places, key1, key2, taken, moved);
	ufx_release_all(chain, false);
	return taken + moved;
}

/* ---- for the public: any keys, words of any size ---- */

/* Under both locks: may it? */
static int compare_and_check(struct ufx_mover *m)
{
	struct ufx_compared compared = { m->word, m->expected, m->size };
	int ret = ufx_compare(&compared);

	ufx_callback_begin();
	if (!ret && m->check)
		ret = m->check(m);
	ufx_callback_end();
	return ret;
}

static long requeue_checked(struct ufx_domain *d, uint64_t from, uint64_t to,
		    struct ufx_mover *m)
{
	struct ufx_taken taken = { 0 };
	struct ufx_place places[2];
	struct ufx_waiter *chain;
	int ret = ufx_place_lock_two(d, from, to, places);

	if (ret)
		return ret;
	ret = compare_and_check(m);
	if (ret) {
		ufx_place_unlock_two(places, (uint32_t[2]){ 0 }, (uint32_t[2]){ 0 });
		return ret;
	}
	ufx_enter_inside(); /* as in ufx_wake */
	ufx_take(&places[0], from, m->wake, UINT32_MAX, &chain, &taken.woken);
	for (struct ufx_waiter *w = chain; w && m->token; w = w->next)
		if (w->node)
			ufx_node_of(w)->answer = m->token;
	taken.moved = ufx_move(places, from, to, m->move);
	taken.more = ufx_queue_find(places[0].bucket->root, from);
	taken.token = m->token;
	ufx_say_last(chain, &taken, m->last, m->arg);
	ufx_moved_unlock(places, from, to, taken.woken, taken.moved);
	ufx_release_all(chain, false);
	return (long)taken.woken + taken.moved;
}

long ufx_domain_requeue(struct ufx_domain *d, uint64_t from, uint64_t to,
			const struct ufx_mover *mover)
{
	struct ufx_mover m;
	struct ufx_compared compared;
	int ret;

	ufx_rule(d && mover, "no argument is NULL");
	ufx_rule_not_called();
	if (!d || !mover)
		return -EINVAL;
	m = *mover;
	compared = (struct ufx_compared){ m.word, m.expected, m.size };
	ret = ufx_compared_check(&compared);
	ufx_rule(!ret, "a word is aligned, of 1, 2, 4 or 8 bytes, its value fits");
	if (!ret && ufx_thread_inside)
		return -EAGAIN;
	if (!ret)
		ret = ufx_compare(&compared); /* so that no fault waits under the locks */
	if (ret)
		return ret;
	ufx_fence(); /* as in ufx_wake */
	if (!m.check && !m.last && ufx_place_nobody(d, from))
		return 0;
	return requeue_checked(d, from, to, &m);
}
