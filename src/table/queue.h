/* SPDX-License-Identifier: MIT */
/*
 * The waiters of a bucket: a FIFO for each key, and a tree (a treap) of their
 * heads, so that finding a key costs no more than the logarithm of the number
 * of other keys that share the bucket, however many wait on them.
 *
 * All functions are called with the bucket's lock held, and neither allocate
 * nor sleep.
 */
#ifndef UFX_TABLE_QUEUE_H
#define UFX_TABLE_QUEUE_H

#include "table/waiter.h"

/* The first waiter of @key, or NULL. */
struct ufx_waiter *ufx_queue_find(struct ufx_waiter *root, uint64_t key);

/*
 * Behind all waiters of w->key that have its priority or a higher one. Returns how
 * many other keys were passed on the way to it.
 */
unsigned int ufx_queue_insert(struct ufx_waiter **root, struct ufx_waiter *w);

/* @w must be queued there. */
void ufx_queue_remove(struct ufx_waiter **root, struct ufx_waiter *w);

#endif
