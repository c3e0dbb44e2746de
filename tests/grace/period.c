// SPDX-License-Identifier: MIT
/*
 * Requests that arrive while a grace period is being made share the next one:
 * any number of threads need two.
 */
#include "grace/period.h"
#include "grace/reader.h"

#include "blocked.h"
#include "hammer.h"

#define THREADS 24

static long synchronize(void *arg)
{
	(void)arg;
	return ufx_grace_synchronize();
}

static void two_for_all(void)
{
	struct blocked first, b[THREADS];
	ufx_cookie cookie;
	struct ufx_read read;
	uint64_t before;
	int i, failed = 0;

	ufx_grace_synchronize();
	before = ufx_periods_made();
	read = ufx_read_begin();
	cookie = ufx_grace_get_state();
	blocked_start(&first, synchronize, NULL, NULL);
	while (ufx_grace_get_state().period == cookie.period)
		sched_yield(); /* until it is being made */
	for (i = 0; i < THREADS; i++)
		blocked_start(&b[i], synchronize, NULL, NULL);
	for (i = 0; i < THREADS; i++)
		blocked_wait(&b[i]);
	ufx_read_end(read);
	failed += blocked_join(&first) != 0;
	for (i = 0; i < THREADS; i++)
		failed += blocked_join(&b[i]) != 0;
	is_int(failed, 0, "%d threads come while a period is being made", THREADS);
	is_int((long long)(ufx_periods_made() - before), 2,
	       "that one and one more do for all");
}

/* ---- readers that never leave the fallback banks empty ---- */

static int started;

/* Overlap: each leaves only when the next one has come. */
static void overlap(struct hammer *h)
{
	struct ufx_read read = ufx_read_begin();
	int mine = __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);

	(void)h;
	while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) == mine &&
	       !__atomic_load_n(&h->stop, __ATOMIC_RELAXED))
		sched_yield();
	ufx_read_end(read);
}

static void no_starving(void)
{
	struct crew c = { 0 };
	int i, failed = 0;

	for (i = 0; i < 3; i++)
		crew_add(&c, overlap, NULL);
	for (i = 0; i < 50; i++)
		failed += ufx_grace_synchronize() != 0;
	crew_stop(&c);
	is_int(failed, 0, "50 periods while there is a reader at any time");
}

/* A reader within another one, as a handler's may be. */
static void nested(void)
{
	struct ufx_read outer = ufx_read_begin(), inner = ufx_read_begin();
	struct blocked b;

	blocked_start(&b, synchronize, NULL, NULL);
	while (!__atomic_load_n(&b.tid, __ATOMIC_ACQUIRE))
		sched_yield();
	ufx_read_end(inner);
	nap_us(2000); /* time to go wrong in */
	ok(!blocked_ended(&b), "the end of an inner read side is not the end");
	ufx_read_end(outer);
	is_int(blocked_join(&b), 0, "that of the outer one is");
}

int main(void)
{
	two_for_all();
	no_starving();
	nested();
	return tap_end();
}
