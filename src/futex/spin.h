/* SPDX-License-Identifier: MIT */
/*
 * A bounded spin before a thread sleeps: worth it where the waker runs on
 * another CPU and comes soon. How long adapts to how often it has helped this
 * thread. Never for real-time threads, nor with one CPU to run on.
 */
#ifndef UFX_FUTEX_SPIN_H
#define UFX_FUTEX_SPIN_H

#include "host/thread.h"

/*
 * Before each wait: reads the thread's scheduling class and CPUs now and then,
 * into its record.
 */
void ufx_spin_prepare(struct ufx_thread *t);

/* Spins until *@state is UFX_WAITER_WOKEN: true; false if that takes long. */
bool ufx_spin(struct ufx_thread *t, const uint32_t *state);

#endif
