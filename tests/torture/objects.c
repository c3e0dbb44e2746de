// SPDX-License-Identifier: MIT
/*
 * Slots of both kinds, whose objects are replaced under their users. What has
 * been released is poison from end to end: a user that sees poison, or poison
 * that is not whole when the object is used again, is a finding. And how old
 * is what a user gets: one generation at most behind what had been asked for.
 */
#include "torture.h"

#include <ufutex/ref.h>

#define OBJECTS 256
#define SLOTS 4
#define ALIVE 0x600d600d600d600dull
#define POISON 0xa5

struct thing {
	struct ufx_object object; /* first */
	uint64_t number;
	uint64_t magic;
};

static struct thing things[OBJECTS];
static int in_use[OBJECTS];
static uint64_t made, released;

/* The last one has requests that stay pending, so it knows no ages. */
static struct house {
	struct ufx_slot slot;
	enum ufx_slot_kind kind;
	int replacing; /* one at a time, so that ages mean something */
	uint64_t asked; /* number of the newest object that was asked for */
} houses[SLOTS] = {
	{ .kind = UFX_SLOT_PUBLISH_FIRST },
	{ .kind = UFX_SLOT_PUBLISH_FIRST },
	{ .kind = UFX_SLOT_WHEN_IDLE },
	{ .kind = UFX_SLOT_WHEN_IDLE },
};

static void release(struct ufx_object *object)
{
	struct thing *t = (struct thing *)object;

	if (t->magic != ALIVE)
		finding("an object is released twice (%#jx)", (uintmax_t)t->magic);
	memset(t, POISON, sizeof(*t));
	__atomic_fetch_add(&released, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&in_use[t - things], 0, __ATOMIC_RELEASE);
}

static void still_poison(const struct thing *t)
{
	const unsigned char *byte = (const unsigned char *)t;
	size_t i;

	for (i = 0; i < sizeof(*t); i++)
		if (byte[i] != POISON)
			finding("a released object has been written to, at offset %zu", i);
}

static struct thing *make(unsigned int from, enum ufx_slot_kind kind, uint64_t number)
{
	unsigned int i;
	int ret;

	for (i = 0; i < OBJECTS; i++) {
		struct thing *t = &things[(from + i) % OBJECTS];

		if (__atomic_exchange_n(&in_use[t - things], 1, __ATOMIC_ACQ_REL))
			continue;
		still_poison(t);
		ret = ufx_object_init(&t->object, kind, release);
		if (ret)
			finding("ufx_object_init returns %d", ret);
		t->number = number;
		t->magic = ALIVE;
		__atomic_fetch_add(&made, 1, __ATOMIC_SEQ_CST);
		return t;
	}
	return NULL;
}

static void start(void)
{
	int i;

	memset(things, POISON, sizeof(things));
	for (i = 0; i < SLOTS; i++)
		ufx_slot_init(&houses[i].slot, houses[i].kind,
			      &make(0, houses[i].kind, 0)->object);
}

static void alive(struct ufx_object *object, const char *when)
{
	struct thing *t = (struct thing *)object;
	uint64_t magic = __atomic_load_n(&t->magic, __ATOMIC_ACQUIRE);

	if (magic != ALIVE)
		finding("an object is not alive %s: %#jx", when, (uintmax_t)magic);
}

static void note_age(struct house *h, uint64_t asked, const struct thing *t)
{
	enum count first = h->kind == UFX_SLOT_WHEN_IDLE ? COUNT_age_idle_0 :
							   COUNT_age_slot_0;
	uint64_t age = asked > t->number ? asked - t->number : 0;

	if (h == &houses[3])
		return;
	count(first + (age > 2 ? 2 : (enum count)age), 1);
	if (age > 1)
		finding("a slot's user gets an object %ju generations old",
			(uintmax_t)age);
}

static struct ufx_object *get(struct house *h, bool in_line)
{
	uint64_t asked = __atomic_load_n(&h->asked, __ATOMIC_ACQUIRE);
	struct ufx_object *object = in_line ? ufx_slot_get_inline(&h->slot) :
					      ufx_slot_get(&h->slot);

	if (!object)
		return NULL;
	alive(object, "when it is got");
	note_age(h, asked, (struct thing *)object);
	count(COUNT_objects_used, 1);
	return object;
}

static void put(struct house *h, struct ufx_object *object, bool in_line)
{
	alive(object, "before it is put");
	if (in_line)
		ufx_slot_put_inline(&h->slot, object);
	else
		ufx_slot_put(&h->slot, object);
}

void objects_in_handler(void)
{
	struct house *h = &houses[self ? self->number % SLOTS : 0];
	struct ufx_object *object = get(h, false);

	if (object) /* NULL: over a replacement of our own */
		put(h, object, false);
}

static void use(struct worker *w)
{
	struct house *h[3];
	struct ufx_object *held[3];
	int i, n = 1 + (int)rnd(w, 3);

	for (i = 0; i < n; i++) {
		h[i] = &houses[rnd(w, SLOTS)];
		held[i] = get(h[i], rnd(w, 2));
		if (!held[i])
			finding("a slot is empty");
	}
	if (rnd(w, 16) == 0)
		sched_yield();
	for (i = 0; i < n; i++)
		put(h[i], held[i], rnd(w, 2));
}

static void replace(struct worker *w)
{
	struct house *h = &houses[rnd(w, SLOTS)];
	struct thing *t;
	int ret = 0;

	if (__atomic_exchange_n(&h->replacing, 1, __ATOMIC_ACQUIRE))
		return;
	t = make(rnd(w, OBJECTS), h->kind, h->asked + 1);
	if (t) {
		__atomic_store_n(&h->asked, t->number, __ATOMIC_SEQ_CST);
		if (h == &houses[3] && rnd(w, 2))
			ret = ufx_slot_replace_later(&h->slot, &t->object);
		else if (h == &houses[1])
			ufx_slot_publish(&h->slot, &t->object);
		else
			ret = ufx_slot_replace(&h->slot, &t->object);
		count(COUNT_objects_replaced, !ret);
	}
	if (ret == -EBUSY)
		release(&t->object);
	else if (ret)
		finding("replacing in a slot returns %d", ret);
	__atomic_store_n(&h->replacing, 0, __ATOMIC_RELEASE);
}

static void step(struct worker *w)
{
	if (rnd(w, 64) == 0)
		replace(w);
	else
		use(w);
}

static void check(void)
{
	int i;

	ufx_grace_barrier();
	for (i = 0; i < SLOTS; i++)
		ufx_slot_exit(&houses[i].slot);
	ufx_grace_barrier();
	total_add(COUNT_objects_released, released);
	if (made != released)
		finding("%ju objects made, %ju released", (uintmax_t)made,
			(uintmax_t)released);
}

const struct activity objects = { "objects", 4, start, step, NULL, check };
