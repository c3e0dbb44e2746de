/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "grace/mode.h"
#include "grace/reader.h"
#include "host/fault.h"
#include "host/lock.h"
#include "host/memory.h"
#include "host/rule.h"
#include "host/thread.h"
#include "ref/cells.h"
#include "ref/counted.h"

/*
 * A debugger that steps, or a storm of signals, may abort a section every
 * time. Past this many tries a fallback bank is taken.
 */
#define TRIES UFX_SMALL(64, 2)

int ufx_ref_start(void)
{
	static uint32_t started;
	int ret = ufx_start();

	if (ret || ufx_likely(ufx_load_acquire(&started)))
		return ret;
	ufx_enter_inside();
	ufx_lock(&ufx_wiped_locks->references);
	if (!started)
		ret = ufx_cells_start();
	if (!ret)
		ufx_store_release(&started, 1);
	ufx_unlock(&ufx_wiped_locks->references);
	ufx_leave_inside();
	return ret;
}

/*
 * May this thread use sections? Not in a vfork child: membarrier does not
 * restart them there.
 */
static bool sections_usable(void)
{
#if UFX_HAVE_SECTIONS || UFX_MODEL
	return ufx_section_env.cpus && !ufx_thread_is_unregistered();
#else
	return false;
#endif
}

/* R3: within protection, and never from zero to one. */
static bool count_up_unless_zero(struct ufx_counters *k, int64_t n)
{
	int64_t count = ufx_load(&k->count);

	do {
		if (!count && !UFX_FAULT(GET_FROM_ZERO))
			return false;
	} while (!ufx_cas(&k->count, &count, count + n));
	return true;
}

/* Within a read side. False: atomic and zero. */
static bool count_up_plainly(struct ufx_counted *c, int64_t n)
{
	uintptr_t cells = ufx_load_acquire(&c->cells);

	if (cells & UFX_STATE_FIXED)
		return true;
	if (cells & UFX_STATE_ATOMIC)
		return count_up_unless_zero(ufx_load(&c->counters), n);
	ufx_cells_add(cells & ~UFX_STATE_MASK, n);
	return true;
}

static bool pin_plainly(void *const *where, void **object)
{
	struct ufx_read read = ufx_read_begin();
	struct ufx_counted *c = ufx_load_acquire((struct ufx_counted *const *)where);
	bool got;

	if (UFX_FAULT(UNPROTECTED_GET)) {
		ufx_read_end(read);
		ufx_delay();
		got = c && count_up_plainly(c, 1);
		*object = c;
		return got;
	}
	ufx_delay();
	got = c && count_up_plainly(c, 1);
	ufx_read_end(read);
	*object = c;
	return got;
}

static enum ufx_section_result pin_by_section(void *const *where, void **object)
{
	enum ufx_section_result result = ufx_section_pin(where, object);

	if (result == UFX_SECTION_SLOW)
		result = ufx_section_pin_atomic(where, object);
	return result;
}

bool ufx_pin_slow(void *const *where, void **object)
{
	if (!sections_usable() || UFX_FAULT(UNPROTECTED_GET))
		return pin_plainly(where, object);
	for (int i = 0; i < TRIES; i++) {
		switch (pin_by_section(where, object)) {
		case UFX_SECTION_DONE:
			return true;
		case UFX_SECTION_EMPTY:
			if (UFX_FAULT(GET_FROM_ZERO))
				return pin_plainly(where, object);
			return false;
		case UFX_SECTION_SLOW:
			return pin_plainly(where, object);
		case UFX_SECTION_ABORT:
			break;
		}
	}
	ufx_read_count_abort();
	return pin_plainly(where, object);
}

static enum ufx_section_result add_by_section(struct ufx_counted *c, int64_t n)
{
	enum ufx_section_result result = UFX_SECTION_SLOW;

	if (!sections_usable())
		return result;
	for (int i = 0; i < TRIES; i++) {
		result = ufx_section_add(&c->cells, n);
		if (result != UFX_SECTION_ABORT)
			return result;
	}
	ufx_read_count_abort();
	return result;
}

/* False if the state has become atomic. */
static bool add_plainly(struct ufx_counted *c, int64_t n)
{
	struct ufx_read read = ufx_read_begin();
	uintptr_t cells = ufx_load_acquire(&c->cells);

	if (!(cells & (UFX_STATE_ATOMIC | UFX_STATE_FIXED)))
		ufx_cells_add(cells & ~UFX_STATE_MASK, n);
	ufx_read_end(read);
	return !(cells & UFX_STATE_ATOMIC);
}

/* @n was added to an atomic count of @was. */
static void check(int64_t was, int64_t n)
{
#ifdef UFX_DEBUG
	const char *who = n > 0 ? "ufx_ref_get" : "ufx_ref_put or ufx_slot_put";

	if (!was)
		ufx_rule_broken(who, "nothing is got or put at zero");
	if (was + n < 0)
		ufx_rule_broken(who, "no more is put than was got");
#else
	(void)was, (void)n;
#endif
}

bool ufx_counted_add_slow(struct ufx_counted *c, int64_t n)
{
	struct ufx_counters *k = ufx_load(&c->counters);
	int64_t was;

	/*
	 * Atomic stays atomic while we hold a reference, or becomes per-CPU
	 * with a bias; so once seen it needs no protection here.
	 */
	if (!ufx_counted_atomic(c) &&
	    (add_by_section(c, n) == UFX_SECTION_DONE || add_plainly(c, n)))
		return false;
	/* Release for what we did with the object; acquire for whoever frees. */
	was = ufx_fetch_add(&k->count, n);
	check(was, n);
	return was + n == 0;
}

bool ufx_counted_tryget(struct ufx_counted *c, int64_t n)
{
	struct ufx_read read;
	bool got;

	if (!ufx_counted_atomic(c) && add_by_section(c, n) == UFX_SECTION_DONE)
		return true;
	read = ufx_read_begin();
	got = count_up_plainly(c, n);
	ufx_read_end(read);
	return got;
}

int ufx_counters_init(struct ufx_counters *k)
{
	k->count = 0;
	k->cells = ufx_cells_alloc();
	if (!k->cells)
		return -ENOMEM;
	ufx_cells_add(k->cells, 1);
	return 0;
}

void ufx_counted_init(struct ufx_counted *c, struct ufx_counters *k)
{
	ufx_store(&c->counters, k);
	ufx_store_release(&c->cells, k->cells | ufx_mode_state());
}

void ufx_counted_init_fixed(struct ufx_counted *c)
{
	c->counters = NULL;
	c->cells = UFX_STATE_FIXED;
}

void ufx_counted_begin(struct ufx_counted *c)
{
	int64_t bias = UFX_FAULT(NO_BIAS) ? 1 : UFX_BIAS;

	/* A ref that went back to per-CPU carries it already. */
	if (ufx_load(&c->counters->count) < UFX_BIAS / 2)
		ufx_fetch_add(&c->counters->count, bias);
	/* Release: who sees atomic sees the bias. Partner: acquire of `cells`. */
	ufx_store_release(&c->cells, c->cells | UFX_STATE_ATOMIC);
}

bool ufx_counters_fold(struct ufx_counters *k, int64_t drop)
{
	int64_t bias = UFX_FAULT(NO_BIAS) ? 1 : UFX_BIAS;
	int64_t change = ufx_cells_collect(k->cells) - bias - drop;
	int64_t count = ufx_fetch_add(&k->count, change) + change;

	ufx_rule(count >= 0, "no more is put than was got");
	return count == 0;
}
