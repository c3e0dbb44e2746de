/* SPDX-License-Identifier: MIT */
/*
 * Waiting, in two phases (wait.c): prepare queues a waiter if the word still
 * has the expected value; finish takes it out again and says whether it was
 * woken. Between them the caller may block on whatever it likes. ufx_wait is
 * the wrapper that parks the thread, and ufx_futex_interrupt (ufutex/futex.h)
 * ends it from a handler (block.c).
 */
#ifndef UFX_FUTEX_WAIT_H
#define UFX_FUTEX_WAIT_H

#include <ufutex/domain.h>

#include "host/park.h"
#include "host/thread.h"
#include "table/waiter.h"

/*
 * @w: idle, with mask, priority and park set. Returns 0 (queued), -EAGAIN (the
 * word differs; an acquire), -EFAULT, -ENOMEM. Not in a handler over a critical
 * section.
 */
int ufx_wait_prepare(struct ufx_domain *d, struct ufx_waiter *w, uint32_t *word,
		     uint32_t expected);

/* Has a waker said its last about @w? Acquire. */
static inline bool ufx_wait_woken(const struct ufx_waiter *w)
{
	return ufx_load_acquire(&w->state) == UFX_WAITER_WOKEN;
}

/*
 * Takes @w out of the queue; it is idle afterwards. True: it had been woken
 * (an acquire). Waits, briefly, for a waker that is at it.
 */
bool ufx_wait_finish(struct ufx_domain *d, struct ufx_waiter *w);

/* True if @w left the queue of @key; false if it is not there (any more). */
bool ufx_wait_leave(struct ufx_domain *d, struct ufx_waiter *w, uint64_t key);

/*
 * Has a handler forked since @w was queued, and is this the child? Then it is
 * queued in a table of the parent's that nobody here uses.
 */
bool ufx_wait_forked(const struct ufx_domain *d, const struct ufx_waiter *w);

/* How a blocked thread takes signals and timeouts. */
enum ufx_wait_kind {
	UFX_WAIT_RESTARTS, /* handlers with SA_RESTART do not end it */
	UFX_WAIT_INTERRUPTED, /* any handler ends it: timed v1 waits */
};

/*
 * Blocks on @n words (1 to 128) until one is woken with a bit of @mask.
 * @words[1] on describe them, @words[0] is for the park word. Returns the
 * index, from 0, of a woken word; -EAGAIN, -EFAULT, -ETIMEDOUT, -EINTR,
 * -ENOMEM.
 */
long ufx_wait(struct ufx_domain *d, struct ufx_waitv_entry *words, unsigned int n,
	      uint32_t mask, const struct ufx_deadline *deadline,
	      enum ufx_wait_kind kind);

/*
 * For measurements: the locked pass that a wait makes before it queues: pin,
 * lock, look. -EAGAIN if the word differs, else 0 with nothing queued.
 */
long ufx_wait_probe(struct ufx_domain *d, uint32_t *word, uint32_t expected);

/* Waits ended by a bare system call on a word that was waited on here. */
uint64_t ufx_wait_foreign_wakes(void);

#endif
