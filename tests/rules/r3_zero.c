// SPDX-License-Identifier: MIT
/*
 * R3: in the atomic state a get commits inside protection too; it never takes
 * the count from zero to one.
 */
#include "hammer.h"
#include "rule.h"
#include "things.h"

static int ref_released;

static void count_release(struct ufx_ref *ref)
{
	(void)ref;
	ref_released++;
}

static void ref_at_zero(void)
{
	struct ufx_ref ref;

	ufx_ref_init(&ref, count_release);
	is_int(ufx_ref_kill(&ref), 0, "a ref that nobody else holds is killed");
	is_int(ref_released, 1, "it is released");
	ok(!ufx_ref_tryget(&ref), "tryget finds zero");
	ok(ufx_ref_is_zero(&ref), "and leaves zero");
	ufx_ref_exit(&ref);
}

/* Nobody holds the first object, so it is at zero once asked to go. */
static void slot_at_zero(void)
{
	struct ufx_object *first = thing_new(UFX_SLOT_WHEN_IDLE);
	struct ufx_object *second = thing_new(UFX_SLOT_WHEN_IDLE), *got;
	struct ufx_slot slot;

	ufx_slot_init(&slot, UFX_SLOT_WHEN_IDLE, first);
	is_int(ufx_slot_replace_later(&slot, second), 0, "asked to go");
	got = ufx_slot_get(&slot);
	ok(got == second, "the next user gets the other one");
	ufx_slot_put(&slot, got);
	ufx_slot_exit(&slot);
	ufx_grace_barrier(); /* what was replaced before */
}

/* ---- under load ---- */

static int late;

static void use(struct hammer *h)
{
	struct ufx_object *object = ufx_slot_get(h->arg);

	if (!thing_alive(object))
		__atomic_fetch_add(&late, 1, __ATOMIC_SEQ_CST);
	ufx_slot_put(h->arg, object);
	if (hammer_random(h, 8) == 0)
		sched_yield();
}

static bool replace(struct ufx_slot *slot)
{
	struct ufx_object *object = thing_new(slot->kind);
	int ret;

	if (!object)
		return false;
	if (slot->kind == UFX_SLOT_WHEN_IDLE)
		ret = ufx_slot_replace_later(slot, object);
	else
		ret = ufx_slot_replace(slot, object);
	if (ret)
		thing_unused(object);
	return !ret;
}

static void under_load(enum ufx_slot_kind kind)
{
	int64_t end = clock_ms() + 300;
	struct ufx_slot slot;
	struct crew c = { 0 };
	int replaced = 0;

	ufx_slot_init(&slot, kind, thing_new(kind));
	crew_add(&c, use, &slot);
	crew_add(&c, use, &slot);
	while (clock_ms() < end) {
		replaced += replace(&slot);
		nap_us(20);
	}
	is_int(late, 0, "%d replaced under load: none is used after its release",
	       replaced);
	if (late) /* the counts are wrong now */
		exit(tap_end());
	crew_stop(&c);
	ufx_slot_exit(&slot);
	ufx_grace_barrier(); /* what was replaced before */
	is_int(things_released, things_made, "each is released");
	is_int(things_twice, 0, "once");
}

int main(void)
{
	rule_start();
	ref_at_zero();
	slot_at_zero();
	tap_timeout(20);
	ufx_test_delay = 1000; /* between the pointer and the count */
	under_load(UFX_SLOT_PUBLISH_FIRST);
	under_load(UFX_SLOT_WHEN_IDLE);
	return tap_end();
}
