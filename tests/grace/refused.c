// SPDX-License-Identifier: MIT
/*
 * A filter that is installed after the start and refuses membarrier: then no
 * grace period elapses; nobody hangs, and no deferred call runs.
 */
#include <ufutex/grace.h>

#include "hammer.h"
#include "refused.h"

static int ran;

static void count(struct ufx_call *call)
{
	(void)call;
	ran++;
}

static uint64_t failures(void)
{
	struct ufx_capabilities caps;

	ufx_caps(&caps);
	return caps.grace_failures;
}

static void cookies(void)
{
	ufx_cookie before = ufx_grace_get_state(), cookie;

	ufx_grace_synchronize();
	cookie = ufx_grace_get_state();
	refused_from_here();
	is_int(ufx_grace_synchronize(), -EPERM, "synchronize");
	is_int(ufx_grace_cond_sync(cookie), -EPERM, "cond_sync");
	ok(!ufx_grace_poll(cookie), "a cookie does not elapse");
	ok(ufx_grace_poll(before), "one that had elapsed still has");
	is_int(ufx_grace_cond_sync(before), 0, "and needs no period");
	ok(failures() >= 2, "the failures are counted");
}

static void calls(void)
{
	struct ufx_call call[3];

	refused_from_here();
	ufx_grace_call(&call[0], count);
	ufx_grace_call_hurry(&call[1], count);
	is_int(ran, 0, "a hurried call does not run");
	is_int(ufx_grace_barrier(), -EPERM, "a barrier says so");
	is_int(ufx_grace_barrier(), -EPERM, "each time");
	ufx_grace_call(&call[2], count);
	is_int(ufx_grace_barrier(), -EPERM, "with another call as well");
	is_int(ran, 0, "none has run");
}

static void synchronize(struct hammer *h)
{
	(void)h;
	if (ufx_grace_synchronize() != -EPERM)
		bail("a grace period is said to have elapsed");
}

static void many(void)
{
	struct crew c = { 0 };

	refused_from_here();
	for (int i = 0; i < 4; i++)
		crew_add(&c, synchronize, NULL);
	nap_us(50000);
	ok(crew_stop(&c) > 0, "nobody waits for another's success");
}

int main(void)
{
	ufx_grace_synchronize();
	refused_child("cookies", cookies);
	refused_child("calls", calls);
	refused_child("many threads", many);
	return tap_end();
}
