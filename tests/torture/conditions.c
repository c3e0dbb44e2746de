// SPDX-License-Identifier: MIT
/*
 * A bounded buffer in each space: a mutex of three values, two condition
 * variables that are sequence numbers, signals that wake one, and broadcasts
 * that wake one and requeue all others to the mutex.
 *
 * A condition's word may change over a waiter that waits rightly: the signal
 * was for another. So the watchdog gets a word of its own (struct condition):
 * an item or a room that nobody takes, or a broadcast, makes a wait wrong.
 */
#include "torture.h"

#define ROOM 3

static void lock_again(struct worker *w, struct space *s)
{
	while (__atomic_exchange_n(&s->mutex, 2, __ATOMIC_SEQ_CST))
		wait_on(w, s, &s->mutex, 2, UINT32_MAX,
			(enum wait_kind)rnd(w, WAIT_KINDS));
}

static void lock(struct worker *w, struct space *s)
{
	uint32_t none = 0;

	if (!__atomic_compare_exchange_n(&s->mutex, &none, 1, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		lock_again(w, s);
}

static void unlock(struct space *s)
{
	uint32_t old = __atomic_exchange_n(&s->mutex, 0, __ATOMIC_SEQ_CST);

	if (old == 0)
		finding("a mutex is unlocked twice (space %s)", s->name);
	if (old == 2)
		wake_up(s, &s->mutex, 1, UINT32_MAX);
}

/* Whoever has waited may have been requeued with others behind it. */
static void wait_for(struct worker *w, struct space *s, struct condition *c)
{
	uint32_t seen = __atomic_load_n(&c->word, __ATOMIC_SEQ_CST);
	struct watch watch = { &c->watched, c->watched, UINT32_MAX };

	unlock(s);
	wait_watched(w, s, &c->word, seen, UINT32_MAX,
		     (enum wait_kind)rnd(w, WAIT_KINDS), watch);
	lock_again(w, s);
}

/* Called with the mutex held, so the sequence number is ours to change. */
static void broadcast(struct space *s, struct condition *c)
{
	uint32_t value = __atomic_add_fetch(&c->word, 1, __ATOMIC_SEQ_CST);
	long ret;

	__atomic_add_fetch(&c->watched, 2, __ATOMIC_SEQ_CST);
	ret = space_futex(s, &c->word, UFX_FUTEX_CMP_REQUEUE, 1,
			  (const struct timespec *)INT32_MAX, &s->mutex, value);

	if (ret < 0)
		finding("CMP_REQUEUE returns %ld", ret);
	count(COUNT_requeues, 1);
	count(COUNT_broadcasts, 1);
	if (ret > 1)
		count(COUNT_threads_requeued, (uint64_t)ret - 1);
}

static void tell(struct worker *w, struct space *s, struct condition *c)
{
	if (rnd(w, 2)) {
		broadcast(s, c);
		return;
	}
	__atomic_add_fetch(&c->word, 1, __ATOMIC_SEQ_CST);
	wake_up(s, &c->word, 1, UINT32_MAX);
}

/* Called with the mutex held, as whoever waits reads it. */
static void watch_bit(struct condition *c, bool holds)
{
	__atomic_store_n(&c->watched, (c->watched & ~1u) | holds, __ATOMIC_SEQ_CST);
}

static void set_items(struct space *s, uint32_t items)
{
	s->items = items;
	watch_bit(&s->not_empty, items > 0);
	watch_bit(&s->not_full, items < ROOM);
}

static void produce(struct worker *w, struct space *s)
{
	lock(w, s);
	while (s->items == ROOM && !stopped())
		wait_for(w, s, &s->not_full);
	if (s->items < ROOM) {
		set_items(s, s->items + 1);
		count(COUNT_produced, 1);
		tell(w, s, &s->not_empty);
	}
	unlock(s);
}

static void consume(struct worker *w, struct space *s)
{
	lock(w, s);
	while (s->items == 0 && !stopped())
		wait_for(w, s, &s->not_empty);
	if (s->items) {
		set_items(s, s->items - 1);
		count(COUNT_consumed, 1);
		tell(w, s, &s->not_full);
	}
	unlock(s);
}

static void step(struct worker *w)
{
	/* Neighbours share a buffer, one at each end. */
	struct space *s = &spaces[w->number / 2 % SPACES];

	(w->number & 1 ? produce : consume)(w, s);
}

static void stop(void)
{
	int i;

	for (i = 0; i < SPACES; i++) {
		struct space *s = &spaces[i];

		__atomic_add_fetch(&s->not_empty.word, 1, __ATOMIC_SEQ_CST);
		wake_up(s, &s->not_empty.word, WORKERS, UINT32_MAX);
		__atomic_add_fetch(&s->not_full.word, 1, __ATOMIC_SEQ_CST);
		wake_up(s, &s->not_full.word, WORKERS, UINT32_MAX);
	}
}

static void check(void)
{
	uint64_t left = 0;
	int i;

	for (i = 0; i < SPACES; i++) {
		left += spaces[i].items;
		if (spaces[i].mutex)
			finding("the mutex of space %s is still locked", spaces[i].name);
	}
	if (total(COUNT_produced) != total(COUNT_consumed) + left)
		finding("%ju produced, %ju consumed, %ju left",
			(uintmax_t)total(COUNT_produced),
			(uintmax_t)total(COUNT_consumed), (uintmax_t)left);
}

const struct activity conditions = { "conditions", 10, NULL, step, stop, check };
