/* SPDX-License-Identifier: MIT */
/* ref: a count with cells of its own (ufutex/ref.h). */
#include <errno.h>

#include "grace/mode.h"
#include "host/atomic.h"
#include "host/lock.h"
#include "host/rule.h"
#include "host/thread.h"
#include "ref/cells.h"
#include "ref/counted.h"

static bool exited(const struct ufx_ref *ref)
{
	return !ref->counters.cells;
}

#ifdef UFX_DEBUG
/* In use as far as can be told: it points into itself, and has cells. */
static bool looks_alive(const struct ufx_ref *ref)
{
	return ref->counted.counters == &ref->counters && !exited(ref) &&
	       (ref->counted.cells & ~UFX_STATE_MASK) == ref->counters.cells;
}
#endif

/* The cells hold one reference. */
static void start_as(struct ufx_ref *ref, unsigned int flags)
{
	ufx_counted_init(&ref->counted, &ref->counters);
	if (!flags)
		return;
	ref->counters.count = ufx_cells_collect(ref->counters.cells);
	ref->counted.cells |= UFX_STATE_ATOMIC;
	if (flags & UFX_REF_DEAD) {
		ref->counters.count = 0;
		ref->dying = 1;
	}
}

int ufx_ref_init_flags(struct ufx_ref *ref, void (*release)(struct ufx_ref *),
		       unsigned int flags)
{
	int ret = ufx_ref_start();

	if (!ref || flags & ~(UFX_REF_ATOMIC | UFX_REF_DEAD))
		return -EINVAL;
	if (ret)
		return ret;
	ufx_rule(!looks_alive(ref), "a ref is initialised once, until its exit");
	*ref = (struct ufx_ref){ .release = release };
	ret = ufx_counters_init(&ref->counters);
	if (!ret)
		start_as(ref, flags);
	return ret;
}

int ufx_ref_init(struct ufx_ref *ref, void (*release)(struct ufx_ref *))
{
	return ufx_ref_init_flags(ref, release, 0);
}

void ufx_ref_exit(struct ufx_ref *ref)
{
	ufx_rule(!exited(ref), "a ref exits once");
	ufx_rule(!ref->confirming, "a ref that is to confirm does not exit");
	if (exited(ref))
		return;
	/* Who comes too late finds it atomic, at zero and killed. */
	ref->counted.cells = UFX_STATE_ATOMIC;
	ref->dying = 1;
	ufx_cells_free(ref->counters.cells);
	ref->counters = (struct ufx_counters){ 0 };
}

void ufx_ref_get_many(struct ufx_ref *ref, unsigned long n)
{
	ufx_counted_add(&ref->counted, (int64_t)n);
}

void ufx_ref_get(struct ufx_ref *ref)
{
	ufx_ref_get_many(ref, 1);
}

bool ufx_ref_tryget_many(struct ufx_ref *ref, unsigned long n)
{
	return ufx_counted_tryget(&ref->counted, (int64_t)n);
}

bool ufx_ref_tryget(struct ufx_ref *ref)
{
	return ufx_ref_tryget_many(ref, 1);
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
	if (ufx_counted_add(&ref->counted, -(int64_t)n) && ref->release)
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

/* Under the lock. */
static void begin(struct ufx_ref *ref)
{
	if (ufx_counted_atomic(&ref->counted))
		return;
	ufx_counted_begin(&ref->counted);
	ref->begun = ufx_grace_get_state(); /* R1: behind the state */
}

/*
 * The period behind the last begin, and the fold, unless that was done, or
 * somebody switched back. The caller holds the lock and a reference: the fold
 * keeps that one, so it cannot find zero. A refused period leaves the bias in
 * place, for a later try.
 */
static int end(struct ufx_ref *ref)
{
	int ret;

	if (!ufx_counted_atomic(&ref->counted) || !biased(ref))
		return 0;
	ret = ufx_grace_cond_sync(ref->begun);
	if (!ret)
		ufx_counters_fold(&ref->counters, 0);
	return ret;
}

static int to_atomic(struct ufx_ref *ref)
{
	begin(ref);
	return end(ref);
}

/* May it be killed? Under the lock. */
static int killable(const struct ufx_ref *ref)
{
	if (exited(ref))
		return -EINVAL;
	return ref->dying ? -EALREADY : 0;
}

int ufx_ref_kill(struct ufx_ref *ref)
{
	int ret;

	lock(ref);
	ret = killable(ref);
	ufx_rule(ret != -EALREADY, "a ref is killed once");
	if (!ret) {
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
	int ret = -EINVAL;

	lock(ref);
	ufx_rule(!exited(ref), "a ref is not used after its exit");
	if (!exited(ref))
		ret = to_atomic(ref);
	unlock(ref);
	return ret;
}

/* ---- without waiting ---- */

/* The call holds a reference: of a kill the initial one. */
static void confirm(struct ufx_call *call)
{
	struct ufx_ref *ref = ufx_container(call, struct ufx_ref, call);
	int ret;

	lock(ref);
	ret = end(ref); /* what was begun again since may need a later period */
	unlock(ref);
	if (ret) { /* refused to this thread */
		ufx_grace_call(call, confirm);
		return;
	}
	if (ref->confirm)
		ref->confirm(ref);
	ufx_store_release(&ref->confirming, 0);
	ufx_ref_put(ref);
}

/* Under the lock, which is given back. */
static int begin_and_unlock(struct ufx_ref *ref, void (*fn)(struct ufx_ref *))
{
	begin(ref);
	ref->confirm = fn;
	ufx_store(&ref->confirming, 1);
	ufx_bind(); /* until somebody will fold */
	unlock(ref);
	ufx_grace_call(&ref->call, confirm); /* may run strangers' */
	ufx_unbind();
	return 0;
}

static bool confirming(const struct ufx_ref *ref)
{
	return ufx_load_acquire(&ref->confirming);
}

int ufx_ref_kill_and_confirm(struct ufx_ref *ref, void (*fn)(struct ufx_ref *))
{
	int ret;

	lock(ref);
	ret = killable(ref);
	ufx_rule(ret != -EALREADY, "a ref is killed once");
	if (!ret && confirming(ref))
		ret = -EBUSY;
	if (!ret) {
		ufx_store_release(&ref->dying, 1);
		return begin_and_unlock(ref, fn);
	}
	unlock(ref);
	return ret;
}

int ufx_ref_switch_to_atomic_and_confirm(struct ufx_ref *ref,
					 void (*fn)(struct ufx_ref *))
{
	int ret = -EBUSY;

	lock(ref);
	ufx_rule(!exited(ref), "a ref is not used after its exit");
	if (exited(ref) || !ufx_counted_tryget(&ref->counted, 1))
		ret = -EINVAL;
	else if (!confirming(ref))
		return begin_and_unlock(ref, fn);
	else
		ufx_counted_add(&ref->counted, -1); /* the pending one holds another */
	unlock(ref);
	return ret;
}

/* ---- and back ---- */

/* Bias first: puts that still saw "atomic" must not find zero. */
static void to_percpu(struct ufx_ref *ref)
{
	if (!biased(ref))
		ufx_fetch_add(&ref->counters.count, UFX_BIAS);
	ufx_counted_init(&ref->counted, &ref->counters);
}

int ufx_ref_switch_to_percpu(struct ufx_ref *ref)
{
	int ret = 0;

	lock(ref);
	ufx_rule(!exited(ref), "a ref is not used after its exit");
	if (ref->dying)
		ret = -EINVAL;
	else if (ufx_counted_atomic(&ref->counted))
		to_percpu(ref);
	unlock(ref);
	return ret;
}

int ufx_ref_reinit(struct ufx_ref *ref)
{
	int ret = -EINVAL;

	lock(ref);
	ufx_rule(!exited(ref), "a ref is not used after its exit");
	if (!exited(ref) && ref->dying && ufx_ref_is_zero(ref)) {
		ufx_store(&ref->counters.count, 1 + UFX_BIAS);
		ufx_counted_init(&ref->counted, &ref->counters);
		ufx_store_release(&ref->dying, 0);
		ret = 0;
	}
	unlock(ref);
	return ret;
}

int ufx_ref_resurrect(struct ufx_ref *ref)
{
	int ret = -EINVAL;

	lock(ref);
	ufx_rule(!exited(ref), "a ref is not used after its exit");
	if (ref->dying && ufx_counted_tryget(&ref->counted, 1)) {
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

bool ufx_ref_is_atomic(const struct ufx_ref *ref)
{
	return ufx_counted_atomic(&ref->counted);
}
