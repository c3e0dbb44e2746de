/* SPDX-License-Identifier: MIT */
/*
 * What a thread does for a moment before it queues and sleeps: it looks at the
 * words it is to wait on, now and then, in case who changes them runs on
 * another CPU; then it yields, in case that one waits for this CPU. Either way
 * the waker finds nobody to wake, and this thread need not sleep. The looks are
 * apart, so that the owner of a lock has its cache line for itself meanwhile.
 *
 * Neither in threads that are not SCHED_OTHER; the first only where affinity
 * and the cgroups' quota give more than one CPU. What each thread may have is
 * looked at before a wait, if that was 64 of its waits or 100 ms ago.
 *
 * The cost is bounded. A thread has a credit of time, at first 20 us; half of
 * what the ones before it had, for each that spun its own in vain, until one's
 * spin has helped again: of many threads that live shortly few spin. What it
 * spins is taken off; a spin that helped adds 5 us, about what it saved. Half the
 * credit is the longest spin: one that is late for once is waited for, up to
 * 0.1 ms. Without credit a thread sleeps at once; but in 1/64 of the time, 0.25 ms
 * that begin with such a wait, all threads may spin, to the end of these. Never
 * do more at a time than half the CPUs, two at least and 16 at most. So, of a
 * process:
 *
 *   time spun <= time / 64 for each that may at a time
 *                + 20 us, at most, for each thread
 *                + 5 us for each spin that helped
 *
 * and one spin more of each thread, which may end 1 us late.
 */
#ifndef UFX_FUTEX_SPIN_H
#define UFX_FUTEX_SPIN_H

#include <ufutex/futex.h>

#include "host/thread.h"

#define UFX_SPIN_NS 5000
#define UFX_SPIN_FIRST (4 * UFX_SPIN_NS)
#define UFX_SPIN_CREDIT (40 * UFX_SPIN_NS)
#define UFX_SPIN_TRY_NS 250000
#define UFX_SPIN_TRY_EVERY (64 * UFX_SPIN_TRY_NS)

/* Before each wait: looks at what the thread may have, if that is old. */
void ufx_spin_prepare(struct ufx_thread *t);

/*
 * True: one of @words (@n, each expected to be as it says) has changed. Ends
 * soon once *@stop is set.
 */
bool ufx_spin(struct ufx_thread *t, const struct ufx_waitv_entry *words,
	      unsigned int n, const bool *stop);

/* ---- its decisions, for tests ---- */

/*
 * For how many ns may @t spin at @now? *@tries: not on its own credit, but as
 * all threads may try.
 */
uint32_t ufx_spin_allowed(struct ufx_thread *t, uint64_t now, bool *tries);

/* One of the threads that spin at a time, of @cpus, until @end; NULL: no more. */
uint64_t *ufx_spin_enter(uint32_t cpus, uint64_t now, uint64_t end);
void ufx_spin_leave(uint64_t *place, uint64_t end);

/* It did, for @ns. */
void ufx_spin_learn(struct ufx_thread *t, bool tries, uint64_t ns, bool helped);

#endif
