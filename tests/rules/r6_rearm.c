// SPDX-License-Identifier: MIT
/*
 * R6: one migration of a set of counters at a time; the counters are zero and
 * re-armed before the next.
 */
#include "grace/reader.h"
#include "host/lock.h"
#include "ref/counted.h"
#include "ref/idle.h"

#include "blocked.h"
#include "hammer.h"
#include "rule.h"
#include "things.h"

static struct ufx_slot slot;

static struct ufx_object *other(void)
{
	return thing_new(UFX_SLOT_WHEN_IDLE);
}

/* An object that is held must stay, whatever the counters were used for before. */
static void held_one_stays(void)
{
	struct ufx_object *second = other(), *third = other(), *got;

	is_int(ufx_slot_replace(&slot, second), 0, "the first is replaced");
	got = ufx_slot_get(&slot);
	ok(got == second, "the second is in force");
	is_int(ufx_slot_replace_later(&slot, third), 0, "a third is asked for");
	is_int(slot.migration->counters.count, 1,
	       "one reference is counted: ours");
	got = ufx_slot_get(&slot);
	ok(got == second, "the second stays while it is held");
	ufx_slot_put(&slot, second);
	ufx_slot_put(&slot, second);
	got = ufx_slot_get(&slot);
	ok(got == third, "then the third takes its place");
	ufx_slot_put(&slot, got);
}

static void many_in_a_row(void)
{
	for (int i = 0; i < 200; i++)
		if (ufx_slot_replace(&slot, other()))
			break;
	ufx_grace_barrier();
	is_int(things_made - things_released, 1, "200 more, one after the other");
}

static long ask(void *object)
{
	return ufx_slot_replace_later(&slot, object);
}

static bool is_pending(void)
{
	bool pending;

	ufx_lock(&slot.lock);
	pending = slot.pending;
	ufx_unlock(&slot.lock);
	return pending;
}

/* While one migration waits for its grace period no other one begins. */
static void one_at_a_time(void)
{
	struct ufx_object *next = other(), *late = other();
	struct ufx_read read;
	struct blocked b;

	read = ufx_read_begin();
	blocked_start(&b, ask, next, NULL);
	while (!is_pending())
		sched_yield();
	is_int(ufx_slot_replace_later(&slot, late), -EBUSY,
	       "another request meanwhile is refused");
	ufx_read_end(read);
	is_int(blocked_join(&b), 0, "the first one goes on");
	is_int(ufx_slot_replace(&slot, late), 0, "and then the other one");
}

static void replace_it(struct hammer *h)
{
	struct ufx_object *object = other();

	(void)h;
	if (!object)
		sched_yield();
	else if (ufx_slot_replace(&slot, object))
		bail("a replacement fails");
}

static void use(struct hammer *h)
{
	struct ufx_object *object = ufx_slot_get(&slot);

	if (!thing_alive(object))
		bail("a released object is used");
	ufx_slot_put(&slot, object);
	if (hammer_random(h, 4) == 0)
		sched_yield();
}

static void many_at_once(void)
{
	struct crew c = { 0 };
	int before = things_released;

	crew_add(&c, replace_it, NULL);
	crew_add(&c, replace_it, NULL);
	crew_add(&c, use, NULL);
	nap_us(300000);
	/* A replacer may wait for the user's pins, so it goes first. */
	crew_stop(&c);
	ok(things_released > before, "%d replaced by two threads at once",
	   things_released - before);
}

int main(void)
{
	rule_start();
	ufx_slot_init(&slot, UFX_SLOT_WHEN_IDLE, other());
	held_one_stays();
	many_in_a_row();
	one_at_a_time();
	many_at_once();
	ufx_slot_exit(&slot);
	ufx_grace_barrier(); /* what was replaced before */
	is_int(things_released, things_made, "each is released");
	is_int(things_twice, 0, "once");
	return tap_end();
}
