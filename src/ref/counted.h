/* SPDX-License-Identifier: MIT */
/*
 * Getting and putting references in either state, and the two steps of the
 * way from per-CPU to atomic. Everything above (ref, slot, tables) is built on
 * these.
 *
 * Writing rule of `cells` (state in the low bits): only by whoever holds the
 * lock that serialises migrations of that object. Readers see it within a
 * section or read side, or while they hold a reference.
 */
#ifndef UFX_REF_COUNTED_H
#define UFX_REF_COUNTED_H

#include <ufutex/ref.h>

#include "host/thread.h"

/*
 * R4: in the atomic state nobody can come to zero before the cells have been
 * folded in: the counter starts this far up.
 */
#define UFX_BIAS ((int64_t)1 << 62)

/* Starts the library up to references. 0 or an error of ufx_grace_start. */
int ufx_ref_start(void);

bool ufx_pin_slow(void *const *where, void **object);
bool ufx_counted_add_slow(struct ufx_counted *c, int64_t n);

/*
 * Pins what *@where points at. True, with *@object; false if *@where is NULL
 * or its count has come to zero. Signal-safe; never waits.
 */
static inline bool ufx_pin(void *const *where, void **object)
{
	/* Not in a vfork child: membarrier does not restart its sections. */
	if (ufx_likely(!ufx_thread_is_unregistered()) &&
	    !UFX_FAULT(UNPROTECTED_GET) &&
	    ufx_likely(ufx_section_pin(where, object) == UFX_SECTION_DONE))
		return true;
	return ufx_pin_slow(where, object);
}

/*
 * Adds @n references to an object that the caller holds, or takes @n from it.
 * True if that took the atomic count to zero: @c may be gone unless the caller
 * is the one to free it. Signal-safe; never waits.
 */
static inline bool ufx_counted_add(struct ufx_counted *c, int64_t n)
{
	if (ufx_likely(!ufx_thread_is_unregistered()) &&
	    ufx_likely(ufx_section_add(&c->cells, n) == UFX_SECTION_DONE))
		return false;
	return ufx_counted_add_slow(c, n);
}

static inline bool ufx_unpin(struct ufx_counted *c)
{
	return ufx_counted_add(c, -1);
}

/* @n more unless atomic and zero; @c itself must stay alive. */
bool ufx_counted_tryget(struct ufx_counted *c, int64_t n);

/* Makes counters with one reference. 0 or -ENOMEM. */
int ufx_counters_init(struct ufx_counters *k);

/* Points @c to @k in the per-CPU state, or not counted at all. */
void ufx_counted_init(struct ufx_counted *c, struct ufx_counters *k);
void ufx_counted_init_fixed(struct ufx_counted *c);

/*
 * First step: the counter gets its bias, then the state becomes atomic. Then a
 * grace period; then the second step.
 */
void ufx_counted_begin(struct ufx_counted *c);

/*
 * Second step: folds the cells in, takes the bias off, and @drop references.
 * The cells are zero afterwards. True if the count is now zero.
 */
bool ufx_counters_fold(struct ufx_counters *k, int64_t drop);

static inline bool ufx_counted_atomic(const struct ufx_counted *c)
{
	return __atomic_load_n(&c->cells, __ATOMIC_ACQUIRE) & UFX_STATE_ATOMIC;
}

#endif
