/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "futex/spin.h"
#include "futex/wait.h"
#include "host/guard.h"
#include "table/place.h"

static uint64_t foreign_wakes;

uint64_t ufx_wait_foreign_wakes(void)
{
	return ufx_load(&foreign_wakes);
}

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

/*
 * Has a handler forked since @w was queued, and is this the child? Then it is
 * queued in a table of the parent's that nobody here uses.
 */
static bool forked(const struct ufx_domain *d, const struct ufx_waiter *w)
{
	return w->epoch != ufx_load(&d->epoch) && !UFX_FAULT(FORK_UNSEEN);
}

/* True if @w left the queue of @key; false if it is not there (any more). */
static bool leave(struct ufx_domain *d, struct ufx_waiter *w, uint64_t key)
{
	struct ufx_place place;
	bool left;

	if (ufx_place_lock(d, key, 0, &place)) /* in a fork child: no table */
		return false;
	/* A requeue may have changed the key until we held the lock. */
	left = ufx_load(&w->state) == UFX_WAITER_QUEUED &&
	       (ufx_load(&w->key) == key || UFX_FAULT(LEAVE_UNCHECKED)) &&
	       !forked(d, w);
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
	while (ufx_load_acquire(&w->state) == UFX_WAITER_TAKEN && !forked(d, w)) {
		ufx_xchg(w->park, UFX_PARK_ASLEEP); /* as in sleep_once */
		if (ufx_load_acquire(&w->state) == UFX_WAITER_TAKEN && !forked(d, w))
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
			if (forked(d, w)) /* its waker stayed in the parent */
				return true;
			break;
		case UFX_WAITER_QUEUED:
			if (forked(d, w) || leave(d, w, ufx_load(&w->key)))
				return false;
			break;
		default: /* it left by itself */
			return false;
		}
	}
}

/* ---- blocking ---- */

/* A blocked thread: its words (from 1) and their waiters (from 0). */
struct blocked {
	struct ufx_domain *domain;
	struct ufx_thread *thread;
	struct ufx_waiter *waiters;
	struct ufx_waitv_entry *words;
	unsigned int n;
	unsigned int watched; /* entries of words that the kernel watches too */
	const struct ufx_deadline *deadline;
	enum ufx_wait_kind kind;
};

static bool any_woken(const struct blocked *b)
{
	for (unsigned int i = 0; i < b->n; i++)
		if (ufx_wait_woken(&b->waiters[i]))
			return true;
	return false;
}

static uint32_t *word_of(const struct ufx_waitv_entry *entry)
{
	return (uint32_t *)(uintptr_t)entry->uaddr;
}

/* This sleep does not watch the word: look at it once more before. */
static int sleep_alone(const struct blocked *b)
{
	uint32_t value;

	if (b->watched > 1) { /* not requeued */
		if (ufx_guarded_load(word_of(&b->words[1]), &value))
			return -EFAULT;
		if (value != b->words[1].val)
			return -EAGAIN;
	}
	return ufx_park_alone(&b->thread->park, b->deadline);
}

/*
 * The kernel found a word changed, or the park word awake. A changed word ends
 * the wait if its waiter is still queued there; a requeued one is not about
 * that word any more. Returns -EAGAIN to end, 0 to sleep again.
 */
static int after_mismatch(struct blocked *b)
{
	for (unsigned int i = 0; i + 1 < b->watched; i++) {
		uint32_t value;

		if (ufx_guarded_load(word_of(&b->words[i + 1]), &value))
			return -EFAULT;
		if (value == b->words[i + 1].val)
			continue;
		if (leave(b->domain, &b->waiters[i], b->words[i + 1].uaddr))
			return -EAGAIN;
		b->watched = 1; /* requeued, or taken: the park word alone */
	}
	return 0;
}

static int sleep_once(struct blocked *b)
{
	uint32_t *park = &b->thread->park;
	int ret = 0;

	/*
	 * Asleep, then look. Partner: the waker stores "woken", then exchanges
	 * the same word (ufx_unpark). If its exchange comes first, ours acquires
	 * "woken"; if ours does, it finds us asleep and wakes.
	 */
	ufx_xchg(park, UFX_PARK_ASLEEP);
	if (any_woken(b) && !UFX_FAULT(SLEEP_BLINDLY))
		ret = 0;
	else if (forked(b->domain, &b->waiters[0]))
		ret = -EINTR;
	else if (b->kind == UFX_WAIT_RESTARTS)
		ret = ufx_park_words(b->words, b->watched, b->deadline);
	else
		ret = sleep_alone(b);
	/*
	 * Acquires what the waker exchanged into it. A store would hide that from
	 * the next exchange, and only the kernel's own order of waking would be
	 * left to show us "woken" before we sleep again.
	 */
	ufx_xchg(park, UFX_PARK_AWAKE);
	return ret;
}

/* Too soon to spend the time otherwise than asleep. */
static bool ends_soon(const struct ufx_deadline *deadline)
{
	struct timespec now;
	int64_t left;

	if (!deadline)
		return false;
	clock_gettime(deadline->clock, &now);
	left = (int64_t)deadline->at.tv_sec - now.tv_sec;
	if (left > 1)
		return false;
	return left * 1000000000 + deadline->at.tv_nsec - now.tv_nsec < 1000000;
}

/* Sleeps until a waiter is woken (0), or something else ends it (-errno). */
static int block(struct blocked *b)
{
	if (!ends_soon(b->deadline) && ufx_spin(b->thread, &b->waiters[0].state))
		return 0;
	for (;;) {
		int ret = sleep_once(b);

		if (any_woken(b))
			return 0;
		if (forked(b->domain, &b->waiters[0]))
			return -EINTR;
		if (ret > 0) { /* somebody woke the word by a system call */
			ufx_add_relaxed(&foreign_wakes, 1);
			return ret;
		}
		if (ret == -EAGAIN) /* awake already, or a word has changed */
			ret = after_mismatch(b);
		if (ret)
			return ret;
	}
}

static void set_up(struct blocked *b, uint32_t mask)
{
	for (unsigned int i = 0; i < b->n; i++) {
		struct ufx_waiter *w = &b->waiters[i];

		w->mask = mask;
		w->park = &b->thread->park;
		w->priority = (uint8_t)b->thread->priority;
	}
	b->words[0] = ufx_park_entry(&b->thread->park, UFX_PARK_ASLEEP);
	/* The kernel takes 128: then the last word goes without. */
	b->watched = b->n + 1 > UFX_FUTEX_WAITV_MAX ? UFX_FUTEX_WAITV_MAX : b->n + 1;
}

/* Ends the first @n of them; the highest woken one wins over @ret. */
static long finish_all(struct blocked *b, unsigned int n, long ret)
{
	bool woken = false;

	for (unsigned int i = n; i-- > 0;) {
		if (!ufx_wait_finish(b->domain, &b->waiters[i]) || woken)
			continue;
		woken = true;
		ret = i;
	}
	return ret;
}

static long wait_with(struct blocked *b, uint32_t mask)
{
	unsigned int i;
	long ret;

	set_up(b, mask);
	for (i = 0; i < b->n; i++) {
		ret = ufx_wait_prepare(b->domain, &b->waiters[i],
				       word_of(&b->words[i + 1]),
				       (uint32_t)b->words[i + 1].val);
		if (ret) { /* an earlier one may have been woken: that counts */
			long first = finish_all(b, i, ret);

			return UFX_FAULT(WAITV_FORGETS) ? ret : first;
		}
	}
	ret = block(b);
	return finish_all(b, b->n, ret > 0 ? ret - 1 : ret);
}

long ufx_wait(struct ufx_domain *d, struct ufx_waitv_entry *words, unsigned int n,
	      uint32_t mask, const struct ufx_deadline *deadline,
	      enum ufx_wait_kind kind)
{
	struct blocked b = { .domain = d, .words = words, .n = n,
			     .deadline = deadline, .kind = kind };
	long ret;

	/* R11: a handler over a critical section of its own thread. */
	if (ufx_thread_inside && !UFX_FAULT(WAIT_INSIDE))
		return -EINTR;
	b.thread = ufx_thread_self();
	if (!b.thread)
		return -ENOMEM;
	b.waiters = ufx_thread_lines(b.thread, n);
	if (!b.waiters)
		return -ENOMEM;
	ufx_spin_prepare(b.thread);
	ret = wait_with(&b, mask);
	ufx_thread_lines_free(b.thread, n);
	return ret;
}
