// SPDX-License-Identifier: MIT
/*
 * R2: the grace period of restartable sequences is the membarrier that
 * restarts them; the plain one lets one in flight commit to what it loaded
 * before, that is, count on an object that has been freed.
 */
#include "hammer.h"
#include "rule.h"
#include "things.h"

static struct ufx_slot slot;
static int late; /* objects pinned after their release */

static void use(struct hammer *h)
{
	struct ufx_object *object = ufx_slot_get(&slot);

	(void)h;
	if (!thing_alive(object))
		__atomic_fetch_add(&late, 1, __ATOMIC_SEQ_CST);
	ufx_slot_put(&slot, object);
}

static bool seen_late(void)
{
	return __atomic_load_n(&late, __ATOMIC_SEQ_CST);
}

/*
 * Replaces the object over and over. A put that counted too late keeps its
 * object for ever: false if all are in use for long.
 */
static bool replace(int64_t ms, int *replaced)
{
	int64_t end = clock_ms() + ms, last = clock_ms();

	while (clock_ms() < end && !seen_late()) {
		struct ufx_object *object = thing_new(UFX_SLOT_PUBLISH_FIRST);

		if (object && !ufx_slot_replace(&slot, object)) {
			last = clock_ms();
			++*replaced;
		}
		if (clock_ms() - last > 2000)
			return false;
		nap_us(50);
	}
	return true;
}

int main(void)
{
	struct ufx_capabilities caps = rule_start();
	struct crew c = { 0 };
	int replaced = 0;

	tap_timeout(20);
	if (caps.mode != UFX_MODE_RSEQ) {
		skip("n/a: this mode has no restartable sequences",
		     "nothing is pinned after its release");
		return tap_end();
	}
	ufx_slot_init(&slot, UFX_SLOT_PUBLISH_FIRST,
		      thing_new(UFX_SLOT_PUBLISH_FIRST));
	ufx_section_delay = 20000; /* longer than the return from a call */
	crew_add(&c, use, NULL);
	crew_add(&c, use, NULL);
	ok(replace(rule_faulty() ? 8000 : 700, &replaced),
	   "what is put is released");
	diag("%d replaced", replaced);
	ok(!seen_late(), "nothing is pinned after its release");
	if (rule_faulty()) /* what it has done to the counts is not to end well */
		return tap_end();
	diag("%llu pins", (unsigned long long)crew_stop(&c));
	ufx_slot_exit(&slot);
	ufx_grace_barrier(); /* what was replaced before */
	is_int(things_released, things_made, "each is released");
	is_int(things_twice, 0, "once");
	return tap_end();
}
