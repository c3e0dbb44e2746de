/* SPDX-License-Identifier: MIT */
/*
 * Which way of counting and of making grace periods is in use. One file a
 * mode says whether the machine can do it, and makes the barrier.
 */
#ifndef UFX_GRACE_MODE_H
#define UFX_GRACE_MODE_H

#include <ufutex/caps.h>
#include <ufutex/section.h>

#include "host/atomic.h"

struct ufx_mode_ops {
	enum ufx_mode mode;
	const char *name;
	/* Prepares the mode. NULL, or why the machine cannot do it. */
	const char *(*probe)(void);
	/*
	 * Returns when every section or read side that had begun before has
	 * ended or been restarted. 0, or -errno. The caller has executed a full
	 * fence since what it waits for was published.
	 */
	int (*barrier)(void);
};

extern const struct ufx_mode_ops ufx_mode_rseq, ufx_mode_membarrier,
	ufx_mode_fence, ufx_mode_shared;

/* The mode in use, decided by ufx_grace_start. */
extern const struct ufx_mode_ops *ufx_mode;

/* State bits that every `cells` word carries in this mode. */
static inline uintptr_t ufx_mode_state(void)
{
	return ufx_mode->mode == UFX_MODE_RSEQ ? 0 : UFX_STATE_OTHER;
}

/*
 * Starts the library up to grace periods, once; later calls return what the
 * first one did. 0, -ENOMEM, or -EOPNOTSUPP (a forced mode is missing).
 */
int ufx_grace_start(void);
extern uint32_t ufx_grace_started; /* 2: ufx_grace_start returned 0 */

static inline int ufx_start(void)
{
	if (ufx_likely(ufx_load_acquire(&ufx_grace_started) == 2))
		return 0;
	return ufx_grace_start();
}

/* For ufx_caps: why @mode cannot be had, NULL if it can. */
const char *ufx_mode_missing(enum ufx_mode mode);

#endif
