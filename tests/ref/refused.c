// SPDX-License-Identifier: MIT
/*
 * Where the kernel refuses grace periods no count can be told to be zero: what
 * is counted stays alive, and the verbs say so.
 */
#include <ufutex/ref.h>

#include "hammer.h"
#include "refused.h"
#include "things.h"

static int released;

static void count_release(struct ufx_ref *ref)
{
	(void)ref;
	released++;
}

static void refs(void)
{
	struct ufx_ref ref;

	ufx_ref_init(&ref, count_release);
	ufx_ref_get(&ref);
	refused_from_here();
	is_int(ufx_ref_kill(&ref), -EPERM, "kill");
	ok(!ufx_ref_is_dying(&ref), "it is not dying: it stays as it is");
	is_int(ufx_ref_switch_to_atomic(&ref), -EPERM, "switch to atomic");
	is_int(ufx_ref_kill(&ref), -EPERM, "kill again");
	ok(ufx_ref_tryget_live(&ref), "it may be got");
	for (int i = 0; i < 1000; i++)
		ufx_ref_get(&ref);
	ufx_ref_put_many(&ref, 1000);
	ufx_ref_put(&ref);
	ufx_ref_put(&ref);
	ok(!ufx_ref_is_zero(&ref) && !released, "it is never found at zero");
}

static void note_confirm(struct ufx_ref *ref)
{
	(void)ref;
	released++;
}

static void refs_later(void)
{
	struct ufx_ref ref;

	ufx_ref_init(&ref, count_release);
	refused_from_here();
	is_int(ufx_ref_kill_and_confirm(&ref, note_confirm), 0, "kill and confirm");
	is_int(ufx_grace_barrier(), -EPERM, "a barrier");
	ok(ufx_ref_is_dying(&ref), "it is dying");
	is_int(released, 0, "and neither confirmed nor released");
	is_int(ufx_ref_resurrect(&ref), 0, "it may be resurrected");
	ok(ufx_ref_tryget_live(&ref), "and got");
}

static void publish_first(void)
{
	struct ufx_object *a = thing_new(UFX_SLOT_PUBLISH_FIRST);
	struct ufx_object *b = thing_new(UFX_SLOT_PUBLISH_FIRST), *got;
	struct ufx_slot slot;

	ufx_slot_init(&slot, UFX_SLOT_PUBLISH_FIRST, a);
	refused_from_here();
	is_int(ufx_slot_replace(&slot, b), 0, "the new object is in force");
	got = ufx_slot_get(&slot);
	ok(got == b, "it is got");
	ufx_slot_put(&slot, got);
	ok(thing_alive(a), "the old one is not released: somebody may see it");
	ufx_slot_exit(&slot);
	ok(thing_alive(a), "not even when the slot goes");
	ok(!thing_alive(b), "the last one is released then");
}

static void when_idle(void)
{
	struct ufx_object *a = thing_new(UFX_SLOT_WHEN_IDLE);
	struct ufx_object *b = thing_new(UFX_SLOT_WHEN_IDLE), *got;
	struct ufx_slot slot;

	ufx_slot_init(&slot, UFX_SLOT_WHEN_IDLE, a);
	got = ufx_slot_get(&slot);
	refused_from_here();
	ufx_slot_put(&slot, got);
	is_int(ufx_slot_replace(&slot, b), -EPERM, "replace");
	got = ufx_slot_get(&slot);
	ok(got == a, "the old object stays in force");
	ufx_slot_put(&slot, got);
	is_int(ufx_slot_replace(&slot, b), -EPERM, "replace again");
	ok(thing_alive(b), "the new one was not used");
	thing_unused(b);
	ufx_slot_exit(&slot);
	ok(!thing_alive(a), "the slot goes");
}

/* The same with a period that has elapsed: then the first step needs none. */
static void when_idle_skip(void)
{
	struct ufx_object *a = thing_new(UFX_SLOT_WHEN_IDLE);
	struct ufx_object *b = thing_new(UFX_SLOT_WHEN_IDLE), *got;
	struct ufx_slot slot;

	ufx_slot_init(&slot, UFX_SLOT_WHEN_IDLE, a);
	ufx_grace_synchronize();
	refused_from_here();
	is_int(ufx_slot_replace_later(&slot, b), 0, "asked for");
	for (int i = 0; i < 100; i++) {
		got = ufx_slot_get(&slot);
		if (got != a)
			break;
		ufx_slot_put(&slot, got);
	}
	ok(got == a, "the old object stays in force");
	ufx_slot_exit(&slot);
	is_int(things_released, 2, "the slot goes, with both");
}

int main(void)
{
	refused_child("refs", refs);
	refused_child("refs that are to confirm", refs_later);
	refused_child("publish first", publish_first);
	refused_child("when idle", when_idle);
	refused_child("when idle, the first period has elapsed", when_idle_skip);
	return tap_end();
}
