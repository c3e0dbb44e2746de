// SPDX-License-Identifier: MIT
/*
 * Domains that come and go, each with a few sleepers on one word while it is
 * scaled and resized: all of them are woken, and the domain can be freed.
 */
#include "table/domain.h"
#include "torture.h"

#define HOUSES 8
#define SLEEPERS 3

struct house {
	struct space space;
	int taken;
	uint32_t door; /* closed: 0 */
	struct worker *sleepers[SLEEPERS];
	int woken, late; /* sleepers that were, and that came too late to be */
};

static struct house houses[HOUSES];

/* Which one it belongs to: its creator enters it there before or after. */
static struct house *house_of(struct worker *w)
{
	for (;;) {
		int i, j;

		for (i = 0; i < HOUSES; i++)
			for (j = 0; j < SLEEPERS; j++)
				if (__atomic_load_n(&houses[i].sleepers[j],
						    __ATOMIC_ACQUIRE) == w)
					return &houses[i];
		sched_yield();
	}
}

static void sleeper(struct worker *w)
{
	struct house *h = house_of(w);
	bool woken = false;

	while (!__atomic_load_n(&h->door, __ATOMIC_SEQ_CST))
		woken = !wait_on(w, &h->space, &h->door, 0, UINT32_MAX,
				 (enum wait_kind)rnd(w, WAIT_KINDS));
	__atomic_fetch_add(woken ? &h->woken : &h->late, 1, __ATOMIC_SEQ_CST);
}

static struct house *take_house(void)
{
	int i;

	for (i = 0; i < HOUSES; i++)
		if (!__atomic_exchange_n(&houses[i].taken, 1, __ATOMIC_SEQ_CST))
			return &houses[i];
	return NULL;
}

static void furnish(struct worker *w, struct house *h)
{
	struct ufx_domain_options options = {
		.slots = rnd(w, 2) ? 0 : 2u << rnd(w, 10),
		.replace = rnd(w, 2) ? UFX_REPLACE_AT_ZERO : UFX_REPLACE_MOVING,
	};
	int i, ret = ufx_domain_create(&h->space.domain, &options);

	if (ret)
		finding("ufx_domain_create returns %d", ret);
	h->space.name = "one that comes and goes";
	h->door = 0;
	h->woken = h->late = 0;
	for (i = 0; i < SLEEPERS; i++)
		__atomic_store_n(&h->sleepers[i], worker_start(w->activity, sleeper),
				 __ATOMIC_RELEASE);
}

static void rebuild(struct worker *w, struct house *h)
{
	int ret;

	if (rnd(w, 2)) {
		ufx_domain_scale(h->space.domain, 1 + rnd(w, 64));
		count(COUNT_scaled, 1);
		return;
	}
	ret = ufx_domain_set_slots(h->space.domain, 2u << rnd(w, 10));
	if (ret)
		finding("setting slots of a new domain returns %d", ret);
	count(COUNT_requests, 1);
}

static void clear_out(struct house *h)
{
	int i, n = 0, ret;
	long said;

	__atomic_store_n(&h->door, 1, __ATOMIC_SEQ_CST);
	said = wake_up(&h->space, &h->door, SLEEPERS, UINT32_MAX);
	for (i = 0; i < SLEEPERS; i++) {
		if (!h->sleepers[i])
			continue;
		worker_join(h->sleepers[i]);
		h->sleepers[i] = NULL;
		n++;
	}
	if (h->woken != said || h->woken + h->late != n)
		finding("a wake says %ld, but of %d sleepers %d were woken", said, n,
			h->woken);
	ret = ufx_domain_destroy(h->space.domain);
	if (ret)
		finding("a domain without waiters is not freed: %d", ret);
	count(COUNT_domains, 1);
}

static void step(struct worker *w)
{
	struct house *h = take_house();
	uint32_t n;

	if (!h)
		return;
	furnish(w, h);
	for (n = 1 + rnd(w, 6); n; n--) {
		rebuild(w, h);
		nap_us(rnd(w, 300));
	}
	clear_out(h);
	__atomic_store_n(&h->taken, 0, __ATOMIC_SEQ_CST);
	nap_us(1000);
}

const struct activity own_domains = { "domains", 1, NULL, step, NULL, NULL };
