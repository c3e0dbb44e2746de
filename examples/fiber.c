/* SPDX-License-Identifier: MIT */
/*
 * What there is to get right:
 *
 * - A fiber is queued as a waiter before it has left its stack, so unpark may come
 *   while it still runs. Then it must not be resumed by another worker, nor
 *   may the call be lost. So unpark only leaves word (TOLD), and the worker, once
 *   it has got its thread back, looks for that when it parks the fiber: both by
 *   exchanging one word, so one of them comes first.
 * - unpark may come late: the fiber found its node ended by itself, and waits
 *   for something else, or has returned, and its memory is another fiber's. So
 *   fibers are taken from a pool that lives as long as the scheduler, and whoever
 *   parks looks again why.
 * - A fiber prepares in one thread and finishes in another: nothing of a node
 *   belongs to a thread.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include <ufutex/domain.h>
#include <ufutex/wake.h>

#include "context.h"
#include "deadlines.h"
#include "fiber.h"

#ifndef FIBER_STACK
#define FIBER_STACK (64 * 1024)
#endif
#define WORKERS_MAX 64

enum fiber_state { RUNNING, TOLD, PARKED };
enum fiber_leaves { YIELDS, PARKS, RETURNS };

struct fiber {
	struct context context;
	struct fibers *fibers;
	struct worker *worker; /* that runs it, or was the last to */
	struct fiber *next;    /* in the run queue, or among the free ones */
	int state;             /* enum fiber_state */
	enum fiber_leaves leaves;
	struct deadline deadline;
	char *stack;
	void (*run)(void *arg);
	void *arg;
};

struct worker {
	struct context context;
	struct fibers *fibers;
	unsigned long moves;
	pthread_t thread;
};

struct fibers {
	struct ufx_domain *domain;
	pthread_mutex_t lock;
	struct fiber *first, **end; /* the run queue */
	struct fiber *unused;
	struct deadlines deadlines;
	uint32_t news; /* changes when a worker that found nothing should look again */
	uint32_t live; /* fibers that have not returned */
	bool stopping;
	unsigned int most, nworkers;
	struct fiber *all;
	char *stacks;
	struct worker workers[WORKERS_MAX];
};

static __thread struct fiber *current;

/* Never inlined: what was the thread's before a switch need not be after it. */
static __attribute__((noinline)) struct fiber *self(void)
{
	__asm__ volatile("" ::: "memory");
	return current;
}

static __attribute__((noinline)) void set_self(struct fiber *f)
{
	__asm__ volatile("" ::: "memory");
	current = f;
}

int64_t fiber_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * (int64_t)1000000000 + t.tv_nsec;
}

static struct ufx_deadline deadline_at(int64_t until)
{
	return (struct ufx_deadline){ { until / 1000000000, until % 1000000000 },
				      CLOCK_MONOTONIC };
}

/* ---- the run queue, under the lock ---- */

static void add_news(struct fibers *s)
{
	__atomic_store_n(&s->news, s->news + 1, __ATOMIC_RELAXED);
}

static void push(struct fibers *s, struct fiber *f)
{
	f->next = NULL;
	*s->end = f;
	s->end = &f->next;
	add_news(s);
}

static struct fiber *pop(struct fibers *s)
{
	struct fiber *f = s->first;

	if (!f)
		return NULL;
	s->first = f->next;
	if (!s->first)
		s->end = &s->first;
	return f;
}

/* Outside the lock. Costs a fence where no worker is idle. */
static void wake_workers(struct fibers *s, unsigned int n)
{
	ufx_domain_wake(s->domain, (uintptr_t)&s->news, n, UFX_ALL);
}

static void make_runnable(struct fibers *s, struct fiber *f)
{
	pthread_mutex_lock(&s->lock);
	push(s, f);
	pthread_mutex_unlock(&s->lock);
	wake_workers(s, 1);
}

/* ---- parking ---- */

/* True: it was parked, and is the caller's to be queued. Else it has been told. */
static bool tell(struct fiber *f)
{
	int state = __atomic_load_n(&f->state, __ATOMIC_RELAXED), next;

	do {
		next = state == PARKED ? RUNNING : TOLD;
	} while (!__atomic_compare_exchange_n(&f->state, &state, next, true,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return state == PARKED;
}

/* The parker's. Takes the scheduler's lock, so no wake is made under that. */
static void unpark(void *handle)
{
	struct fiber *f = handle;

	if (tell(f))
		make_runnable(f->fibers, f);
}

const struct ufx_parker fiber_parker = { unpark };

/* It has left its stack, which somebody else may enter as soon as it is PARKED. */
static void settle(struct fibers *s, struct fiber *f)
{
	int state = RUNNING;

	if (__atomic_compare_exchange_n(&f->state, &state, PARKED, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return;
	__atomic_store_n(&f->state, RUNNING, __ATOMIC_RELAXED);
	make_runnable(s, f);
}

/* Those whose time has come run, and see for themselves. Under the lock. How many? */
static unsigned int expire(struct fibers *s)
{
	int64_t now = s->deadlines.n ? fiber_now() : 0;
	struct deadline *d;
	unsigned int n = 0;

	while ((d = deadline_over(&s->deadlines, now))) {
		struct fiber *f = (struct fiber *)((char *)d - offsetof(struct fiber, deadline));

		if (!tell(f))
			continue;
		push(s, f);
		n++;
	}
	return n;
}

static void leave(struct fiber *f, enum fiber_leaves how)
{
	f->leaves = how;
	context_switch(&f->context, &f->worker->context);
}

void *fiber_handle(void)
{
	return self();
}

void fiber_park(int64_t until)
{
	struct fiber *f = self();
	struct fibers *s = f->fibers;
	bool first;

	if (until == FIBER_FOREVER) {
		leave(f, PARKS);
		return;
	}
	pthread_mutex_lock(&s->lock);
	f->deadline.until = until;
	first = deadline_add(&s->deadlines, &f->deadline);
	if (first) /* idle workers sleep until a later one */
		add_news(s);
	pthread_mutex_unlock(&s->lock);
	if (first)
		wake_workers(s, 1);
	leave(f, PARKS);
	pthread_mutex_lock(&s->lock);
	deadline_remove(&s->deadlines, &f->deadline);
	pthread_mutex_unlock(&s->lock);
}

/* ---- waiting ---- */

static int ending_of(int ret)
{
	switch (ret) {
	case -EAGAIN:
		return UFX_MISMATCH;
	case -EFAULT:
		return UFX_FAULTED;
	case -ECANCELED:
		return UFX_CANCELLED;
	default:
		return ret;
	}
}

int fiber_wait(struct ufx_domain *domain, const struct ufx_condition *condition,
	       int64_t until, uint64_t *answer)
{
	struct ufx_deadline deadline = deadline_at(until);
	struct fiber *f = self();
	struct ufx_node node;
	int ret;

	if (!f)
		return ufx_domain_wait(domain, condition,
				       until == FIBER_FOREVER ? NULL : &deadline, answer);
	node = (struct ufx_node){ .handle = NULL };
	ret = ufx_node_prepare(domain, &node, condition, &fiber_parker, f);
	if (ret)
		return ending_of(ret);
	while (!ufx_node_ended(&node) && (until == FIBER_FOREVER || fiber_now() < until))
		fiber_park(until);
	ret = ufx_node_finish(&node, answer);
	return ret == UFX_LEFT ? UFX_TIMED_OUT : ret;
}

bool fiber_is_one(void)
{
	return self() != NULL;
}

void fiber_yield(void)
{
	struct fiber *f = self();

	if (f)
		leave(f, YIELDS);
	else
		sched_yield();
}

/* ---- workers ---- */

static void fiber_main(void *arg)
{
	struct fiber *f = arg;

	f->run(f->arg);
	leave(f, RETURNS);
}

static void put_away(struct fibers *s, struct fiber *f)
{
	bool last;

	context_drop(&f->context);
	pthread_mutex_lock(&s->lock);
	f->next = s->unused;
	s->unused = f;
	last = s->live == 1;
	__atomic_store_n(&s->live, s->live - 1, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&s->lock);
	if (last)
		ufx_domain_wake(s->domain, (uintptr_t)&s->live, 1, UFX_ALL);
}

static void resume(struct worker *w, struct fiber *f)
{
	__atomic_store_n(&w->moves, w->moves + (f->worker && f->worker != w),
			 __ATOMIC_RELAXED);
	f->worker = w;
	set_self(f);
	context_switch(&w->context, &f->context);
	set_self(NULL);
	switch (f->leaves) {
	case YIELDS:
		make_runnable(w->fibers, f);
		break;
	case PARKS:
		settle(w->fibers, f); /* @f may be anywhere afterwards */
		break;
	case RETURNS:
		put_away(w->fibers, f);
		break;
	}
}

/*
 * NULL: none, and then *@seen, *@until say until when there is none, and *@stopping
 * whether there will be. All looked at in one step: what changes later adds news.
 */
static struct fiber *next_one(struct fibers *s, uint32_t *seen, int64_t *until,
			      bool *stopping)
{
	struct fiber *f;
	unsigned int expired;

	pthread_mutex_lock(&s->lock);
	expired = expire(s);
	f = pop(s);
	*seen = s->news;
	*stopping = s->stopping;
	*until = s->deadlines.n ? s->deadlines.heap[0]->until : FIBER_FOREVER;
	pthread_mutex_unlock(&s->lock);
	if (expired > 1) /* one is ours */
		wake_workers(s, expired - 1);
	return f;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct fibers *s = w->fibers;

	for (;;) {
		struct ufx_condition c = { .key = (uintptr_t)&s->news, .word = &s->news,
					   .size = sizeof(s->news) };
		uint32_t seen;
		int64_t until;
		bool stopping;
		struct fiber *f = next_one(s, &seen, &until, &stopping);

		c.expected = seen;
		if (f)
			resume(w, f);
		else if (stopping)
			return NULL;
		else
			fiber_wait(s->domain, &c, until, NULL);
	}
}

/* ---- the scheduler ---- */

static void release(struct fibers *s)
{
	if (s->stacks && s->stacks != MAP_FAILED)
		munmap(s->stacks, (size_t)s->most * FIBER_STACK);
	pthread_mutex_destroy(&s->lock);
	free(s->deadlines.heap);
	free(s->all);
	free(s);
}

static void stop(struct fibers *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	add_news(s);
	pthread_mutex_unlock(&s->lock);
	wake_workers(s, WORKERS_MAX);
	for (unsigned int i = 0; i < s->nworkers; i++)
		pthread_join(s->workers[i].thread, NULL);
	release(s);
}

static bool allocate(struct fibers *s)
{
	s->all = calloc(s->most, sizeof(*s->all));
	s->deadlines.heap = calloc(s->most, sizeof(*s->deadlines.heap));
	s->stacks = mmap(NULL, (size_t)s->most * FIBER_STACK, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!s->all || !s->deadlines.heap || s->stacks == MAP_FAILED)
		return false;
	for (unsigned int i = s->most; i-- > 0;) {
		struct fiber *f = &s->all[i];

		f->fibers = s;
		f->deadline.place = -1;
		f->stack = s->stacks + (size_t)i * FIBER_STACK;
		f->next = s->unused;
		s->unused = f;
	}
	return true;
}

struct fibers *fibers_start(struct ufx_domain *domain, unsigned int workers,
			    unsigned int most)
{
	struct fibers *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->domain = domain;
	s->most = most;
	s->end = &s->first;
	pthread_mutex_init(&s->lock, NULL);
	if (!allocate(s)) {
		release(s);
		return NULL;
	}
	for (; s->nworkers < workers && s->nworkers < WORKERS_MAX; s->nworkers++) {
		struct worker *w = &s->workers[s->nworkers];

		w->fibers = s;
		if (pthread_create(&w->thread, NULL, worker_main, w)) {
			stop(s);
			return NULL;
		}
	}
	return s;
}

bool fibers_spawn(struct fibers *s, void (*run)(void *arg), void *arg)
{
	struct fiber *f;

	pthread_mutex_lock(&s->lock);
	f = s->unused;
	if (f) {
		s->unused = f->next;
		__atomic_store_n(&s->live, s->live + 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&s->lock);
	if (!f)
		return false;
	f->run = run;
	f->arg = arg;
	f->worker = NULL;
	context_make(&f->context, f->stack, FIBER_STACK, fiber_main, f);
	make_runnable(s, f);
	return true;
}

unsigned long fibers_moves(const struct fibers *s)
{
	unsigned long moves = 0;

	for (unsigned int i = 0; i < s->nworkers; i++)
		moves += __atomic_load_n(&s->workers[i].moves, __ATOMIC_RELAXED);
	return moves;
}

void fibers_end(struct fibers *s)
{
	uint32_t live;

	while ((live = __atomic_load_n(&s->live, __ATOMIC_ACQUIRE))) {
		struct ufx_condition c = { .key = (uintptr_t)&s->live, .word = &s->live,
					   .size = sizeof(live), .expected = live };

		fiber_wait(s->domain, &c, FIBER_FOREVER, NULL);
	}
	stop(s);
}
