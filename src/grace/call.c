/* SPDX-License-Identifier: MIT */
/*
 * Deferred calls. They wait in one list; the driver takes all of it, makes
 * one grace period for all, and runs them in the order they came (those that
 * a refusal put back come later). There is one driver at a time. A call that
 * is queued meanwhile, by a callback too, is seen by it before it retires, or
 * by the thread that relieves it. Callbacks run under no lock but the driver's
 * role, which ufx_grace_barrier waits for and, when the driver has done enough
 * for others or has a budget, hurried calls. Who may get the role is bound
 * (host/thread.h). What a driver took and did not run, as it was refused or has
 * no budget left, comes first for the next.
 */
#include <errno.h>
#include <limits.h>
#include <time.h>

#include "grace/mode.h"
#include "grace/period.h"
#include "host/clock.h"
#include "host/event.h"
#include "host/fault.h"
#include "host/lock.h"
#include "host/memory.h"
#include "host/rule.h"
#include "host/thread.h"

#define BATCHES_MAX UFX_SMALL(8, 1) /* then the driver may be relieved */

/* Wiped by fork: calls of the parent are the parent's. */
struct calls {
	struct ufx_call *last; /* newest first */
	struct ufx_call *due;  /* oldest first: taken and not run. The driver's */
	uint32_t driver;       /* lock */
	uint32_t takes_all;    /* the driver will run what is queued meanwhile */
	uint32_t waiting;      /* threads that are bound to get the role */
	uint32_t event;        /* its descriptor + 1; 0: nobody asked for one */
	uint32_t told;         /* it was set since ufx_grace_run cleared it */
	/* Counted up before the list grows: a fork by a handler makes them too small. */
	uint64_t pending;
	uint64_t bytes;
};

static struct calls *calls;
static uint64_t limit_calls = UFX_SMALL(64, 2), limit_bytes = 1 << 20;

static bool driving(void)
{
	return ufx_load(&ufx_thread_driving);
}

/* What a driver may do. */
struct budget {
	unsigned int calls; /* 0: all */
	unsigned int ran;
	uint64_t ns, since; /* 0: any time */
};

int ufx_calls_start(void)
{
	calls = ufx_pages_alloc_wiped(4096);
	return calls ? 0 : -ENOMEM;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	ufx_clock(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool spent(const struct budget *b)
{
	return b && ((b->calls && b->ran >= b->calls) ||
		     (b->ns && b->ran && now_ns() - b->since >= b->ns));
}

/* Not below zero: wiped meanwhile if a function, or a handler, forked. */
static void less(uint64_t *count, uint64_t n)
{
	uint64_t old = ufx_load(count);

	while (old && !ufx_cas(count, &old, old > n ? old - n : 0))
		;
}

/* True: they have reached a limit. */
static bool count_up(const struct ufx_call *call)
{
	uint64_t n = ufx_fetch_add(&calls->pending, 1) + 1, bytes = 0;
	uint64_t most = ufx_load(&limit_calls), most_bytes = ufx_load(&limit_bytes);

	if (call->bytes)
		bytes = ufx_fetch_add(&calls->bytes, call->bytes) + call->bytes;
	return (most && n >= most) || (most_bytes && bytes >= most_bytes);
}

static void count_down(const struct ufx_call *call)
{
	less(&calls->pending, 1);
	if (call->bytes)
		less(&calls->bytes, call->bytes);
}

/* Queues it; true: somebody should drive now. */
static bool push(struct ufx_call *call)
{
	bool enough = count_up(call);

	call->next = ufx_load(&calls->last);
	while (!ufx_cas(&calls->last, &call->next, call))
		;
	/*
	 * Queued, then a try at the role, a look at who has it, or at whether the
	 * event is set. Partners: drive_and_retire, ufx_grace_run.
	 */
	ufx_fence_after_rmw();
	return enough;
}

/* Sets the event, if there is one that is not set. */
static void tell(void)
{
	uint32_t event = ufx_load(&calls->event);

	if (event && !ufx_xchg(&calls->told, 1))
		ufx_event_set((int)event - 1);
}

/* Takes all of the list, oldest first; or what an earlier driver left of it. */
static struct ufx_call *take_all(void)
{
	struct ufx_call *newest, *oldest = calls->due;

	calls->due = NULL;
	if (oldest)
		return oldest;
	newest = ufx_xchg(&calls->last, NULL);
	while (newest) {
		struct ufx_call *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}

/* Makes a batch's period and runs it, as far as it may. 0 or -errno. */
static int run(struct ufx_call *call, struct budget *b)
{
	ufx_cookie newest = { 0 };
	int ret;

	for (struct ufx_call *c = call; c; c = c->next)
		if (c->cookie.period > newest.period)
			newest = c->cookie;
	ret = ufx_grace_cond_sync(newest);
	while (call && !ret && !spent(b)) {
		struct ufx_call *next = call->next; /* fn may free it */

		count_down(call);
		call->fn(call);
		if (b)
			b->ran++;
		call = next;
	}
	calls->due = call; /* refused: what it would free may still be seen */
	return ret;
}

/*
 * Runs batches until there is none; or until the budget is spent; or, when it
 * has run several, until another thread waits for the role: that one goes on
 * (*@relieved). 0, or -errno of a refusal (for this thread: another may be
 * allowed to).
 */
static int drive(struct budget *b, bool *relieved)
{
	int ret = 0;

	ufx_store(&calls->takes_all, !b);
	for (int batches = 1; !ret && !*relieved && !spent(b); batches++) {
		struct ufx_call *call = take_all();

		if (!call)
			break;
		ret = run(call, b);
		if (!b && batches >= BATCHES_MAX) {
			ufx_store(&calls->takes_all, 0);
			*relieved = ufx_load(&calls->waiting);
		}
	}
	return ret;
}

/* Drives with the role in hand and gives it back. *@left: some are left over. */
static int drive_once(struct budget *b, bool *relieved, bool *left)
{
	int ret;

	ufx_store(&ufx_thread_driving, 1);
	ret = drive(b, relieved);
	*left = calls->due;
	ufx_store(&calls->takes_all, 0);
	ufx_unlock(&calls->driver);
	ufx_store(&ufx_thread_driving, 0); /* last: a handler before it only queues */
	/*
	 * Who queued before our unlock could not take the role, so look once
	 * more. Partner: push, then ufx_lock_try.
	 */
	ufx_fence_after_rmw();
	*left |= ufx_load(&calls->last) != NULL;
	return ret;
}

/* The caller holds the driver's role; gives it back. */
static int drive_and_retire(void)
{
	for (;;) {
		bool relieved = false, left;
		int ret = drive_once(NULL, &relieved, &left);

		if (UFX_FAULT(RETIRE_BLINDLY))
			return ret;
		if (ret) /* another thread may be allowed to */
			tell();
		if (ret || relieved || !left || !ufx_lock_try(&calls->driver))
			return ret;
	}
}

/* Wiped meanwhile if a handler forked over us: then nobody waits here. */
static void no_longer_waiting(void)
{
	uint32_t n = ufx_load(&calls->waiting);

	while (n && !ufx_cas(&calls->waiting, &n, n - 1))
		;
}

/* Waits for the role, and drives. */
static int relieve_and_drive(void)
{
	ufx_fetch_add(&calls->waiting, 1);
	ufx_lock(&calls->driver);
	no_longer_waiting();
	return drive_and_retire();
}

/*
 * Unless a driver is there who takes this, too. One that said so cleared it
 * before its unlock, so who still reads it is seen by the look behind that.
 */
static void drive_or_rely(void)
{
	if (ufx_lock_try(&calls->driver))
		drive_and_retire();
	else if (!ufx_load(&calls->takes_all))
		relieve_and_drive();
}

/* False: the library does not start. */
static bool prepare(struct ufx_call *call, void (*fn)(struct ufx_call *), size_t bytes)
{
	call->fn = fn;
	call->bytes = bytes;
	call->cookie = ufx_grace_get_state();
	return !ufx_start();
}

void ufx_grace_call_bytes(struct ufx_call *call, void (*fn)(struct ufx_call *call),
			  size_t bytes)
{
	ufx_rule(fn, "a deferred call needs a function");
	if (!prepare(call, fn, bytes))
		return;
	ufx_bind();
	if (push(call) && !driving() && !ufx_thread_inside &&
	    ufx_lock_try(&calls->driver))
		drive_and_retire();
	else if (!driving()) /* else it is seen before we retire */
		tell();
	ufx_unbind();
}

void ufx_grace_call(struct ufx_call *call, void (*fn)(struct ufx_call *call))
{
	ufx_grace_call_bytes(call, fn, 0);
}

void ufx_grace_call_hurry(struct ufx_call *call, void (*fn)(struct ufx_call *call))
{
	ufx_rule(fn, "a deferred call needs a function");
	if (!prepare(call, fn, 0))
		return;
	ufx_bind();
	push(call);
	if (!driving()) /* else it is seen before we retire */
		drive_or_rely();
	ufx_unbind();
}

void ufx_grace_limit(uint64_t most_calls, uint64_t most_bytes)
{
	ufx_store(&limit_calls, most_calls);
	ufx_store(&limit_bytes, most_bytes);
}

uint64_t ufx_grace_pending(uint64_t *bytes)
{
	bool started = !ufx_start();

	if (bytes)
		*bytes = started ? ufx_load(&calls->bytes) : 0;
	return started ? ufx_load(&calls->pending) : 0;
}

/*
 * Clears the event. Who queues after this sets it anew; whoever did before and
 * found it set is in the list that we, or the driver whom we meet, look at.
 * Partner: push, then tell.
 */
static void clear_event(void)
{
	uint32_t event = ufx_load(&calls->event);

	if (!event)
		return;
	ufx_event_clear((int)event - 1);
	ufx_store(&calls->told, 0);
	ufx_fence();
}

int ufx_grace_run(unsigned int most_calls, uint64_t ns)
{
	struct budget b = { .calls = most_calls, .ns = ns };
	bool relieved = false, left = false;
	int ret = ufx_start();

	if (ret)
		return ret;
	if (driving())
		return -EDEADLK;
	if (ns)
		b.since = now_ns();
	ufx_bind();
	clear_event();
	if (ufx_lock_try(&calls->driver))
		ret = drive_once(&b, &relieved, &left);
	if (left && (!ret || b.ran)) /* nothing ran: it would be told for ever */
		tell();
	ufx_unbind();
	if (b.ran)
		return b.ran < INT_MAX ? (int)b.ran : INT_MAX;
	return ret;
}

int ufx_grace_event(void)
{
	uint32_t none = 0;
	int fd, ret = ufx_start();

	if (ret)
		return ret;
	if (!ufx_load(&calls->event)) {
		fd = ufx_event_new();
		if (fd < 0)
			return fd;
		if (!ufx_cas(&calls->event, &none, (uint32_t)fd + 1))
			ufx_event_close(fd);
	}
	/* What was queued before it was there. Partner: push, then tell. */
	ufx_fence_after_rmw();
	if (ufx_load(&calls->pending))
		tell();
	return (int)ufx_load(&calls->event) - 1;
}

int ufx_grace_barrier(void)
{
	int ret = ufx_start();

	if (ret)
		return ret;
	if (driving())
		return -EDEADLK;
	if (UFX_FAULT(BARRIER_IDLY) && !ufx_load(&calls->last))
		return 0;
	/*
	 * With the role in hand, every call that an earlier driver took has run,
	 * and every other one is in the list.
	 */
	ufx_bind();
	ret = relieve_and_drive();
	ufx_unbind();
	return ret;
}
