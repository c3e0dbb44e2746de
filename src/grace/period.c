/* SPDX-License-Identifier: MIT */
/*
 * Numbered grace periods, one at a time. Period n runs between started = n
 * and done = n. Whoever needs one leads; who comes meanwhile waits for the
 * next, which one of them leads for all: two barriers serve any number of
 * requests. The kernel serialises them system-wide anyway.
 */
#include <errno.h>

#include "grace/mode.h"
#include "grace/period.h"
#include "grace/reader.h"
#include "host/fault.h"
#include "host/lock.h"
#include "host/memory.h"
#include "host/thread.h"

/* Wiped by fork: no leader, no period; cookies of the parent are too high. */
struct periods {
	uint64_t started;
	uint64_t done;
	uint64_t failed;
	uint32_t leader; /* lock */
};

static struct periods *periods;

int ufx_period_start(void)
{
	periods = ufx_pages_alloc_wiped(4096);
	return periods ? ufx_calls_start() : -ENOMEM;
}

ufx_cookie ufx_grace_get_state(void)
{
	ufx_cookie cookie;

	if (ufx_start())
		return (ufx_cookie){ UINT64_MAX };
	/*
	 * The caller's publication, fence, load of started. Partner: lead()
	 * stores started, fence, barrier. If we do not see its number, its
	 * barrier comes after our publication, so the next number is enough;
	 * if we do, its barrier may have been too early and one more is asked.
	 */
	ufx_fence();
	cookie.period = ufx_load(&periods->started);
	if (!UFX_FAULT(COOKIE_RUNNING))
		cookie.period++;
	return cookie;
}

ufx_cookie ufx_grace_publish(void **where, void *object)
{
	ufx_cookie early = { 0 };

	if (UFX_FAULT(COOKIE_EARLY)) {
		early = ufx_grace_get_state();
		ufx_delay();
	}
	ufx_store_release(where, object);
	/* R1: the cookie is taken after the publication, never before. */
	return UFX_FAULT(COOKIE_EARLY) ? early : ufx_grace_get_state();
}

ufx_cookie ufx_grace_start_poll(void)
{
	return ufx_grace_get_state(); /* whoever comes next makes it anyway */
}

/*
 * The last period that is done. Where a handler forked over lead(), what that
 * stores in the child lies above @started, and says nothing. An acquire;
 * partner: lead() releases @done after it stored @started, so that whoever sees
 * the one sees the other.
 */
static uint64_t last_done(void)
{
	uint64_t done = ufx_load_acquire(&periods->done);

	return done <= ufx_load(&periods->started) ? done : 0;
}

bool ufx_grace_poll(ufx_cookie cookie)
{
	return !ufx_start() && last_done() >= cookie.period;
}

/* Makes one period. The caller holds the leader's lock. 0 or -errno. */
static int lead(void)
{
	uint64_t number = ufx_load(&periods->started) + 1;
	int ret;

	if (ufx_load(&periods->done) >= number) /* see last_done */
		ufx_store(&periods->done, 0);
	ufx_store(&periods->started, number);
	/*
	 * Partners: ufx_grace_get_state; and the fences of readers, behind their
	 * marks and counts, which the barrier and the banks' drain look at next.
	 */
	ufx_fence();
	ret = ufx_mode->barrier();
	if (ret) { /* nobody may believe that it has elapsed */
		ufx_add_relaxed(&periods->failed, 1);
		return ret;
	}
	if (!UFX_FAULT(NO_DRAIN))
		ufx_banks_drain();
	ufx_store_release(&periods->done, number);
	return 0;
}

static int make_one(uint64_t wanted)
{
	int ret = 0;

	ufx_enter_inside();
	ufx_lock(&periods->leader);
	/* Somebody may have led it while we waited for the lock. */
	if (last_done() < wanted)
		ret = lead();
	ufx_unlock(&periods->leader);
	ufx_leave_inside();
	return ret;
}

int ufx_grace_cond_sync(ufx_cookie cookie)
{
	int ret = ufx_start();

	while (!ret && !ufx_grace_poll(cookie)) {
		if (cookie.period > ufx_load(&periods->started) + 1)
			cookie = ufx_grace_get_state(); /* taken before a fork */
		ret = make_one(cookie.period);
	}
	return ret;
}

int ufx_grace_synchronize(void)
{
	return ufx_grace_cond_sync(ufx_grace_get_state());
}

uint64_t ufx_periods_made(void)
{
	return last_done();
}

uint64_t ufx_periods_failed(void)
{
	return ufx_load(&periods->failed);
}
