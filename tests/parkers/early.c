// SPDX-License-Identifier: MIT
/*
 * A fiber that is told before it has left its stack, or after it has found its node
 * ended by itself: the calls that a fiber parker must bear, each made to happen. A
 * call that is lost is a hang here; a fiber that is resumed twice, a crash.
 */
#include <ufutex/domain.h>
#include <ufutex/wait.h>
#include <ufutex/wake.h>

#include "../examples/fiber.h"
#include "hammer.h"

#define KEY 9
#define ROUNDS 500

static struct ufx_domain *d;
static int queued, woken; /* the last round of each */
static int rounds, ends, more;

static void prepare(struct ufx_node *n)
{
	struct ufx_condition c = { .key = KEY };

	if (ufx_node_prepare(d, n, &c, &fiber_parker, fiber_handle()))
		bail("it does not queue");
	rounds++;
}

static void park_until_ended(struct ufx_node *n)
{
	while (!ufx_node_ended(n))
		fiber_park(FIBER_FOREVER);
	ends += ufx_node_finish(n, NULL) == UFX_WOKEN;
}

/* Told by itself. */
static void told_by_itself(void *arg)
{
	struct ufx_node n = { .handle = NULL };

	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		prepare(&n);
		more += ufx_domain_wake(d, KEY, 1, UFX_ALL) == 1;
		fiber_park(FIBER_FOREVER); /* returns: it has been told */
		park_until_ended(&n);
	}
}

/* Told by a thread, which has returned from its wake before the fiber parks. */
static void told_early(void *arg)
{
	struct ufx_node n = { .handle = NULL };

	(void)arg;
	for (int i = 1; i <= ROUNDS; i++) {
		prepare(&n);
		__atomic_store_n(&queued, i, __ATOMIC_RELEASE);
		wait_until(&woken, i);
		for (int n = 0; n < 10; n++)
			sched_yield(); /* for a worker that should not resume it */
		fiber_park(FIBER_FOREVER);
		park_until_ended(&n);
	}
}

/* Finishes as soon as the node has ended: the call comes when it waits for more. */
static void told_late(void *arg)
{
	struct ufx_node n = { .handle = NULL };

	(void)arg;
	for (int i = 1; i <= ROUNDS; i++) {
		prepare(&n);
		__atomic_store_n(&queued, i, __ATOMIC_RELEASE);
		while (!ufx_node_ended(&n))
			sched_yield();
		park_until_ended(&n);
	}
}

static void *waker(void *arg)
{
	(void)arg;
	for (int i = 1; i <= ROUNDS; i++) {
		wait_until(&queued, i);
		more += ufx_domain_wake(d, KEY, 1, UFX_ALL) == 1;
		__atomic_store_n(&woken, i, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Several workers, most of them idle, so that what is pushed runs at once. */
static void run(const char *name, void (*fiber)(void *arg), bool by_thread)
{
	struct fibers *s = fibers_start(d, 3, 1);
	pthread_t thread;

	rounds = ends = more = 0;
	__atomic_store_n(&queued, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&woken, 0, __ATOMIC_RELEASE);
	if (!s || !fibers_spawn(s, fiber, NULL))
		bail("no fiber");
	if (by_thread && pthread_create(&thread, NULL, waker, NULL))
		bail("no thread");
	if (by_thread)
		pthread_join(thread, NULL);
	fibers_end(s);
	is_int(rounds, ROUNDS, "%s: it runs once", name);
	is_int(more, ROUNDS, "%s: each wake found it", name);
	is_int(ends, ROUNDS, "%s: each wait ended by it", name);
}

int main(void)
{
	if (ufx_domain_create(&d, NULL))
		bail("no domain");
	run("told by itself", told_by_itself, false);
	run("told before it parks", told_early, true);
	run("told late", told_late, true);
	is_int(ufx_domain_destroy(d), 0, "nobody is left");
	return tap_end();
}
