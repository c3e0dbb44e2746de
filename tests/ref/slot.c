// SPDX-License-Identifier: MIT
/* Slots of both kinds: what is in force, and when the old one is released. */
#include <ufutex/ref.h>

#include "blocked.h"
#include "hammer.h"
#include "things.h"

static const char *const names[] = { "when idle", "publish first" };

static struct ufx_object *make(enum ufx_slot_kind kind)
{
	struct ufx_object *object = thing_new(kind);

	if (!object)
		bail("all objects are in use");
	return object;
}

static void empty(enum ufx_slot_kind kind)
{
	struct ufx_object *object = make(kind), *got;
	struct ufx_slot slot;

	is_int(ufx_slot_init(&slot, kind, NULL), 0, "%s: an empty slot",
	       names[kind]);
	ok(!ufx_slot_get(&slot) && !ufx_slot_get_inline(&slot), "has nothing");
	is_int(ufx_slot_replace(&slot, object), 0, "an object is put in");
	got = ufx_slot_get(&slot);
	ok(got == object, "it is got");
	ufx_slot_put(&slot, got);
	ufx_slot_exit(&slot);
	ok(!thing_alive(object), "the exit releases it");
	ufx_slot_init(&slot, kind, NULL);
	ufx_slot_exit(&slot);
	ok(1, "an empty slot goes");
}

static void replaced(enum ufx_slot_kind kind)
{
	struct ufx_object *a = make(kind), *b = make(kind), *got[4];
	struct ufx_slot slot;

	ufx_slot_init(&slot, kind, a);
	got[0] = ufx_slot_get(&slot);
	got[1] = ufx_slot_get_inline(&slot);
	ok(got[0] == a && got[1] == a, "%s: the first object", names[kind]);
	ufx_slot_put_inline(&slot, got[0]);
	ufx_slot_put(&slot, got[1]);
	is_int(ufx_slot_replace(&slot, b), 0, "replaced");
	got[2] = ufx_slot_get(&slot);
	got[3] = ufx_slot_get_inline(&slot);
	ok(got[2] == b && got[3] == b, "the second object");
	ufx_grace_barrier();
	ok(!thing_alive(a), "the first is released");
	ufx_slot_put_inline(&slot, got[2]);
	ufx_slot_put(&slot, got[3]);
	ufx_slot_exit(&slot);
	ok(!thing_alive(b), "the exit releases the second");
}

static long replace(void *arg)
{
	void **args = arg;

	return ufx_slot_replace(args[0], args[1]);
}

static void publish_while_held(void)
{
	enum ufx_slot_kind kind = UFX_SLOT_PUBLISH_FIRST;
	struct ufx_object *a = make(kind), *b = make(kind), *c = make(kind);
	struct ufx_object *held, *got;
	struct ufx_slot slot;

	ufx_slot_init(&slot, kind, a);
	held = ufx_slot_get(&slot);
	is_int(ufx_slot_replace(&slot, b), 0, "publish first: replaced while held");
	got = ufx_slot_get(&slot);
	ok(got == b, "the new one is in force");
	ok(thing_alive(held), "the held one is not released");
	is_int(ufx_slot_replace(&slot, c), 0, "replaced once more");
	ok(thing_alive(a) && thing_alive(b), "both are held");
	ufx_slot_put(&slot, held);
	ufx_slot_put(&slot, got);
	ufx_slot_exit(&slot);
	ok(!thing_alive(a) && !thing_alive(b) && !thing_alive(c),
	   "all are released in the end");
}

static void idle_while_held(void)
{
	enum ufx_slot_kind kind = UFX_SLOT_WHEN_IDLE;
	struct ufx_object *a = make(kind), *b = make(kind), *held, *got;
	struct ufx_slot slot;
	void *args[2] = { &slot, b };
	struct blocked thread;

	ufx_slot_init(&slot, kind, a);
	held = ufx_slot_get(&slot);
	blocked_start(&thread, replace, args, NULL);
	ok(blocked_wait(&thread), "when idle: a replacement waits while it is held");
	got = ufx_slot_get(&slot);
	ok(got == a, "the old object is got meanwhile");
	ufx_slot_put(&slot, got);
	ok(!blocked_ended(&thread), "it waits on");
	ufx_slot_put(&slot, held);
	is_int(blocked_join(&thread), 0, "the last put lets it through");
	got = ufx_slot_get(&slot);
	ok(got == b, "the new object is in force");
	ufx_slot_put(&slot, got);
	ufx_slot_exit(&slot);
}

static void idle_later(void)
{
	enum ufx_slot_kind kind = UFX_SLOT_WHEN_IDLE;
	struct ufx_object *a = make(kind), *b = make(kind), *c = make(kind);
	struct ufx_object *held, *got;
	struct ufx_slot slot;

	ufx_slot_init(&slot, kind, a);
	held = ufx_slot_get(&slot);
	is_int(ufx_slot_replace_later(&slot, b), 0, "when idle: later");
	is_int(ufx_slot_replace_later(&slot, c), -EBUSY, "one at a time");
	got = ufx_slot_get(&slot);
	ok(got == a, "the old object is in force as long as it is held");
	ufx_slot_put(&slot, got);
	ufx_slot_put(&slot, held);
	got = ufx_slot_get(&slot);
	ok(got == b, "then the next user gets the new one");
	is_int(ufx_slot_replace_later(&slot, c), 0, "and again");
	ufx_slot_put(&slot, got);
	ufx_slot_exit(&slot);
	ufx_grace_barrier();
	is_int(things_released, things_made, "all are released, a pending one too");
}

/* A cookie of the publication. */
static void cookie(void)
{
	struct ufx_object *a = make(UFX_SLOT_PUBLISH_FIRST);
	struct ufx_object *b = make(UFX_SLOT_PUBLISH_FIRST);
	struct ufx_slot slot;
	ufx_cookie c;

	ufx_slot_init(&slot, UFX_SLOT_PUBLISH_FIRST, a);
	c = ufx_slot_publish(&slot, b);
	ok(!ufx_grace_poll(c), "publish: its period has not elapsed");
	ok(thing_alive(a), "the old one is still there");
	is_int(ufx_grace_cond_sync(c), 0, "cond_sync");
	ufx_grace_barrier();
	ok(!thing_alive(a), "then it is released");
	ufx_slot_exit(&slot);
}

/* ---- a slot that goes from within a deferred call ---- */

static struct ufx_slot inner[2];

static void go_away(struct ufx_call *call)
{
	(void)call;
	ufx_slot_exit(&inner[0]);
	ufx_slot_exit(&inner[1]);
}

static void in_a_call(void)
{
	struct ufx_call call;
	int i;

	for (i = 0; i < 2; i++) {
		enum ufx_slot_kind kind = (enum ufx_slot_kind)i;

		ufx_slot_init(&inner[i], kind, make(kind));
		ufx_slot_replace(&inner[i], make(kind));
	}
	ufx_slot_replace_later(&inner[0], make(UFX_SLOT_WHEN_IDLE));
	ufx_grace_call_hurry(&call, go_away);
	ufx_grace_barrier();
	is_int(things_released, things_made, "slots go from within a call");
}

static void reaped(void)
{
	enum ufx_slot_kind kind = UFX_SLOT_PUBLISH_FIRST;
	struct ufx_object *a = make(kind), *b = make(kind), *held;
	struct ufx_slot slot;

	ufx_slot_init(&slot, kind, a);
	held = ufx_slot_get(&slot);
	ufx_slot_replace(&slot, b);
	is_int(ufx_slot_reap(&slot), 0, "reap: what is held is not released");
	ufx_slot_put(&slot, held);
	ok(thing_alive(a), "nor by the put");
	is_int(ufx_slot_reap(&slot), 1, "then it is");
	ok(!thing_alive(a) && thing_alive(b), "that one alone");
	is_int(ufx_slot_reap(&slot), 0, "once");
	held = ufx_slot_get(&slot);
	is_int(ufx_slot_replace(&slot, NULL), 0, "replaced by nothing");
	ok(!ufx_slot_get(&slot), "nothing is got");
	ufx_slot_put(&slot, held);
	is_int(ufx_slot_reap(&slot), 1, "the last one goes");
	ufx_slot_exit(&slot);
	is_int(things_released, things_made, "all are released");
}

static void nothing_to_release(void)
{
	static struct ufx_object a, b;
	struct ufx_slot slot;
	int kind;

	for (kind = 0; kind < 2; kind++) {
		is_int(ufx_object_init(&a, (enum ufx_slot_kind)kind, NULL) ||
		       ufx_object_init(&b, (enum ufx_slot_kind)kind, NULL), 0,
		       "objects without a release");
		ufx_slot_init(&slot, (enum ufx_slot_kind)kind, &a);
		is_int(ufx_slot_replace(&slot, &b), 0, "are replaced");
		ufx_grace_barrier();
		ufx_slot_exit(&slot);
	}
}

static void pending(void)
{
	enum ufx_slot_kind kind = UFX_SLOT_WHEN_IDLE;
	struct ufx_object *a = make(kind), *b = make(kind), *held;
	struct ufx_slot slot;

	ufx_slot_init(&slot, kind, a);
	ok(!ufx_slot_pending(&slot), "nothing is pending");
	held = ufx_slot_get(&slot);
	ufx_slot_replace_later(&slot, b);
	ok(ufx_slot_pending(&slot), "an object is, as long as the old one is held");
	ufx_slot_put(&slot, held);
	held = ufx_slot_get(&slot);
	ok(held == b && !ufx_slot_pending(&slot), "the next user puts it in force");
	ufx_slot_put(&slot, held);
	ufx_slot_exit(&slot);
}

/* With a slot of @kind and an object for the other one. */
static void bad_input(enum ufx_slot_kind kind)
{
	enum ufx_slot_kind other = (enum ufx_slot_kind)!kind;
	struct ufx_object *a = make(kind), *b = make(other);
	struct ufx_slot slot;

	is_int(ufx_slot_init(&slot, kind, b), -EINVAL, "%s: an object of the other kind",
	       names[kind]);
	is_int(ufx_slot_init(NULL, kind, a), -EINVAL, "no slot");
	is_int(ufx_slot_init(&slot, (enum ufx_slot_kind)7, a), -EINVAL, "no such kind");
	is_int(ufx_object_init(a, (enum ufx_slot_kind)7, thing_release), -EINVAL,
	       "an object of no such kind");
	is_int(ufx_object_init(NULL, kind, thing_release), -EINVAL, "no object");
	is_int(ufx_slot_init(&slot, kind, a), 0, "a slot");
	is_int(ufx_slot_replace(&slot, b), -EINVAL, "replace by the other kind");
	is_int(ufx_slot_replace(&slot, a), -EINVAL, "by what is in force");
	is_int(ufx_slot_replace(NULL, a), -EINVAL, "no slot");
	if (kind == UFX_SLOT_WHEN_IDLE)
		is_int(ufx_slot_replace(&slot, NULL), -EINVAL, "by nothing");
	is_int(ufx_slot_replace_later(&slot, b), -EINVAL, "later, the other kind");
	is_int(ufx_slot_replace_later(&slot, a), -EINVAL, "what is in force");
	ok(!ufx_grace_poll(ufx_slot_publish(&slot, b)), "publish the other kind");
	ok(!ufx_grace_poll(ufx_slot_publish(&slot, a)), "what is in force");
	ok(ufx_slot_get(&slot) == a, "it still is");
	ufx_slot_put(&slot, a);
	ufx_slot_exit(&slot);
	is_int(ufx_slot_init(&slot, other, b), 0, "the other is as it was");
	ufx_slot_exit(&slot);
}

int main(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		empty((enum ufx_slot_kind)i);
		replaced((enum ufx_slot_kind)i);
	}
	publish_while_held();
	idle_while_held();
	idle_later();
	cookie();
	in_a_call();
	reaped();
	nothing_to_release();
	pending();
	bad_input(UFX_SLOT_WHEN_IDLE);
	bad_input(UFX_SLOT_PUBLISH_FIRST);
	ufx_grace_barrier();
	is_int(things_released, things_made, "every object is released");
	is_int(things_twice, 0, "once");
	return tap_end();
}
