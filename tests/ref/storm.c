// SPDX-License-Identifier: MIT
/*
 * Storms of replacements in slots, with users that hold an object for a while.
 * Nothing is used after its release, everything is released once, and a
 * publish-first slot never hands out an object older than the one before the
 * last publication that was complete.
 */
#include <ufutex/ref.h>

#include "hammer.h"
#include "things.h"

static struct ufx_slot slot;
static enum ufx_slot_kind kind;
static int late, old, in_force; /* number of the newest complete one */

static void check(struct ufx_object *object, int least)
{
	if (!thing_alive(object))
		__atomic_fetch_add(&late, 1, __ATOMIC_SEQ_CST);
	if (((struct thing *)object)->number < least)
		__atomic_fetch_add(&old, 1, __ATOMIC_SEQ_CST);
}

/* Holds up to three at a time. */
static void use(struct hammer *h)
{
	struct ufx_object *object[3];
	int i, n = 1 + (int)hammer_random(h, 3);

	for (i = 0; i < n; i++) {
		int least = __atomic_load_n(&in_force, __ATOMIC_ACQUIRE);

		object[i] = i % 2 ? ufx_slot_get_inline(&slot) :
				    ufx_slot_get(&slot);
		check(object[i], least);
	}
	if (hammer_random(h, 32) == 0)
		sched_yield();
	for (i = 0; i < n; i++) {
		check(object[i], 0);
		if (i % 2)
			ufx_slot_put(&slot, object[i]);
		else
			ufx_slot_put_inline(&slot, object[i]);
	}
	if (hammer_random(h, 16) == 0)
		use_cpu((int)hammer_random(h, 2));
}

static void replace(struct hammer *h)
{
	struct ufx_object *object = thing_new(kind);
	int number;

	if (!object) {
		sched_yield();
		return;
	}
	number = ((struct thing *)object)->number;
	if (ufx_slot_replace(&slot, object))
		bail("a replacement fails");
	/* With one replacer only. */
	__atomic_store_n(&in_force, number, __ATOMIC_RELEASE);
	if (hammer_random(h, 4) == 0)
		nap_us(20);
}

static void one(enum ufx_slot_kind which, const char *name, int replacers)
{
	struct crew users = { 0 }, r = { 0 };
	uint64_t replaced;
	int i;

	kind = which;
	late = old = 0;
	in_force = things_made;
	if (replacers > 1)
		in_force = 0;
	ufx_slot_init(&slot, kind, thing_new(kind));
	for (i = 0; i < 3; i++)
		crew_add(&users, use, NULL);
	for (i = 0; i < replacers; i++)
		crew_add(&r, replace, NULL);
	nap_us(250000);
	crew_tell(&r);
	/* At zero may wait for a moment without users: they go then. */
	nap_us(20000);
	crew_stop(&users);
	replaced = crew_join(&r);
	diag("%s: %llu replaced", name, (unsigned long long)replaced);
	ufx_slot_exit(&slot);
	ufx_grace_barrier();
	is_int(late, 0, "%s: nothing is used after its release", name);
	if (replacers == 1)
		is_int(old, 0, "nothing older than what is in force is got");
	is_int(things_released, things_made, "everything is released");
	is_int(things_twice, 0, "once");
}

int main(void)
{
	one(UFX_SLOT_PUBLISH_FIRST, "publish first, one replacer", 1);
	one(UFX_SLOT_PUBLISH_FIRST, "publish first, two replacers", 2);
	one(UFX_SLOT_WHEN_IDLE, "when idle, one replacer", 1);
	one(UFX_SLOT_WHEN_IDLE, "when idle, two replacers", 2);
	return tap_end();
}
