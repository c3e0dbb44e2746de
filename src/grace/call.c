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

#define LAZY_MAX 64 /* then the caller drives */

/* Wiped by fork: calls of the parent are the parent's. */
struct calls {
	struct ufx_call *last; /* newest first */
	uint32_t driver;       /* lock */
	uint32_t pending;
	int refused; /* why calls were dropped, never to run */
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

/* One batch; false if there was none. */
static bool run_batch(void)
{
	struct ufx_call *call = take_all();
	ufx_cookie newest = { 0 };
	int error;

	if (!call)
		return false;
	ufx_store(&calls->pending, 0);
	for (struct ufx_call *c = call; c; c = c->next)
		if (c->cookie.period > newest.period)
			newest = c->cookie;
	error = ufx_grace_cond_sync(newest);
	if (error) { /* never run: what they would free may still be seen */
		ufx_store(&calls->refused, error);
		return true;
	}
	while (call) {
		struct ufx_call *next = call->next; /* fn may free it */

		call->fn(call);
		call = next;
	}
	return true;
}

/* The caller holds the driver's role; gives it back. */
static void drive_and_retire(void)
{
	for (;;) {
		driving = true;
		while (run_batch())
			;
		driving = false;
		ufx_unlock(&calls->driver);
		/*
		 * Who queued before our unlock could not take the role, so look
		 * once more. Partner: push, then ufx_lock_try, both full fences.
		 */
		if (!ufx_load(&calls->last) || !ufx_lock_try(&calls->driver))
			return;
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
	if (!driving && ufx_lock_try(&calls->driver))
		drive_and_retire();
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
	drive_and_retire();
	return ufx_load(&calls->refused);
}
