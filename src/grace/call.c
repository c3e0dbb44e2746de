/* SPDX-License-Identifier: MIT */
/*
 * Deferred calls. They wait in one list; the driver takes all of it, makes
 * one grace period for all, and runs them in the order they came. There is
 * one driver at a time; a call that is queued meanwhile, by a callback too, is
 * seen by it before it retires. Callbacks run under no lock but the driver's
 * role, which only ufx_grace_barrier waits for.
 */
#include <errno.h>

#include "grace/mode.h"
#include "grace/period.h"
#include "host/lock.h"
#include "host/memory.h"
#include "host/thread.h"

#define LAZY_MAX 64   /* then the caller drives */
#define BATCHES_MAX 8 /* then the driver may be relieved */

/* Wiped by fork: calls of the parent are the parent's. */
struct calls {
	struct ufx_call *last; /* newest first */
	uint32_t driver;       /* lock */
	uint32_t pending;
	uint32_t long_drive; /* the driver has done enough: relieve it */
};

static struct calls *calls;
static UFX_TLS bool driving;

int ufx_calls_start(void)
{
	calls = ufx_pages_alloc_wiped(4096);
	return calls ? 0 : -ENOMEM;
}

bool ufx_calls_driving(void)
{
	return driving;
}

static void push(struct ufx_call *call)
{
	call->next = ufx_load(&calls->last);
	while (!ufx_cas(&calls->last, &call->next, call))
		;
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

		if (ret) /* what it would free may still be seen */
			push(call);
		else
			call->fn(call);
		call = next;
	}
	return ret;
}

/*
 * Runs batches until there is none, or until a thread sleeps on the role: it
 * goes on. So nobody drives for others for ever. 0, or -errno of a refusal
 * (for this thread: another may be allowed to).
 */
static int drive(void)
{
	int ret = 0;

	driving = true;
	ufx_store(&calls->long_drive, 0);
	for (int batches = 0; !ret; batches++) {
		struct ufx_call *call = take_all();

		if (!call)
			break;
		ufx_store(&calls->pending, 0);
		ret = run(call);
		if (batches >= BATCHES_MAX)
			ufx_store(&calls->long_drive, 1);
		if (batches > BATCHES_MAX && ufx_load(&calls->driver) == 2)
			break;
	}
	driving = false;
	return ret;
}

/* The caller holds the driver's role; gives it back. */
static int drive_and_retire(void)
{
	for (;;) {
		int ret = drive();

		ufx_unlock(&calls->driver);
		/*
		 * Who queued before our unlock could not take the role, so look
		 * once more. Partner: push, then ufx_lock_try.
		 */
		ufx_fence_after_rmw();
		if (ret || !ufx_load(&calls->last) || !ufx_lock_try(&calls->driver))
			return ret;
	}
}

void ufx_grace_call(struct ufx_call *call, void (*fn)(struct ufx_call *call))
{
	call->fn = fn;
	call->cookie = ufx_grace_get_state();
	if (ufx_start())
		return;
	push(call);
	if (ufx_fetch_add(&calls->pending, 1) + 1 >= LAZY_MAX && !driving &&
	    !ufx_thread_inside && ufx_lock_try(&calls->driver))
		drive_and_retire();
}

void ufx_grace_call_hurry(struct ufx_call *call, void (*fn)(struct ufx_call *call))
{
	call->fn = fn;
	call->cookie = ufx_grace_get_state();
	if (ufx_start())
		return;
	push(call);
	if (driving)
		return;
	if (ufx_lock_try(&calls->driver)) {
		drive_and_retire();
	} else if (ufx_load(&calls->long_drive)) {
		ufx_lock(&calls->driver);
		drive_and_retire();
	}
}

int ufx_grace_barrier(void)
{
	int ret = ufx_start();

	if (ret)
		return ret;
	if (driving)
		return -EDEADLK;
	/*
	 * With the role in hand, every call that an earlier driver took has run,
	 * and every other one is in the list.
	 */
	ufx_lock(&calls->driver);
	return drive_and_retire();
}
