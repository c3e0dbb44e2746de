/* SPDX-License-Identifier: MIT */
/*
 * Replacing when idle: the five steps of the kernel's private futex hash. The
 * counters belong to the container; successive objects share them.
 *
 *  1 an object starts per-CPU, published with a cookie;
 *  2 drop: to replace it, wait until everybody sees it (the cookie's grace
 *    period; skipped when it has elapsed);
 *  3 begin: bias, state atomic;
 *  4 end, one more grace period later: fold, take bias and initial reference
 *    off, re-arm the cells with the next object's initial reference;
 *  5 at zero, the next user switches.
 *
 * Steps 3 and 4 are hurried deferred calls. The state of a migration lies in
 * memory of its own with a count of keepers: the container, and each pending
 * call. So a container can go without waiting for a call, and a call that
 * comes later finds its state alive and the container gone (R7).
 */
#ifndef UFX_REF_IDLE_H
#define UFX_REF_IDLE_H

#include <ufutex/ref.h>

struct ufx_migration {
	struct ufx_counters counters;
	struct ufx_counted *current; /* what is being drained */
	ufx_cookie published;        /* a period after it was put in force */
	struct ufx_call call;
	uint32_t step;
	uint32_t keepers;
	uint32_t retired; /* old objects that wait for their period */
	uint32_t lock;    /* between begin and ufx_idle_exit */
	bool gone;        /* the container, and @current with it */
};

/* NULL: no memory. */
struct ufx_migration *ufx_idle_new(void);

/* The container goes, with its objects. Waits for no call. */
void ufx_idle_exit(struct ufx_migration *m);

void ufx_idle_keep(struct ufx_migration *m);
void ufx_idle_unkeep(struct ufx_migration *m);

/*
 * Step 2 for @current. The caller holds the container's lock and sees that no
 * replacement is pending. If true it calls ufx_idle_hurry after it has
 * unlocked: that runs deferred calls, strangers' too, which may need that
 * lock. False: @current is on its way already, for a request since withdrawn.
 */
bool ufx_idle_drop(struct ufx_migration *m, struct ufx_counted *current);
void ufx_idle_hurry(struct ufx_migration *m);

/* Is @current drained? Under the container's lock. Acquire. */
bool ufx_idle_dead(const struct ufx_migration *m, const struct ufx_counted *current);

/*
 * Step 1 for @next: stores it to *@where. Under the container's lock, the
 * last one dead. @next may be the last one itself: it is taken back into use.
 */
void ufx_idle_publish(struct ufx_migration *m, void **where,
		      struct ufx_counted *next);

/*
 * Returns when the count has come to zero, or somebody switched, or at any
 * other time; -errno if the kernel refuses grace periods, so that it will
 * never come. No lock held, no pin held.
 */
int ufx_idle_wait(struct ufx_migration *m);

/* A put took the count to zero: wakes whoever waits for that. Signal-safe. */
void ufx_idle_zero(struct ufx_counters *k);

#endif
