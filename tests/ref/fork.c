// SPDX-License-Identifier: MIT
/*
 * A child of fork: references that its parent counted are its own too; new
 * counts never share cells with those of an interrupted parent's operation.
 */
#include <ufutex/ref.h>

#include "hammer.h"
#include "things.h"

static struct ufx_ref ref;
static struct ufx_slot slot;
static int released;

static void count_release(struct ufx_ref *r)
{
	(void)r;
	released++;
}

static void new_ones(void)
{
	struct ufx_ref other;

	is_int(ufx_ref_init(&other, count_release), 0, "a ref of the child's own");
	ok(other.counters.cells != ref.counters.cells, "with cells of its own");
	ufx_ref_get(&other);
	ufx_ref_kill(&other);
	is_int(released, 0, "is held");
	ufx_ref_put(&other);
	is_int(released, 1, "and released");
	ufx_ref_exit(&other);
}

static void inherited(void)
{
	struct ufx_object *object = ufx_slot_get(&slot);

	ok(object && thing_alive(object), "the parent's slot gives its object");
	ufx_slot_put(&slot, object);
	is_int(ufx_slot_replace(&slot, thing_new(UFX_SLOT_PUBLISH_FIRST)), 0,
	       "it may be replaced");
	released = 0;
	ufx_ref_get(&ref);
	ufx_ref_put_many(&ref, 3);
	is_int(ufx_ref_kill(&ref), 0, "the parent's ref is killed");
	is_int(released, 0, "one of its references is left");
	ufx_ref_put(&ref);
	is_int(released, 1, "then it is released, in the child");
}

static void child(void)
{
	new_ones();
	inherited();
	_exit(0);
}

int main(void)
{
	pid_t pid;

	ufx_slot_init(&slot, UFX_SLOT_PUBLISH_FIRST,
		      thing_new(UFX_SLOT_PUBLISH_FIRST));
	ufx_ref_init(&ref, count_release);
	ufx_ref_get_many(&ref, 3);
	pid = tap_fork();
	if (pid == 0)
		child();
	tap_reap(pid, "fork");
	is_int(ufx_ref_kill(&ref), 0, "the parent's own is its own");
	is_int(ref.counters.count, 3, "three are left there");
	ufx_ref_put_many(&ref, 3);
	is_int(released, 1, "released");
	ufx_slot_exit(&slot);
	is_int(things_released, 1, "the slot goes");
	return tap_end();
}
