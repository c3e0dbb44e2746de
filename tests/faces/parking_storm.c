// SPDX-License-Identifier: MIT
/*
 * A mutex of two bits and a condition variable of one, on a parking lot; eight threads
 * pass items through a small buffer with them. A wake-up that is lost hangs.
 */
#include <ufutex/domain.h>
#include <ufutex/parking.h>

#include "hammer.h"

#define PAIRS 4
#define ITEMS 20000
#define ROOM 3

static struct ufx_domain *d;
static struct ufx_lot lot;
static unsigned int rounds;
static long handed_over, stolen, timeouts, moved;

/* ---- the mutex ---- */

enum { FREE = 0, LOCKED = 1, PARKED = 2 };
enum { TRY_AGAIN = 0, IS_YOURS = 1 };

struct mutex {
	uint32_t word;
};

static uint32_t word_of(const struct mutex *m)
{
	return __atomic_load_n(&m->word, __ATOMIC_RELAXED);
}

static bool change(struct mutex *m, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(&m->word, &from, to, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_RELAXED);
}

static bool still_locked(void *arg)
{
	return word_of(arg) == (LOCKED | PARKED);
}

static void lock(struct mutex *m)
{
	static const struct ufx_lot_parking none;
	struct ufx_lot_parking how = none;
	uint64_t token;

	how.validate = still_locked;
	how.arg = m;
	for (;;) {
		uint32_t word = word_of(m);

		if (!(word & LOCKED)) {
			if (change(m, word, word | LOCKED))
				return;
			continue;
		}
		if (!(word & PARKED) && !change(m, word, word | PARKED))
			continue;
		if (!(__atomic_fetch_add(&rounds, 1, __ATOMIC_RELAXED) % 4))
			sched_yield(); /* it may be unlocked before we are parked */
		if (ufx_lot_park(&lot, (uintptr_t)m, &how, NULL, &token) ==
			    UFX_LOT_UNPARKED &&
		    token == IS_YOURS)
			return;
	}
}

/* With the queue locked: the word says what stays. */
static uint64_t unlocking(const struct ufx_lot_unparked *result, void *arg)
{
	struct mutex *m = arg;
	uint32_t parked = result->more ? PARKED : 0;

	if (result->unparked && result->be_fair) {
		__atomic_store_n(&m->word, LOCKED | parked, __ATOMIC_RELEASE);
		handed_over++;
		return IS_YOURS;
	}
	__atomic_store_n(&m->word, FREE | parked, __ATOMIC_RELEASE);
	stolen++;
	return TRY_AGAIN;
}

static void unlock(struct mutex *m)
{
	if (!change(m, LOCKED, FREE))
		ufx_lot_unpark_one(&lot, (uintptr_t)m, unlocking, m);
}

/* ---- the condition variable ---- */

struct cond {
	struct mutex *mutex; /* not NULL: somebody is parked; changed with the queue locked */
};

struct cond_wait {
	struct cond *c;
	struct mutex *m;
};

static bool announce(void *arg)
{
	struct cond_wait *w = arg;

	__atomic_store_n(&w->c->mutex, w->m, __ATOMIC_RELAXED);
	return true;
}

static void release(void *arg)
{
	unlock(((struct cond_wait *)arg)->m);
}

/* A requeue may have moved it to the mutex: then that is whose queue it left. */
static void gave_up(uint64_t key, bool was_last, void *arg)
{
	struct cond_wait *w = arg;

	if (was_last && key == (uintptr_t)w->c)
		__atomic_store_n(&w->c->mutex, NULL, __ATOMIC_RELAXED);
}

static void cond_wait(struct cond *c, struct mutex *m, int64_t ns)
{
	struct cond_wait w = { c, m };
	struct ufx_lot_parking how = { .validate = announce, .before_sleep = release,
				       .timed_out = gave_up, .arg = &w };
	struct ufx_deadline deadline = ufx_deadline_in(ns);
	uint64_t token = TRY_AGAIN;
	int ret = ufx_lot_park(&lot, (uintptr_t)c, &how, ns ? &deadline : NULL, &token);

	if (ret == UFX_LOT_TIMED_OUT)
		__atomic_fetch_add(&timeouts, 1, __ATOMIC_RELAXED);
	else if (ret != UFX_LOT_UNPARKED)
		bail("parking on a condition ends with %d", ret);
	if (token != IS_YOURS) /* who was moved may have been handed the mutex */
		lock(m);
}

struct notify {
	struct cond *c;
	struct mutex *m;
	bool all;
};

/*
 * With both queues locked. Who is moved to the mutex waits for its unlock, which has to
 * know: only while it is locked.
 */
static enum ufx_lot_requeue which(void *arg)
{
	struct notify *n = arg;
	uint32_t word = word_of(n->m);

	while (word & LOCKED) {
		if (change(n->m, word, word | PARKED))
			return n->all ? UFX_LOT_REQUEUE_ALL : UFX_LOT_REQUEUE_ONE;
		word = word_of(n->m);
	}
	return n->all ? UFX_LOT_UNPARK_ONE_REQUEUE_REST : UFX_LOT_UNPARK_ONE;
}

static uint64_t notified(enum ufx_lot_requeue op, const struct ufx_lot_unparked *result,
			 void *arg)
{
	struct notify *n = arg;

	if (!result->more)
		__atomic_store_n(&n->c->mutex, NULL, __ATOMIC_RELAXED);
	if (op == UFX_LOT_UNPARK_ONE_REQUEUE_REST && result->requeued)
		__atomic_fetch_or(&n->m->word, PARKED, __ATOMIC_RELAXED);
	__atomic_fetch_add(&moved, result->requeued, __ATOMIC_RELAXED);
	return TRY_AGAIN;
}

static void notify(struct cond *c, bool all)
{
	struct notify n = { c, __atomic_load_n(&c->mutex, __ATOMIC_RELAXED), all };

	if (n.m)
		ufx_lot_unpark_requeue(&lot, (uintptr_t)c, (uintptr_t)n.m, which, notified,
				       &n);
}

/* ---- the buffer ---- */

static struct mutex mutex;
static struct cond not_empty, not_full;
static int items, inside;
static long put, got;

static void enter(void)
{
	lock(&mutex);
	if (inside++)
		bail("two threads hold the mutex");
}

static void leave(void)
{
	inside--;
	unlock(&mutex);
}

static void wait_for(struct hammer *h, struct cond *c)
{
	inside--;
	cond_wait(c, &mutex, hammer_random(h, 4) ? 0 : 20000);
	if (inside++)
		bail("two threads hold the mutex after a wait");
}

static void producer(struct hammer *h)
{
	enter();
	while (items == ROOM)
		wait_for(h, &not_full);
	items++;
	put++;
	if (!hammer_random(h, 3)) { /* with and without the mutex held */
		notify(&not_empty, hammer_random(h, 2));
		leave();
	} else {
		leave();
		notify(&not_empty, hammer_random(h, 2));
	}
	h->stop = h->rounds + 1 == ITEMS;
}

static void consumer(struct hammer *h)
{
	enter();
	while (!items)
		wait_for(h, &not_empty);
	items--;
	got++;
	leave();
	notify(&not_full, !hammer_random(h, 3));
	h->stop = h->rounds + 1 == ITEMS;
}

int main(void)
{
	struct crew crew = { 0 };

	if (ufx_domain_create(&d, NULL))
		bail("no domain");
	ufx_lot_init(&lot, d);
	for (int i = 0; i < PAIRS; i++) {
		crew_add(&crew, producer, NULL);
		crew_add(&crew, consumer, NULL);
	}
	crew_join(&crew);
	is_int(put, PAIRS * ITEMS, "all items were put");
	is_int(got, PAIRS * ITEMS, "and got");
	is_int(mutex.word, FREE, "the mutex is free, and nobody is parked");
	ok(moved > 0, "some were moved to the mutex");
	ok(handed_over > 0, "it was handed over at times");
	diag("  %ld handed over, %ld not; %ld moved, %ld timed out", handed_over, stolen,
	     moved, timeouts);
	is_int(ufx_domain_destroy(d), 0, "nobody is left");
	return tap_end();
}
