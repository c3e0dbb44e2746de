/* SPDX-License-Identifier: MIT */
/* slot: a pointer whose object is pinned and replaced (ufutex/ref.h). */
#include <errno.h>

#include "host/atomic.h"
#include "host/fault.h"
#include "host/lock.h"
#include "host/thread.h"
#include "ref/cells.h"
#include "ref/counted.h"
#include "ref/idle.h"

static struct ufx_object *of_call(struct ufx_call *call)
{
	return ufx_container(call, struct ufx_object, call);
}

static void lock(struct ufx_slot *slot)
{
	ufx_enter_inside();
	ufx_lock(&slot->lock);
}

static void unlock(struct ufx_slot *slot)
{
	ufx_unlock(&slot->lock);
	ufx_leave_inside();
}

static bool is_kind(enum ufx_slot_kind kind)
{
	return kind == UFX_SLOT_WHEN_IDLE || kind == UFX_SLOT_PUBLISH_FIRST;
}

/* Objects for publish first have cells of their own. */
static bool fits(enum ufx_slot_kind kind, const struct ufx_object *object)
{
	return !object->counters.cells == (kind == UFX_SLOT_WHEN_IDLE);
}

/* Of what nobody has to release. */
static void keep(struct ufx_object *object)
{
	(void)object;
}

int ufx_object_init(struct ufx_object *object, enum ufx_slot_kind kind,
		    void (*release)(struct ufx_object *))
{
	int ret = ufx_ref_start();

	if (!object || !is_kind(kind))
		return -EINVAL;
	*object = (struct ufx_object){ .release = release ? release : keep };
	if (ret || kind == UFX_SLOT_WHEN_IDLE)
		return ret;
	ret = ufx_counters_init(&object->counters);
	if (!ret)
		ufx_counted_init(&object->counted, &object->counters);
	return ret;
}

int ufx_slot_init(struct ufx_slot *slot, enum ufx_slot_kind kind,
		  struct ufx_object *first)
{
	int ret = ufx_ref_start();

	if (!slot || !is_kind(kind) || (first && !fits(kind, first)))
		return -EINVAL;
	*slot = (struct ufx_slot){ .kind = kind };
	if (ret)
		return ret;
	if (kind == UFX_SLOT_PUBLISH_FIRST) {
		ufx_store_release(&slot->current, first);
		return 0;
	}
	slot->migration = ufx_idle_new();
	if (!slot->migration)
		return -ENOMEM;
	if (first)
		ufx_idle_publish(slot->migration, (void **)&slot->current,
				 &first->counted);
	return ret;
}

/* ---- when idle ---- */

static void release_idle(struct ufx_call *call)
{
	of_call(call)->release(of_call(call));
}

/* Step 5. The lock is held. */
static void switch_if_dead(struct ufx_slot *slot)
{
	struct ufx_object *old = slot->current;
	struct ufx_object *next = slot->pending ? slot->pending : old;

	if (!old || !ufx_idle_dead(slot->migration, &old->counted))
		return;
	ufx_idle_publish(slot->migration, (void **)&slot->current, &next->counted);
	ufx_store(&slot->pending, NULL);
	if (next == old) /* the request was withdrawn */
		return;
	/* R8: somebody may be between loading its address and counting. */
	ufx_grace_call(&old->call, release_idle);
}

int ufx_slot_replace_later(struct ufx_slot *slot, struct ufx_object *object)
{
	int ret = -EBUSY;
	bool dropped = false;

	if (!slot || slot->kind != UFX_SLOT_WHEN_IDLE || !object ||
	    !fits(UFX_SLOT_WHEN_IDLE, object))
		return -EINVAL;
	lock(slot);
	if (slot->current == object) {
		ret = -EINVAL;
	} else if (!slot->current) {
		ufx_idle_publish(slot->migration, (void **)&slot->current,
				 &object->counted);
		ret = 0;
	} else if (!slot->pending) {
		ufx_store(&slot->pending, object);
		dropped = ufx_idle_drop(slot->migration, &slot->current->counted);
		ret = 0;
	}
	ufx_bind(); /* until somebody will fold */
	unlock(slot);
	if (dropped)
		ufx_idle_hurry(slot->migration);
	ufx_unbind();
	return ret;
}

bool ufx_slot_pending(const struct ufx_slot *slot)
{
	return ufx_load(&slot->pending);
}

/* Waits until nothing is pending. */
static int wait_for_switch(struct ufx_slot *slot)
{
	for (;;) {
		bool pending;
		int ret;

		lock(slot);
		switch_if_dead(slot);
		pending = slot->pending;
		unlock(slot);
		if (!pending)
			return 0;
		ret = ufx_idle_wait(slot->migration);
		if (ret)
			return ret;
	}
}

/* Refused: the object is taken back, unless another thread has switched. */
static int withdraw(struct ufx_slot *slot, struct ufx_object *object, int error)
{
	lock(slot);
	if (slot->pending == object)
		ufx_store(&slot->pending, NULL);
	else
		error = 0;
	unlock(slot);
	return error;
}

static int replace_idle(struct ufx_slot *slot, struct ufx_object *object)
{
	int ret;

	do {
		ret = wait_for_switch(slot);
		if (!ret)
			ret = ufx_slot_replace_later(slot, object);
	} while (ret == -EBUSY);
	if (ret)
		return ret;
	ret = wait_for_switch(slot);
	return ret ? withdraw(slot, object, ret) : 0;
}

/* ---- publish first ---- */

/* A drained object waits here for whoever may run its release. */
static void bury(struct ufx_slot *slot, struct ufx_object *object)
{
	object->call.next = (struct ufx_call *)ufx_load(&slot->dead);
	while (!ufx_cas(&slot->dead, (struct ufx_object **)&object->call.next, object))
		;
}

unsigned int ufx_slot_reap(struct ufx_slot *slot)
{
	struct ufx_object *object = NULL;
	unsigned int n = 0;

	if (ufx_load(&slot->dead))
		object = ufx_xchg(&slot->dead, NULL);
	for (; object; n++) {
		struct ufx_object *next = (struct ufx_object *)object->call.next;

		ufx_cells_free(object->counters.cells);
		object->release(object);
		object = next;
	}
	return n;
}

/*
 * A period has passed since the old object was unpublished and made atomic: no
 * section counts on its cells, and none can still load its address. If the
 * initial reference was the last one, it goes now.
 */
static void fold_old(struct ufx_call *call)
{
	struct ufx_object *old = of_call(call);

	if (ufx_counters_fold(&old->counters, 1)) {
		ufx_cells_free(old->counters.cells);
		old->release(old);
	}
}

static bool publishable(const struct ufx_slot *slot, const struct ufx_object *object)
{
	if (!slot || slot->kind != UFX_SLOT_PUBLISH_FIRST)
		return false;
	return !object || (fits(UFX_SLOT_PUBLISH_FIRST, object) &&
			   ufx_load(&slot->current) != object);
}

ufx_cookie ufx_slot_publish(struct ufx_slot *slot, struct ufx_object *object)
{
	struct ufx_object *old;
	ufx_cookie cookie;

	if (!publishable(slot, object))
		return (ufx_cookie){ UINT64_MAX };
	lock(slot);
	old = slot->current;
	ufx_store_release(&slot->current, object);
	if (old) /* both stores before the cookie: one period is enough */
		ufx_counted_begin(&old->counted);
	cookie = ufx_grace_get_state();
	unlock(slot);
	if (old)
		ufx_grace_call(&old->call, fold_old);
	ufx_slot_reap(slot);
	return cookie;
}

static int replace_publish(struct ufx_slot *slot, struct ufx_object *object)
{
	if (!publishable(slot, object))
		return -EINVAL;
	ufx_slot_publish(slot, object);
	ufx_grace_barrier(); /* refused or driving: the old one goes later */
	return 0;
}

/* ---- both ---- */

int ufx_slot_replace(struct ufx_slot *slot, struct ufx_object *object)
{
	if (!slot)
		return -EINVAL;
	return slot->kind == UFX_SLOT_WHEN_IDLE ? replace_idle(slot, object) :
						  replace_publish(slot, object);
}

struct ufx_object *ufx_slot_get(struct ufx_slot *slot)
{
	void *object;

	while (!ufx_pin((void *const *)&slot->current, &object)) {
		if (!ufx_load(&slot->current))
			return NULL;
		if (slot->kind == UFX_SLOT_PUBLISH_FIRST)
			continue; /* drained meanwhile: another is there now */
		if (ufx_load(&ufx_thread_inside))
			return NULL; /* our own thread may hold the lock */
		lock(slot);
		switch_if_dead(slot);
		unlock(slot);
	}
	return object;
}

void ufx_slot_put(struct ufx_slot *slot, struct ufx_object *object)
{
	struct ufx_counters *k = object->counted.counters;

	if (!ufx_unpin(&object->counted))
		return;
	if (slot->kind == UFX_SLOT_WHEN_IDLE)
		ufx_idle_zero(k);
	else if (UFX_FAULT(PUT_FREES))
		object->release(object);
	else
		bury(slot, object);
}

void ufx_slot_exit(struct ufx_slot *slot)
{
	struct ufx_object *pending = slot->pending, *current = slot->current;

	ufx_slot_reap(slot);
	if (slot->kind == UFX_SLOT_WHEN_IDLE)
		ufx_idle_exit(slot->migration);
	else if (current)
		ufx_cells_free(current->counters.cells);
	if (pending)
		pending->release(pending);
	if (current)
		current->release(current);
}
