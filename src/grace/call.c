/* SPDX-License-Identifier: MIT */
/*
 * Deferred calls. They wait in one list; the driver takes all of it, makes
 * one grace period for all, and runs them in the order they came (those that
 * a refusal put back come later). There is one driver at a time. A call that
 * is queued meanwhile, by a callback too, is seen by it before it retires, or
 * by the thread that relieves it. Callbacks run under no lock but the driver's
 * role, which ufx_grace_barrier waits for and, when the driver has done enough
 * for others, hurried calls. Who may get the role is bound (host/thread.h).
 */
#include <errno.h>

#include "grace/mode.h"
#include "grace/period.h"
#include "host/fault.h"
#include "host/lock.h"
#include "host/memory.h"
#include "host/thread.h"

#define LAZY_MAX UFX_SMALL(64, 2) /* then the caller drives */
#define BATCHES_MAX UFX_SMALL(8, 1) /* then the driver may be relieved */

/* Wiped by fork: calls of the parent are the parent's. */
struct calls {
	struct ufx_call *last; /* newest first */
	uint32_t driver;       /* lock */
	uint32_t pending;
	uint32_t long_drive; /* the driver has done enough: relieve it */
	uint32_t waiting;    /* threads that are bound to get the role */
};

static struct calls *calls;

static bool driving(void)
{
	return ufx_load(&ufx_thread_driving);
}

int ufx_calls_start(void)
{
	calls = ufx_pages_alloc_wiped(4096);
	return calls ? 0 : -ENOMEM;
}

static void push(struct ufx_call *call)
{
	call->next = ufx_load(&calls->last);
	while (!ufx_cas(&calls->last, &call->next, call))
		;
	/* Queued, then a try at the role. Partner: drive_and_retire. */
	ufx_fence_after_rmw();
}

/* Takes the whole list, oldest first. */
static struct ufx_call *take_all(void)
{
	struct ufx_call *newest = ufx_xchg(&calls->last, NULL), *oldest = NULL;

	while (newest) {
		struct ufx_call *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}

/* Makes a batch's period and runs it; refused: it goes back. 0 or -errno. */
static int run(struct ufx_call *call)
{
	ufx_cookie newest = { 0 };
	int ret;

	for (struct ufx_call *c = call; c; c = c->next)
		if (c->cookie.period > newest.period)
			newest = c->cookie;
	ret = ufx_grace_cond_sync(newest);
	while (call) {
		struct ufx_call *next = call->next; /* fn may free it */

		if (!ret) {
			call->fn(call);
		} else { /* what it would free may still be seen */
			push(call);
			ufx_fetch_add(&calls->pending, 1);
		}
		call = next;
	}
	return ret;
}

/*
 * Runs batches until there is none; or, when it has run several, until another
 * thread waits for the role: that one goes on (*@relieved). 0, or -errno of a
 * refusal (for this thread: another may be allowed to).
 */
static int drive(bool *relieved)
{
	int ret = 0;

	ufx_store(&calls->long_drive, 0);
	for (int batches = 1; !ret && !*relieved; batches++) {
		struct ufx_call *call = take_all();

		if (!call)
			break;
		ufx_store(&calls->pending, 0);
		ret = run(call);
		if (batches >= BATCHES_MAX) {
			ufx_store(&calls->long_drive, 1);
			*relieved = ufx_load(&calls->waiting);
		}
	}
	return ret;
}

/* The caller holds the driver's role; gives it back. */
static int drive_and_retire(void)
{
	for (;;) {
		bool relieved = false;
		int ret;

		ufx_store(&ufx_thread_driving, 1);
		ret = drive(&relieved);
		ufx_unlock(&calls->driver);
		ufx_store(&ufx_thread_driving, 0); /* last: a handler before it only queues */
		/*
		 * Who queued before our unlock could not take the role, so look
		 * once more. Partner: push, then ufx_lock_try.
		 */
		ufx_fence_after_rmw();
		if (UFX_FAULT(RETIRE_BLINDLY))
			return ret;
		if (ret || relieved || !ufx_load(&calls->last) ||
		    !ufx_lock_try(&calls->driver))
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

/* Unless a driver is there who has not done enough yet. */
static void drive_or_rely(void)
{
	if (ufx_lock_try(&calls->driver))
		drive_and_retire();
	else if (ufx_load(&calls->long_drive))
		relieve_and_drive();
}

void ufx_grace_call(struct ufx_call *call, void (*fn)(struct ufx_call *call))
{
	call->fn = fn;
	call->cookie = ufx_grace_get_state();
	if (ufx_start())
		return;
	ufx_bind();
	push(call);
	if (ufx_fetch_add(&calls->pending, 1) + 1 >= LAZY_MAX && !driving() &&
	    !ufx_thread_inside && ufx_lock_try(&calls->driver))
		drive_and_retire();
	ufx_unbind();
}

void ufx_grace_call_hurry(struct ufx_call *call, void (*fn)(struct ufx_call *call))
{
	call->fn = fn;
	call->cookie = ufx_grace_get_state();
	if (ufx_start())
		return;
	ufx_bind();
	push(call);
	if (!driving()) /* else it is seen before we retire */
		drive_or_rely();
	ufx_unbind();
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
