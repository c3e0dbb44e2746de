/* SPDX-License-Identifier: MIT */
/*
 * The table that WebAssembly engines write for themselves, done with care: one mutex
 * a memory, a hash of addresses, a list of waiters each, a condition variable a
 * waiter. The word is compared under the mutex, a notify takes its waiters off their
 * list and signals them under it. Exact counts, first in first out.
 */
#ifndef UFUTEX_YARDSTICK_H
#define UFUTEX_YARDSTICK_H

#include <stdint.h>

struct yardstick;

struct yardstick *yardstick_new(unsigned char *base, uint64_t size);
void yardstick_free(struct yardstick *y); /* nobody waits */

/* 0 notified, 1 not equal, 2 timed out; -1: a trap, or no memory. @ns < 0: for ever. */
int yardstick_wait32(struct yardstick *y, uint64_t address, uint32_t expected,
		     int64_t ns);
int64_t yardstick_notify(struct yardstick *y, uint64_t address, uint32_t count);

#endif
