/* SPDX-License-Identifier: MIT */
/* ref: a count with cells of its own (ufutex/ref.h). */
#include <errno.h>

#include "grace/mode.h"
#include "host/atomic.h"
#include "host/lock.h"
#include "host/thread.h"
#include "ref/cells.h"
#include "ref/counted.h"

int ufx_ref_init(struct ufx_ref *ref, void (*release)(struct ufx_ref *))
{
	int ret = ufx_ref_start();

	if (!ret)
		ret = ufx_counters_init(&ref->counters);
	if (ret)
		return ret;
	ref->release = release;
	ref->dying = 0;
	ref->lock = 0;
	ufx_counted_init(&ref->counted, &ref->counters);
	return 0;
}

void ufx_ref_exit(struct ufx_ref *ref)
{
	ufx_cells_free(ref->counters.cells);
	ref->counters.cells = 0;
}

void ufx_ref_get_many(struct ufx_ref *ref, unsigned long n)
{
	ufx_counted_add(&ref->counted, (int64_t)n);
}

void ufx_ref_get(struct ufx_ref *ref)
{
	ufx_ref_get_many(ref, 1);
}

bool ufx_ref_tryget(struct ufx_ref *ref)
{
	return ufx_counted_tryget(&ref->counted);
}

bool ufx_ref_tryget_live(struct ufx_ref *ref)
{
	if (ufx_load_acquire(&ref->dying))
		return false;
	return ufx_ref_tryget(ref);
}

void ufx_ref_put_many(struct ufx_ref *ref, unsigned long n)
{
	/* Whoever is told zero is alone with @ref. */
	if (ufx_counted_add(&ref->counted, -(int64_t)n))
		ref->release(ref);
}

void ufx_ref_put(struct ufx_ref *ref)
{
	ufx_ref_put_many(ref, 1);
}

static void lock(struct ufx_ref *ref)
{
	ufx_enter_inside();
	ufx_lock(&ref->lock);
}

static void unlock(struct ufx_ref *ref)
{
	ufx_unlock(&ref->lock);
	ufx_leave_inside();
}

static bool biased(const struct ufx_ref *ref)
{
	return ufx_load(&ref->counters.count) >= UFX_BIAS / 2;
}

/*
 * The way to atomic. The caller holds the lock and a reference: the fold keeps
 * that one, so it cannot find zero. A refused period leaves the bias in place,
 * for a later try.
 */
static int to_atomic(struct ufx_ref *ref)
{
	int ret;

	if (ufx_counted_atomic(&ref->counted) && !biased(ref))
		return 0;
	if (!ufx_counted_atomic(&ref->counted))
		ufx_counted_begin(&ref->counted);
	ret = ufx_grace_synchronize();
	if (!ret)
		ufx_counters_fold(&ref->counters, 0);
	return ret;
}

/* And back. Bias first: puts that still saw "atomic" must not find zero. */
static void to_percpu(struct ufx_ref *ref)
{
	if (!biased(ref))
		ufx_fetch_add(&ref->counters.count, UFX_BIAS);
	ufx_counted_init(&ref->counted, &ref->counters);
}

int ufx_ref_kill(struct ufx_ref *ref)
{
	int ret = -EALREADY;

	lock(ref);
	if (!ref->dying) {
		ufx_store_release(&ref->dying, 1);
		ret = to_atomic(ref);
		if (ret)
			ufx_store_release(&ref->dying, 0);
	}
	unlock(ref);
	if (!ret)
		ufx_ref_put(ref); /* the initial one; may run release */
	return ret;
}

int ufx_ref_switch_to_atomic(struct ufx_ref *ref)
{
	int ret;

	lock(ref);
	ret = to_atomic(ref);
	unlock(ref);
	return ret;
}

int ufx_ref_switch_to_percpu(struct ufx_ref *ref)
{
	int ret = 0;

	lock(ref);
	if (ref->dying)
		ret = -EINVAL;
	else if (ufx_counted_atomic(&ref->counted))
		to_percpu(ref);
	unlock(ref);
	return ret;
}

void ufx_ref_reinit(struct ufx_ref *ref)
{
	lock(ref);
	ufx_store(&ref->counters.count, 1 + UFX_BIAS);
	ufx_counted_init(&ref->counted, &ref->counters);
	ufx_store_release(&ref->dying, 0);
	unlock(ref);
}

int ufx_ref_resurrect(struct ufx_ref *ref)
{
	int ret = -EINVAL;

	lock(ref);
	if (ref->dying && ufx_counted_tryget(&ref->counted)) {
		to_percpu(ref);
		ufx_store_release(&ref->dying, 0);
		ret = 0;
	}
	unlock(ref);
	return ret;
}

bool ufx_ref_is_zero(const struct ufx_ref *ref)
{
	return ufx_counted_atomic(&ref->counted) &&
	       ufx_load_acquire(&ref->counters.count) == 0;
}

bool ufx_ref_is_dying(const struct ufx_ref *ref)
{
	return ufx_load_acquire(&ref->dying);
}
