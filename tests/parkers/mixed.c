// SPDX-License-Identifier: MIT
/*
 * Threads, fibers and waits of an event loop in one queue: their order, exact counts,
 * interrupts, purges, timeouts. That a waiter is queued is known by looking at the
 * queue: a wake whose callback skips all.
 */
#include <ufutex/domain.h>
#include <ufutex/wait.h>
#include <ufutex/wake.h>

#include "../examples/fiber.h"
#include "hammer.h"
#include "parkers/loop.h"

#define KEY 7
#define WAITERS 12
#define MS 1000000

enum kind { THREAD, FIBER, EVENT };

static const char *const kinds[] = { "a thread", "a fiber", "an event" };

struct waiter {
	enum kind kind;
	int number;
	int64_t until;
	const void *owner;
	pthread_t thread;
	struct loop_wait event;
	int how;
	uint64_t answer;
};

static struct ufx_domain *d;
static struct fibers *fibers;
static struct waiter waiters[WAITERS];
static int order[WAITERS], ended; /* numbers in the order of their ends */
static int owners[2];

static struct ufx_condition condition(const struct waiter *w)
{
	return (struct ufx_condition){ .key = KEY, .token = (uint64_t)w->number,
				       .owner = w->owner };
}

static void report(struct waiter *w, int how, uint64_t answer)
{
	w->how = how;
	w->answer = answer;
	order[__atomic_load_n(&ended, __ATOMIC_RELAXED)] = w->number;
	__atomic_fetch_add(&ended, 1, __ATOMIC_RELEASE);
}

/* Ends of one wake of many come from several threads. */
static int reporting;

static void report_alone(struct waiter *w, int how, uint64_t answer)
{
	while (__atomic_exchange_n(&reporting, 1, __ATOMIC_ACQUIRE))
		sched_yield();
	report(w, how, answer);
	__atomic_store_n(&reporting, 0, __ATOMIC_RELEASE);
}

static void block(void *arg)
{
	struct waiter *w = arg;
	struct ufx_condition c = condition(w);
	uint64_t answer = 0;
	int how = fiber_wait(d, &c, w->until, &answer);

	report_alone(w, how, answer);
}

static void *thread_main(void *arg)
{
	block(arg);
	return NULL;
}

static void event_done(struct loop_wait *e, int how, uint64_t answer)
{
	report_alone(&waiters[e->number], how, answer);
}

static enum ufx_verdict skip_all(const struct ufx_seen *seen, uint64_t *token, void *arg)
{
	(void)seen;
	(void)token;
	++*(int *)arg;
	return UFX_SKIP;
}

static int queued(void)
{
	int n = 0;
	struct ufx_waker look = { .n = 1, .each = skip_all, .arg = &n };

	if (ufx_domain_wake_by(d, KEY, &look))
		bail("a look wakes");
	return n;
}

static void start(struct waiter *w)
{
	struct ufx_condition c = condition(w);

	switch (w->kind) {
	case THREAD:
		if (pthread_create(&w->thread, NULL, thread_main, w))
			bail("no thread");
		break;
	case FIBER:
		if (!fibers_spawn(fibers, block, w))
			bail("no room for a fiber");
		break;
	case EVENT:
		w->event = (struct loop_wait){ .until = w->until, .done = event_done,
					       .number = w->number };
		if (loop_wait(d, &w->event, &c))
			bail("an event does not queue");
	}
}

static void name_all(int64_t until)
{
	__atomic_store_n(&ended, 0, __ATOMIC_RELEASE);
	for (int i = 0; i < WAITERS; i++)
		waiters[i] = (struct waiter){ .kind = (enum kind)(i % 3), .number = i,
					      .until = until, .owner = &owners[i / 3 % 2],
					      .how = -1 };
}

/* One after the other, each in the queue before the next. */
static void queue_all(void)
{
	name_all(FIBER_FOREVER);
	for (int i = 0; i < WAITERS; i++) {
		start(&waiters[i]);
		while (queued() < i + 1)
			sched_yield();
	}
}

static void join_all(void)
{
	wait_until(&ended, WAITERS);
	for (int i = 0; i < WAITERS; i++)
		if (waiters[i].kind == THREAD)
			pthread_join(waiters[i].thread, NULL);
}

static int count(int how)
{
	int n = 0;

	for (int i = 0; i < WAITERS; i++)
		n += waiters[i].how == how;
	return n;
}

static void in_order(void)
{
	queue_all();
	for (int i = 0; i < WAITERS; i++) {
		struct ufx_waker waker = { .n = 1, .token = 100 + (uint64_t)i };

		is_int(ufx_domain_wake_by(d, KEY, &waker), 1, "one is woken");
		wait_until(&ended, i + 1);
		ok(order[i] == i && waiters[i].how == UFX_WOKEN &&
			   waiters[i].answer == 100 + (uint64_t)i,
		   "the next in order, %s, with its token", kinds[i % 3]);
	}
	is_int(ufx_domain_wake(d, KEY, 1, UFX_ALL), 0, "that were all");
	join_all();
}

static void counts(void)
{
	long before = loop_told();

	queue_all();
	is_int(ufx_domain_wake(d, KEY, 5, UFX_ALL), 5, "five are woken");
	wait_until(&ended, 5);
	is_int(queued(), WAITERS - 5, "the others stay");
	for (int i = 0; i < WAITERS; i++)
		is_int(waiters[i].how, i < 5 ? UFX_WOKEN : -1, "the first five: %d", i);
	is_int(ufx_domain_wake(d, KEY, UFX_ALL, UFX_ALL), WAITERS - 5, "the rest");
	join_all();
	is_int(loop_told() - before, WAITERS / 3, "the loop's parker, once for each");
}

static void interrupts(void)
{
	queue_all();
	is_int(ufx_domain_interrupt_owner(d, &owners[1], 42), WAITERS / 2,
	       "those of one owner are interrupted");
	wait_until(&ended, WAITERS / 2);
	is_int(queued(), WAITERS / 2, "the others stay");
	is_int(ufx_domain_purge(d, KEY, 1), WAITERS / 2, "which are purged");
	join_all();
	for (int i = 0; i < WAITERS; i++) {
		struct waiter *w = &waiters[i];

		if (i / 3 % 2)
			ok(w->how == UFX_INTERRUPTED && w->answer == 42, "%s knows why",
			   kinds[w->kind]);
		else
			is_int(w->how, UFX_CANCELLED, "%s is cancelled", kinds[w->kind]);
	}
}

/* The loop's deadlines are known to it before it starts. */
static void timeouts(void)
{
	long before = loop_told();
	int64_t until;

	loop_stop();
	until = fiber_now() + 30 * MS;
	name_all(until);
	waiters[0].until = FIBER_FOREVER; /* first in the queue */
	start(&waiters[0]);
	while (!queued())
		sched_yield();
	for (int i = 1; i < WAITERS; i++)
		start(&waiters[i]);
	loop_start();
	wait_until(&ended, WAITERS - 1);
	ok(fiber_now() >= until, "nobody before the time");
	is_int(count(UFX_TIMED_OUT), WAITERS - 1, "all with a deadline time out");
	is_int(queued(), 1, "one is left");
	is_int(loop_told() - before, 0, "who leaves by himself is not told");
	is_int(ufx_domain_wake(d, KEY, UFX_ALL, UFX_ALL), 1, "it is woken");
	join_all();
}

int main(void)
{
	if (ufx_domain_create(&d, NULL))
		bail("no domain");
	fibers = fibers_start(d, 2, WAITERS);
	if (!fibers)
		bail("no fibers");
	loop_start();
	in_order();
	counts();
	interrupts();
	timeouts();
	loop_stop();
	fibers_end(fibers);
	is_int(ufx_domain_destroy(d), 0, "nobody is left");
	return tap_end();
}
