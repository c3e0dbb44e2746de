/* SPDX-License-Identifier: MIT */
/*
 * What a thread does for a moment before it sleeps in the kernel, where that
 * has helped it lately: it spins, in case its waker runs on another CPU; then
 * it yields, in case its waker waits for this CPU. Either way the waker saves
 * a system call, and we one more and the trip through the scheduler.
 *
 * Each has a credit: full after a success, one less after a failure. With none
 * left it is tried again now and then only. Spinning helps both sides of a
 * hand-over only if both do it at a time, so all threads try again in common
 * windows of the clock, and then for longer than the kernel takes to wake a
 * thread. Real-time threads do neither.
 */
#ifndef UFX_FUTEX_SPIN_H
#define UFX_FUTEX_SPIN_H

#include "host/thread.h"

/* Before each wait: reads the thread's scheduling class now and then. */
void ufx_spin_prepare(struct ufx_thread *t);

/* True: *@state became UFX_WAITER_WOKEN meanwhile. Bounded. */
bool ufx_spin(struct ufx_thread *t, const uint32_t *state);

#endif
