// SPDX-License-Identifier: MIT
/*
 * Deferred calls and cookies. A call runs once, after its grace period; a
 * barrier returns when those that were queued before it have run.
 */
#include "torture.h"

#include <ufutex/grace.h>

#define CALLS 256

enum { IDLE, TAKEN, QUEUED };

struct deferred {
	struct ufx_call call; /* first */
	ufx_cookie cookie;    /* taken before it was queued */
	int state;
	int again; /* queues itself so often again */
	uint64_t ran;
};

static struct deferred pool[CALLS];
static int pending;

static void run(struct ufx_call *call)
{
	struct deferred *d = (struct deferred *)call;
	int queued = QUEUED;

	if (!ufx_grace_poll(d->cookie))
		finding("a deferred call runs before its grace period");
	if (d->again > 0) {
		d->again--;
		d->cookie = ufx_grace_get_state();
		ufx_grace_call(call, run);
		return;
	}
	memset(call, 0xa5, sizeof(*call));
	__atomic_fetch_add(&d->ran, 1, __ATOMIC_SEQ_CST);
	/* The last touch: then it may be taken again. */
	if (!__atomic_compare_exchange_n(&d->state, &queued, IDLE, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		finding("a deferred call runs in state %d", queued);
	__atomic_fetch_sub(&pending, 1, __ATOMIC_SEQ_CST);
	count(COUNT_callbacks, 1);
}

static struct deferred *take(struct worker *w)
{
	struct deferred *d = &pool[rnd(w, CALLS)];
	int idle = IDLE;

	if (!__atomic_compare_exchange_n(&d->state, &idle, TAKEN, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return NULL;
	return d;
}

static void queue_one(struct worker *w, struct deferred *d, int again)
{
	d->again = again;
	d->cookie = ufx_grace_get_state();
	__atomic_fetch_add(&pending, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&d->state, QUEUED, __ATOMIC_SEQ_CST);
	switch (rnd(w, 6)) {
	case 0:
	case 1:
		ufx_grace_call_hurry(&d->call, run);
		break;
	case 2:
		ufx_grace_call_bytes(&d->call, run, rnd(w, 300000));
		break;
	default:
		ufx_grace_call(&d->call, run);
	}
}

static void queue(struct worker *w)
{
	struct deferred *d = take(w);

	if (d)
		queue_one(w, d, (int)rnd(w, 3));
}

/* Several, and a barrier behind them: all must have run. */
static void queue_and_wait(struct worker *w)
{
	struct deferred *mine[8];
	uint64_t before[8];
	int n = 0, i, ret;

	while (n < 8 && rnd(w, 8)) {
		mine[n] = take(w);
		if (!mine[n])
			continue;
		before[n] = __atomic_load_n(&mine[n]->ran, __ATOMIC_SEQ_CST);
		queue_one(w, mine[n++], 0);
	}
	ret = ufx_grace_barrier();
	if (ret)
		finding("ufx_grace_barrier returns %d", ret);
	for (i = 0; i < n; i++)
		if (__atomic_load_n(&mine[i]->ran, __ATOMIC_SEQ_CST) == before[i])
			finding("a deferred call has not run after a barrier");
	count(COUNT_barriers, 1);
}

/* As an event loop does. */
static void drive_some(struct worker *w)
{
	unsigned int calls = rnd(w, 6);
	int ret = ufx_grace_run(calls, rnd(w, 2) ? rnd(w, 20000) : 0);

	if (ret < 0 || (calls && ret > (int)calls))
		finding("ufx_grace_run returns %d of %u", ret, calls);
}

static void poll_cookie(struct worker *w)
{
	ufx_cookie cookie = rnd(w, 2) ? ufx_grace_get_state() : ufx_grace_start_poll();
	int ret = rnd(w, 4) ? ufx_grace_cond_sync(cookie) : ufx_grace_synchronize();

	if (ret)
		finding("a grace period is refused: %d", ret);
	if (!ufx_grace_poll(cookie))
		finding("a cookie has not elapsed after its grace period");
	count(COUNT_cookies, 1);
}

static void step(struct worker *w)
{
	static void (*const kinds[])(struct worker *) = {
		queue, queue, queue, queue_and_wait, poll_cookie, drive_some
	};

	kinds[rnd(w, 6)](w);
	if (rnd(w, 8) == 0)
		nap_us(rnd(w, 100));
}

static void check(void)
{
	int ret = 0, i;

	for (i = 0; i < 4 && !ret; i++) /* calls that queue themselves again */
		ret = ufx_grace_barrier();
	if (ret || pending)
		finding("%d deferred calls have not run after a barrier (%d)", pending,
			ret);
	if (!pending && ufx_grace_pending(NULL))
		finding("%llu deferred calls are counted that do not wait",
			(unsigned long long)ufx_grace_pending(NULL));
}

const struct activity callbacks = { "callbacks", 2, NULL, step, NULL, check };
