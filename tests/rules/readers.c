// SPDX-License-Identifier: MIT
/*
 * A grace period waits for every read side that is not a restartable sequence:
 * those in the fallback banks, and those that mark their thread.
 */
#include <ufutex/grace.h>

#include "grace/reader.h"

#include "blocked.h"
#include "hammer.h"
#include "rule.h"

static long synchronize(void *arg)
{
	(void)arg;
	return ufx_grace_synchronize();
}

static void waits(const char *what)
{
	struct ufx_read read = ufx_read_begin();
	int64_t end = clock_ms() + 50;
	struct blocked b;

	blocked_start(&b, synchronize, NULL, NULL);
	while (clock_ms() < end && !blocked_ended(&b))
		nap_us(1000);
	ok(!blocked_ended(&b), "%s: a grace period waits for a reader", what);
	ufx_read_end(read);
	is_int(blocked_join(&b), 0, "and ends when it has left");
}

/* ---- what that is for ---- */

static int *current;
static int objects[64];
static int late;

static void read_it(struct hammer *h)
{
	struct ufx_read read = ufx_read_begin();
	int *object = __atomic_load_n(&current, __ATOMIC_ACQUIRE);

	for (uint32_t i = hammer_random(h, 500); i; i--)
		ufx_compiler_barrier();
	if (!__atomic_load_n(object, __ATOMIC_RELAXED))
		__atomic_fetch_add(&late, 1, __ATOMIC_SEQ_CST);
	ufx_read_end(read);
}

static void nobody_sees_the_old_one(void)
{
	int64_t end = clock_ms() + 300;
	struct crew c = { 0 };
	int n = 0;

	objects[0] = 1;
	current = &objects[0];
	crew_add(&c, read_it, NULL);
	crew_add(&c, read_it, NULL);
	while (clock_ms() < end) {
		int *old = current;

		__atomic_store_n(&objects[++n % 64], 1, __ATOMIC_RELAXED);
		ufx_grace_cond_sync(ufx_grace_publish((void **)&current,
						      &objects[n % 64]));
		__atomic_store_n(old, 0, __ATOMIC_RELAXED);
	}
	crew_stop(&c);
	is_int(late, 0, "in %d periods nobody sees what was replaced before", n);
}

int main(void)
{
	rule_start();
	waits("the first time");
	waits("the second time"); /* in the other bank */
	waits("the third time");
	nobody_sees_the_old_one();
	return tap_end();
}
