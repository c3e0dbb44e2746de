/* SPDX-License-Identifier: MIT */
/* References: ref, and slots of both kinds. */
#include "all.h"
#include "scene.h"

#define OBJECTS 3

/* Objects that are given back when released: a use after that is seen. */
struct thing {
	struct ufx_object object;
	uint32_t released;
};

static struct thing *things[OBJECTS];
static struct ufx_slot *slot;
static struct ufx_ref *ref;
static uint32_t *releases;

static uint32_t putting[FIBERS]; /* R10: nothing is released there */

static void release_thing(struct ufx_object *object)
{
	struct thing *t = (struct thing *)object;

	must(!putting[model_fiber()]);
	must(!t->released++);
	__atomic_fetch_add(releases, 1, __ATOMIC_RELAXED);
	scenario_free(t);
}

static void make_slot(enum ufx_slot_kind kind)
{
	slot = scene_memory(sizeof(*slot));
	releases = scene_memory(4);
	for (int i = 0; i < OBJECTS; i++) {
		things[i] = scene_memory(sizeof(**things));
		must(!ufx_object_init(&things[i]->object, kind, release_thing));
	}
	must(!ufx_slot_init(slot, kind, &things[0]->object));
}

static void publish_first(void)
{
	make_slot(UFX_SLOT_PUBLISH_FIRST);
}

static void when_idle(void)
{
	make_slot(UFX_SLOT_WHEN_IDLE);
}

static void uses(void)
{
	struct thing *t = (struct thing *)ufx_slot_get(slot);

	must(t);
	must(!t->released);
	putting[model_fiber()] = 1;
	ufx_slot_put(slot, &t->object);
	putting[model_fiber()] = 0;
}

static void uses_twice(void)
{
	uses();
	uses();
}

static void replaces_1(void)
{
	must(!ufx_slot_replace(slot, &things[1]->object));
}

static void replaces_2(void)
{
	must(!ufx_slot_replace(slot, &things[2]->object));
}

static void replaces_both(void)
{
	replaces_1();
	replaces_2();
}

/* Drives what is left, takes the slot down: all are released, each once. */
static void all_released(void)
{
	must(!ufx_grace_barrier());
	ufx_slot_exit(slot);
	must(!ufx_grace_barrier());
	must(*releases == OBJECTS);
}

static void two_released(void)
{
	must(!ufx_grace_barrier());
	ufx_slot_exit(slot);
	must(!ufx_grace_barrier());
	must(*releases == 2);
}

const struct scenario slot_publish = {
	.name = "slot-publish",
	.what = "an object is used while it is replaced, publish first",
	.rules = "R2 R4 R5 R8",
	.modes = "rseq membarrier fence shared",
	.setup = publish_first,
	.threads = { uses, uses, replaces_1 },
	.check = two_released,
};

const struct scenario slot_publish_twice = {
	.name = "slot-publish-twice",
	.what = "two replacements, publish first, and a user",
	.rules = "R2 R4 R6 R8",
	.modes = "rseq fence",
	.setup = publish_first,
	.threads = { uses, replaces_1, replaces_2 },
	.check = all_released,
};

const struct scenario slot_idle = {
	.name = "slot-idle",
	.what = "an object is used while it is replaced, when idle",
	.rules = "R1 R2 R3 R4 R5 R8",
	.modes = "rseq membarrier fence shared",
	.setup = when_idle,
	.threads = { uses, uses, replaces_1 },
	.check = two_released,
};

const struct scenario slot_idle_twice = {
	.name = "slot-idle-twice",
	.what = "two replacements one after the other, when idle",
	.rules = "R1 R3 R4 R6 R8",
	.modes = "rseq fence",
	.setup = when_idle,
	.threads = { uses_twice, replaces_both },
	.check = all_released,
};

const struct scenario slot_idle_rivals = {
	.name = "slot-idle-rivals",
	.what = "two replacements at once, when idle, and a user",
	.rules = "R4 R6 R8",
	.modes = "rseq fence",
	.setup = when_idle,
	.threads = { uses, replaces_1, replaces_2 },
	.check = all_released,
};

/* ---- teardown ---- */

static void asks_and_exits(void)
{
	must(!ufx_slot_replace_later(slot, &things[1]->object));
	ufx_slot_exit(slot);
	scenario_free(slot);
}

static void drives(void)
{
	must(!ufx_grace_barrier());
}

static void nothing_pending(void)
{
	must(!ufx_grace_barrier());
	must(*releases == 2);
}

const struct scenario slot_teardown = {
	.name = "slot-teardown",
	.what = "a slot goes while its replacement's call is pending",
	.rules = "R7 R8",
	.modes = "rseq fence",
	.setup = when_idle,
	.threads = { asks_and_exits, drives },
	.check = nothing_pending,
};

/* ---- ref ---- */

static void release_ref(struct ufx_ref *r)
{
	__atomic_fetch_add(releases, 1, __ATOMIC_RELAXED);
	ufx_ref_exit(r);
	scenario_free(r);
}

static void make_ref(void)
{
	ref = scene_memory(sizeof(*ref));
	releases = scene_memory(4);
	must(!ufx_ref_init(ref, release_ref));
	ufx_ref_get(ref); /* one for each user */
	ufx_ref_get(ref);
}

static void gets_and_puts(void)
{
	ufx_ref_get(ref);
	ufx_ref_put(ref);
	ufx_ref_put(ref);
}

static void kills(void)
{
	must(!ufx_ref_kill(ref));
}

static void released_once(void)
{
	must(*releases == 1);
}

const struct scenario ref_kill = {
	.name = "ref-kill",
	.what = "a ref is killed under gets and puts",
	.rules = "R2 R4 R5 R10",
	.modes = "rseq membarrier fence shared",
	.setup = make_ref,
	.threads = { gets_and_puts, gets_and_puts, kills },
	.check = released_once,
};

static void switches_and_kills(void)
{
	must(!ufx_ref_switch_to_atomic(ref));
	must(!ufx_ref_switch_to_percpu(ref));
	kills();
}

static void make_ref_of_two(void)
{
	make_ref();
	ufx_ref_put(ref);
}

const struct scenario ref_switch = {
	.name = "ref-switch",
	.what = "a ref goes to atomic and back and is killed under a user",
	.rules = "R4 R6",
	.modes = "rseq fence",
	.setup = make_ref_of_two,
	.threads = { gets_and_puts, switches_and_kills },
	.check = released_once,
};

static uint32_t *confirmed;

static void confirms(struct ufx_ref *r)
{
	must(r == ref && !*releases);
	__atomic_fetch_add(confirmed, 1, __ATOMIC_RELAXED);
}

static void make_ref_to_confirm(void)
{
	make_ref_of_two();
	confirmed = scene_memory(4);
}

static void kills_and_confirms(void)
{
	must(!ufx_ref_kill_and_confirm(ref, confirms));
	must(!ufx_grace_barrier());
	must(__atomic_load_n(confirmed, __ATOMIC_RELAXED) == 1);
}

const struct scenario ref_confirm = {
	.name = "ref-confirm",
	.what = "a ref is killed by a deferred call, and confirms, under a user and a driver",
	.rules = "R4 R6 calls",
	.modes = "rseq fence",
	.setup = make_ref_to_confirm,
	.threads = { gets_and_puts, kills_and_confirms, drives },
	.check = released_once,
};

static void puts_on_another_cpu(void)
{
	ufx_ref_get(ref);
	scenario_migrate();
	ufx_ref_put(ref);
	ufx_ref_put(ref);
}

const struct scenario ref_migrate = {
	.name = "ref-migrate",
	.what = "a get on one CPU and its put on another",
	.rules = "R5",
	.setup = make_ref,
	.threads = { puts_on_another_cpu, gets_and_puts, kills },
	.check = released_once,
};

static void handler_gets_and_puts(void)
{
	ufx_ref_get(ref);
	ufx_ref_put(ref);
}

static void gets_and_puts_under_signals(void)
{
	ufx_ref_get(ref);
	ufx_ref_put(ref);
	scenario_take_signals();
	ufx_ref_put(ref);
}

const struct scenario ref_handler = {
	.name = "ref-handler",
	.what = "a handler gets and puts amid gets, puts and a kill",
	.rules = "R10",
	.setup = make_ref,
	.threads = { gets_and_puts_under_signals, gets_and_puts, kills },
	.handler = handler_gets_and_puts,
	.signals = { 1, 0, 0 },
	.check = released_once,
};
