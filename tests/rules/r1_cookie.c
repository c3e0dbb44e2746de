// SPDX-License-Identifier: MIT
/*
 * R1: a cookie names a grace period that begins after the publication.
 *
 * A handler that interrupts the publication makes a whole grace period, but
 * only as long as the new object has not been published. So no period begins
 * after it, and the cookie may not be found elapsed.
 */
#include <ufutex/grace.h>

#include "hammer.h"
#include "rule.h"

static void *published, *next;
static int periods, publishing;

static void make_period(int sig)
{
	(void)sig;
	if (!__atomic_load_n(&publishing, __ATOMIC_RELAXED) ||
	    __atomic_load_n(&published, __ATOMIC_RELAXED) == next)
		return;
	ufx_grace_synchronize();
	periods++;
}

/* Makes a publication; has its cookie elapsed at once? */
static bool too_early(int round)
{
	static int objects[2];
	ufx_cookie cookie;

	next = &objects[round & 1];
	__atomic_store_n(&publishing, 1, __ATOMIC_RELAXED);
	cookie = ufx_grace_publish(&published, next);
	__atomic_store_n(&publishing, 0, __ATOMIC_RELAXED);
	return ufx_grace_poll(cookie);
}

int main(void)
{
	int early = 0, round = 0;
	int64_t end;
	timer_t timer;

	rule_start();
	ufx_test_delay = 100000;
	timer = signal_each(150000, make_period);
	end = clock_ms() + 300;
	while (clock_ms() < end && !early)
		early += too_early(round++);
	timer_delete(timer);
	is_int(early, 0,
	       "no cookie of %d has elapsed at once; %d periods before",
	       round, periods);
	return tap_end();
}
