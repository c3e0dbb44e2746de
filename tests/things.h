/* SPDX-License-Identifier: MIT */
/*
 * Objects for slots that notice when they are used too late: each is ALIVE
 * from thing_new() to its release, then POISON. Releasing one twice, or one
 * that is not in use, is counted.
 */
#ifndef TESTS_THINGS_H
#define TESTS_THINGS_H

#include <ufutex/ref.h>

#include "tap.h"

#define THINGS 64
#define THING_ALIVE 0x600d600d600d600dull
#define THING_POISON 0xdeaddeaddeaddeadull

struct thing {
	struct ufx_object object; /* first */
	uint64_t magic;
	int in_use;
	int number; /* how many were made before it */
};

static struct thing things[THINGS];
static int things_made, things_released, things_twice;

static inline void thing_release(struct ufx_object *object)
{
	struct thing *t = (struct thing *)object;
	uint64_t magic = __atomic_exchange_n(&t->magic, THING_POISON,
					     __ATOMIC_SEQ_CST);

	if (magic != THING_ALIVE)
		__atomic_fetch_add(&things_twice, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&things_released, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&t->in_use, 0, __ATOMIC_RELEASE);
}

/* One that is free, or NULL if all are in use. */
static inline struct ufx_object *thing_new(enum ufx_slot_kind kind)
{
	int i, ret;

	for (i = 0; i < THINGS; i++) {
		struct thing *t = &things[i];

		if (__atomic_exchange_n(&t->in_use, 1, __ATOMIC_ACQ_REL))
			continue;
		ret = ufx_object_init(&t->object, kind, thing_release);
		if (ret)
			bail("ufx_object_init: %s", strerror(-ret));
		t->number = __atomic_fetch_add(&things_made, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&t->magic, THING_ALIVE, __ATOMIC_RELEASE);
		return &t->object;
	}
	return NULL;
}

static inline bool thing_alive(struct ufx_object *object)
{
	struct thing *t = (struct thing *)object;

	return __atomic_load_n(&t->magic, __ATOMIC_ACQUIRE) == THING_ALIVE;
}

/* Gives one back that no slot has taken. */
static inline void thing_unused(struct ufx_object *object)
{
	struct thing *t = (struct thing *)object;

	__atomic_fetch_sub(&things_made, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&t->in_use, 0, __ATOMIC_RELEASE);
}

#endif
