/* SPDX-License-Identifier: MIT */
/*
 * The read side where no restartable sequence can be used: in the other
 * modes, in threads without registration, and past the bound on retries.
 *
 * Modes membarrier and fence mark the thread's record with a depth. All
 * others enter a fallback bank. There are two, as in SRCU: new readers enter
 * the active one while a grace period waits for the other to drain, so nobody
 * can keep it waiting for ever.
 */
#ifndef UFX_GRACE_READER_H
#define UFX_GRACE_READER_H

#include <stdint.h>

#include "host/thread.h"

struct ufx_read {
	struct ufx_thread *thread; /* marked there; NULL: in a bank */
	uint32_t bank;
	uint32_t era;
};

/*
 * Begins and ends a read side of a few instructions. Nests; safe in signal
 * handlers; must not sleep within. begin is a full fence (in mode membarrier
 * by the partner's doing), end a release.
 */
struct ufx_read ufx_read_begin(void);
void ufx_read_end(struct ufx_read read);

/* Waits until every read side marked in a record has ended once. */
void ufx_readers_wait(void);

/*
 * Waits until every reader that is in a bank now has left it. One caller at a
 * time, who has executed a full fence since what it waits for was published.
 */
void ufx_banks_drain(void);

/* Read sides that took a bank because a sequence was aborted too often. */
void ufx_read_count_abort(void);
uint64_t ufx_read_aborts(void);

int ufx_readers_start(void);

#endif
