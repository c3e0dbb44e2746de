/* SPDX-License-Identifier: MIT */
/*
 * Waiting in an event loop (libuv): a wait is prepared in the loop, and its
 * callback is called there once it has been woken or its time is over. Any number
 * of waits, no thread of their own; threads that block wait in the same queues.
 *
 * The parker posts: it puts the wait on a list and has the loop look at it by
 * uv_async_send. What there is to get right:
 *
 * - A wait that timed out in the loop may be ended by a waker at that moment. What
 *   finish says decides: UFX_LEFT, and unpark is never called for it; anything else,
 *   and it is called once, before or later, and only then the memory may go.
 * - The loop may have handled a wait before the waker has got as far as
 *   uv_async_send. So wakers that are at it are counted, and the loop is not
 *   closed under them.
 */
#ifndef HAVE_LIBUV
#include <stdio.h>

int main(void)
{
	puts("not installed: libuv1-dev");
	return 77;
}
#else
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include <uv.h>

#include <ufutex/domain.h>
#include <ufutex/wait.h>
#include <ufutex/wake.h>

/* ---- waits in a loop ---- */

struct waits {
	uv_loop_t *loop;
	uv_async_t async;
	struct wait *ended; /* newest first; any thread's */
	unsigned int posting; /* wakers between the two steps of a post */
	unsigned int pending; /* the loop's alone, as all below */
	bool closing;
};

struct wait {
	struct ufx_node node;
	struct waits *waits;
	uv_timer_t timer;
	struct wait *next;
	void (*done)(int how, uint64_t answer, void *arg);
	void *arg;
	bool over; /* its callback was called; unpark is still to come */
};

static void post(void *handle)
{
	struct wait *w = handle;
	struct waits *s = w->waits;

	__atomic_fetch_add(&s->posting, 1, __ATOMIC_RELAXED);
	w->next = __atomic_load_n(&s->ended, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&s->ended, &w->next, w, true,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	/* @w is the loop's. */
	uv_async_send(&s->async);
	__atomic_fetch_sub(&s->posting, 1, __ATOMIC_RELEASE);
}

static const struct ufx_parker poster = { post };

static void free_wait(uv_handle_t *timer)
{
	free(timer->data);
}

static void close_if_idle(struct waits *s)
{
	if (s->pending || !s->closing)
		return;
	while (__atomic_load_n(&s->posting, __ATOMIC_ACQUIRE))
		sched_yield();
	uv_close((uv_handle_t *)&s->async, NULL);
}

static void drop(struct wait *w)
{
	uv_close((uv_handle_t *)&w->timer, free_wait);
	w->waits->pending--;
	close_if_idle(w->waits);
}

static void look(uv_async_t *async)
{
	struct waits *s = async->data;
	struct wait *newest = __atomic_exchange_n(&s->ended, NULL, __ATOMIC_ACQUIRE);
	struct wait *oldest = NULL;

	while (newest) { /* reversed: in the order of the wakes */
		struct wait *w = newest;

		newest = w->next;
		w->next = oldest;
		oldest = w;
	}
	while (oldest) {
		struct wait *w = oldest;
		uint64_t answer;

		oldest = w->next;
		if (!w->over) {
			int how = ufx_node_finish(&w->node, &answer);

			w->done(how, answer, w->arg);
		}
		drop(w);
	}
}

static void give_up(uv_timer_t *timer)
{
	struct wait *w = timer->data;
	uint64_t answer;
	int how;

	if (ufx_node_ended(&w->node)) /* its post is on the way */
		return;
	how = ufx_node_finish(&w->node, &answer);
	w->over = true;
	w->done(how == UFX_LEFT ? UFX_TIMED_OUT : how, answer, w->arg);
	if (how == UFX_LEFT)
		drop(w);
}

static void waits_open(struct waits *s, uv_loop_t *loop)
{
	*s = (struct waits){ .loop = loop };
	uv_async_init(loop, &s->async, look);
	s->async.data = s;
}

/* No more waits but by callbacks of those there are; after the last the loop may end. */
static void waits_close(struct waits *s)
{
	s->closing = true;
	close_if_idle(s);
}

/*
 * In the loop's thread: has @done called there, by @ms milliseconds from now at
 * the latest. 0; else nothing will be called: -EAGAIN (a mismatch), -ENOMEM, ...
 */
static int wait_on(struct waits *s, struct ufx_domain *domain,
		   const struct ufx_condition *c, uint64_t ms,
		   void (*done)(int how, uint64_t answer, void *arg), void *arg)
{
	struct wait *w = aligned_alloc(64, sizeof(*w));
	int ret;

	if (!w)
		return UV_ENOMEM;
	*w = (struct wait){ .waits = s, .done = done, .arg = arg };
	uv_timer_init(s->loop, &w->timer);
	w->timer.data = w;
	s->pending++;
	ret = ufx_node_prepare(domain, &w->node, c, &poster, w);
	if (ret)
		drop(w);
	else
		uv_timer_start(&w->timer, give_up, ms, 0);
	return ret;
}

/* ---- a program ---- */

#define KEYS 50
#define WAITS 3000
#define SHORT 500
#define RELAY 1000
#define LONG_MS 60000

static struct ufx_domain *domain;
static struct waits waits;
static int failures;

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "events: wrong: %s\n", what);
	__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
}

static void begin(uint64_t key, uint64_t ms, void (*done)(int, uint64_t, void *), void *arg)
{
	struct ufx_condition c = { .key = key };

	check(wait_on(&waits, domain, &c, ms, done, arg) == 0, "a wait begins");
}

/* Many waits, woken one by one by two threads, with what they are to add. */

static unsigned long given, taken; /* @taken: the loop's */
static long wakes, many_done;

static void count_many(int how, uint64_t answer, void *arg)
{
	(void)arg;
	check(how == UFX_WOKEN, "a wait ends by its wake");
	taken += answer;
	many_done++;
}

static void *wake_many(void *arg)
{
	struct ufx_waker waker = { .n = 1 };

	for (uint64_t i = (uintptr_t)arg; __atomic_load_n(&wakes, __ATOMIC_RELAXED) < WAITS; i++) {
		waker.token = i;
		if (ufx_domain_wake_by(domain, i % KEYS, &waker) != 1)
			continue;
		__atomic_fetch_add(&given, i, __ATOMIC_RELAXED);
		__atomic_fetch_add(&wakes, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Short ones, whose timers race with a thread that wakes. */

#define SHORT_KEY 1000

static long short_woken, short_over, short_wakes;

static void count_short(int how, uint64_t answer, void *arg)
{
	(void)answer;
	(void)arg;
	short_woken += how == UFX_WOKEN;
	short_over += how == UFX_TIMED_OUT;
}

static void *wake_short(void *arg)
{
	const int *stop = arg;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		short_wakes += ufx_domain_wake(domain, SHORT_KEY, 1, UFX_ALL);
		sched_yield();
	}
	return NULL;
}

/* A relay: each wait that ends in the loop wakes the next; a thread is the last. */

#define RELAY_KEY 2000

static void run_on(int how, uint64_t answer, void *arg)
{
	uintptr_t i = (uintptr_t)arg;

	(void)answer;
	check(how == UFX_WOKEN, "the relay goes on");
	while (ufx_domain_wake(domain, RELAY_KEY + i + 1, 1, UFX_ALL) != 1)
		sched_yield(); /* the thread has not come yet */
}

static void *last_runner(void *arg)
{
	struct ufx_condition c = { .key = RELAY_KEY + RELAY };

	(void)arg;
	check(ufx_domain_wait(domain, &c, NULL, NULL) == UFX_WOKEN, "the thread is woken");
	return NULL;
}

static pthread_t start(void *(*run)(void *arg), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, arg))
		exit(1);
	return thread;
}

static void begin_all(void)
{
	for (uintptr_t i = 0; i < WAITS; i++)
		begin(i % KEYS, LONG_MS, count_many, NULL);
	for (uintptr_t i = 0; i < SHORT; i++)
		begin(SHORT_KEY, 1 + i % 20, count_short, NULL);
	for (uintptr_t i = 0; i < RELAY; i++)
		begin(RELAY_KEY + i, LONG_MS, run_on, (void *)i);
	waits_close(&waits);
}

int main(void)
{
	pthread_t threads[4];
	uv_loop_t loop;
	int stop = 0;

	if (ufx_domain_create(&domain, NULL) || uv_loop_init(&loop))
		return 1;
	waits_open(&waits, &loop);
	threads[3] = start(wake_short, &stop);
	begin_all();
	threads[0] = start(wake_many, (void *)1);
	threads[1] = start(wake_many, (void *)7);
	threads[2] = start(last_runner, NULL);
	ufx_domain_wake(domain, RELAY_KEY, 1, UFX_ALL);
	uv_run(&loop, UV_RUN_DEFAULT);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	check(many_done == WAITS && wakes == WAITS, "each wait is woken once");
	check(taken == given, "and gets its waker's token");
	check(short_woken == short_wakes, "as many short waits as wakes say");
	check(short_woken + short_over == SHORT, "the others time out");
	check(uv_loop_close(&loop) == 0, "nothing is left in the loop");
	check(ufx_domain_destroy(domain) == 0, "nor in the domain");
	printf("%d waits woken in the loop, %ld timed out and %ld woken before that, "
	       "a relay of %d\n", WAITS, short_over, short_woken, RELAY);
	return failures ? 1 : 0;
}
#endif
