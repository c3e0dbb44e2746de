// SPDX-License-Identifier: MIT
/* Cookies: when they have elapsed, and when not. */
#include <ufutex/grace.h>

#include "grace/reader.h"

#include "blocked.h"
#include "hammer.h"

static void one_thread(void)
{
	ufx_cookie first = ufx_grace_get_state(), second, published;
	void *where = NULL;

	ok(!ufx_grace_poll(first), "a new cookie has not elapsed");
	is_int(ufx_grace_cond_sync(first), 0, "cond_sync");
	ok(ufx_grace_poll(first), "now it has");
	is_int(ufx_grace_cond_sync(first), 0, "cond_sync again");
	second = ufx_grace_get_state();
	ok(!ufx_grace_poll(second), "a later cookie has not");
	ok(ufx_grace_poll(first), "the earlier one still has");
	is_int(ufx_grace_synchronize(), 0, "synchronize");
	ok(ufx_grace_poll(second), "now it has");
	second = ufx_grace_start_poll();
	is_int(ufx_grace_cond_sync(second), 0, "start_poll, cond_sync");
	ok(ufx_grace_poll(second), "that one too");
	published = ufx_grace_publish(&where, &where);
	ok(where == &where, "publish stores");
	ok(!ufx_grace_poll(published), "its cookie has not elapsed");
	is_int(ufx_grace_cond_sync(published), 0, "cond_sync");
	ok(ufx_grace_poll(published), "now it has");
}

static long synchronize(void *arg)
{
	(void)arg;
	return ufx_grace_synchronize();
}

/* A cookie taken while a period is being made is not served by that one. */
static void amid_a_period(void)
{
	struct ufx_read read = ufx_read_begin();
	ufx_cookie before = ufx_grace_get_state(), amid;
	struct blocked b;

	blocked_start(&b, synchronize, NULL, NULL);
	/* Until it is being made, a cookie names it; from then on the next. */
	do {
		amid = ufx_grace_get_state();
	} while (amid.period == before.period);
	ok(!ufx_grace_poll(before), "a reader keeps the period open");
	ok(!blocked_ended(&b), "synchronize waits");
	ufx_read_end(read);
	is_int(blocked_join(&b), 0, "it ends when the reader has left");
	ok(ufx_grace_poll(before), "the cookie from before has elapsed");
	ok(!ufx_grace_poll(amid), "the one from amid has not");
	is_int(ufx_grace_cond_sync(amid), 0, "cond_sync");
	ok(ufx_grace_poll(amid), "now it has");
}

/* ---- publication, and nobody sees the old object after its period ---- */

static int *current;
static int objects[64];
static int wrong;

static void read_it(struct hammer *h)
{
	struct ufx_read read = ufx_read_begin();
	int *object = __atomic_load_n(&current, __ATOMIC_ACQUIRE);

	for (uint32_t i = hammer_random(h, 50); i; i--)
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (!__atomic_load_n(object, __ATOMIC_RELAXED))
		__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
	ufx_read_end(read);
}

static void readers(void)
{
	int64_t end = clock_ms() + 300;
	struct crew c = { 0 };
	int i, n = 0, failed = 0;

	objects[0] = 1;
	current = &objects[0];
	for (i = 0; i < 3; i++)
		crew_add(&c, read_it, NULL);
	while (clock_ms() < end) {
		int *old = current;
		ufx_cookie cookie;

		n++;
		__atomic_store_n(&objects[n % 64], 1, __ATOMIC_RELAXED);
		cookie = ufx_grace_publish((void **)&current, &objects[n % 64]);
		failed += ufx_grace_cond_sync(cookie) != 0;
		__atomic_store_n(old, 0, __ATOMIC_RELAXED);
	}
	crew_stop(&c);
	is_int(failed, 0, "%d periods beside three readers", n);
	is_int(wrong, 0, "nobody has seen an object after its period");
}

int main(void)
{
	one_thread();
	amid_a_period();
	readers();
	return tap_end();
}
