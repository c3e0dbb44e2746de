/* SPDX-License-Identifier: MIT */
#include "futex/wake.h"
#include "futex/bell.h"
#include "futex/node.h"
#include "host/park.h"

#define BATCH 64

struct ufx_waiter **ufx_take(struct ufx_place *place, uint64_t key, uint32_t n,
			     uint32_t mask, struct ufx_waiter **chain,
			     uint32_t *taken)
{
	struct ufx_waiter *w = ufx_queue_find(place->bucket->root, key);
	struct ufx_waiter *last = w ? w->prev : NULL;

	*taken = 0;
	while (w && *taken < n) {
		/* Read before @w leaves: then only our chain uses its links. */
		struct ufx_waiter *next = w == last ? NULL : w->next;

		if (w->mask & mask) {
			if (!UFX_FAULT(NO_DEQUEUE))
				ufx_queue_remove(&place->bucket->root, w);
			ufx_end_waiter(w, UFX_WOKEN, 0);
			*chain = w;
			chain = &w->next;
			++*taken;
		}
		w = next;
	}
	*chain = NULL;
	return chain;
}

/* Threads that are woken together. */
struct batch {
	uint32_t *parks[BATCH];
	uint8_t here[BATCH];
	unsigned int n;
};

/* Returns how many are left asleep: to be woken by their word's bell. */
static unsigned int unpark(const struct batch *b)
{
	struct ufx_thread *t = b->n > 1 ? ufx_thread_self() : NULL;

	if (t)
		return ufx_unpark_all(b->parks, b->here, b->n, &t->lobby);
	for (unsigned int i = 0; i < b->n; i++)
		ufx_unpark(b->parks[i]);
	return 0;
}

/*
 * Those of the chain that are threads; a wake of few in the kernel might take
 * others than ours. Returns the chain of the others.
 */
static struct ufx_waiter *release_threads(struct ufx_waiter *w, bool all)
{
	struct ufx_waiter *guests = NULL, **end = &guests;
	uint64_t key = w ? w->key : 0;
	unsigned int asleep = 0;

	while (w) {
		struct batch b;

		b.n = 0;
		while (w && b.n < BATCH) {
			struct ufx_waiter *next = w->next;

			if (ufx_unlikely(w->guest)) {
				*end = w;
				end = &w->next;
				w = next;
				continue;
			}
			b.parks[b.n] = w->park;
			b.here[b.n++] = all && w->here;
			/* The last touch: @w is its owner's from here on. */
			ufx_store_release(&w->state, UFX_WAITER_WOKEN);
			if (UFX_FAULT(TOUCH_WOKEN))
				next = w->next;
			w = next;
		}
		asleep += unpark(&b);
	}
	*end = NULL;
	if (asleep)
		ufx_bell_ring(key);
	return guests;
}

/*
 * Those that wait by a parker of their own, which may do what it likes: so not
 * inside, but bound, as they are taken and wait for us.
 */
static void release_guests(struct ufx_waiter *w)
{
	while (w) {
		const struct ufx_node *n = ufx_node_of(w);
		struct ufx_waiter *next = w->next;
		void (*tell)(void *) = n->parker->unpark;
		void *handle = n->handle;

		ufx_store_release(&w->state, UFX_WAITER_WOKEN); /* the last touch */
		tell(handle);
		w = next;
	}
}

void ufx_release_all(struct ufx_waiter *chain, bool all)
{
	struct ufx_waiter *guests = chain;

	/* Of a single guest, the usual one, nothing is to be sorted. */
	if (!chain || !chain->guest || chain->next)
		guests = release_threads(chain, all);
	if (ufx_unlikely(guests)) {
		ufx_bind();
		ufx_leave_inside();
		release_guests(guests);
		ufx_unbind();
		return;
	}
	ufx_leave_inside();
}

/* Apart, so that a wake of what nobody waits for saves no registers. */
static __attribute__((noinline)) long wake_somebody(struct ufx_domain *d, uint64_t key,
						    uint32_t n, uint32_t mask,
						    enum ufx_place_look look)
{
	struct ufx_waiter *chain;
	struct ufx_place place;
	uint32_t taken;
	bool all;

	if (look == UFX_PLACE_UNKNOWN && ufx_place_nobody(d, key))
		return 0;
	if (ufx_thread_inside && !UFX_FAULT(NO_POSTING)) {
		ufx_post(d, key, n, mask);
		return 0;
	}
	if (ufx_place_lock(d, key, 0, &place))
		return 0; /* no table, so no waiters */
	/* Inside until they are released: a handler may wait for one of them. */
	ufx_enter_inside();
	ufx_take(&place, key, n, mask, &chain, &taken);
	all = taken > 1 && !ufx_queue_find(place.bucket->root, key);
	ufx_place_unlock(&place, taken);
	if (UFX_FAULT(RELEASE_OUTSIDE)) {
		ufx_leave_inside();
		release_threads(chain, all);
		return taken;
	}
	ufx_release_all(chain, all);
	if (UFX_FAULT(WAKE_CHASES) && taken && taken < n)
		taken += (uint32_t)ufx_wake(d, key, n - taken, mask);
	return taken;
}

long ufx_wake(struct ufx_domain *d, uint64_t key, uint32_t n, uint32_t mask)
{
	/* First: it is worked out while the fence waits for the caller's stores. */
	uint64_t hash = ufx_domain_hash(d, key);
	enum ufx_place_look look;

	/*
	 * Between the caller's store to the word and our look at the count.
	 * Partner: the bucket lock of a waiter, between its count and its load
	 * of the word (lock_and_look). Without it: it sees the old value and
	 * sleeps, we see the old count and go.
	 */
	if (!UFX_FAULT(NO_WAKE_FENCE))
		ufx_fence();
	look = ufx_place_look(d, hash);
	if (ufx_likely(look == UFX_PLACE_NOBODY))
		return 0;
	return wake_somebody(d, key, n, mask, look);
}
