/* SPDX-License-Identifier: MIT */
/*
 * What this machine offers, which mode was chosen, and why not a better one.
 */
#ifndef UFUTEX_CAPS_H
#define UFUTEX_CAPS_H

#include <ufutex/base.h>

UFX_BEGIN

/*
 * How references are counted and grace periods are made. Decided once, at
 * the first use of the library, best first; UFUTEX_REFS=rseq|membarrier|
 * fence|shared forces one. A forced mode that the machine cannot do is an
 * error, never silently another mode.
 */
enum ufx_mode {
	UFX_MODE_NONE,       /* the forced mode cannot be had */
	UFX_MODE_RSEQ,       /* restartable sequences, membarrier RSEQ */
	UFX_MODE_MEMBARRIER, /* a depth a thread, membarrier PRIVATE_EXPEDITED */
	UFX_MODE_FENCE,      /* a depth a thread with full fences */
	UFX_MODE_SHARED,     /* everybody counts on shared words: a yardstick */
	UFX_MODE_COUNT
};

/*
 * UFUTEX_SPIN=off|auto|NS, read with it: what a thread does before it sleeps.
 * auto: it spins and yields, as far as that helps; off: neither; NS: it spins for
 * so many nanoseconds (up to 1000000). Another value is an error as above. None
 * of them for threads that are real-time, batch or idle; spinning only where
 * affinity and the CPU quota of the process's cgroups give more than one CPU.
 */

/* How a table is replaced; UFUTEX_REPLACE=moving|at-zero for the default domain. */
enum ufx_replace {
	UFX_REPLACE_MOVING,  /* publish first, move bucket by bucket */
	UFX_REPLACE_AT_ZERO, /* the kernel's: switch when nobody holds a pin */
};

struct ufx_capabilities {
	enum ufx_mode mode;       /* in use; UFX_MODE_NONE with @error */
	enum ufx_replace replace; /* of the default domain */
	int error;                /* 0, or -EOPNOTSUPP: what is forced is missing */
	unsigned int cpus;        /* possible CPUs */
	bool waitv;               /* the kernel has futex_waitv (Linux 5.16) */
	bool wipe_on_fork;        /* the kernel wipes our pages in a fork child */
	/* For each mode: NULL if the machine can do it, else why not. */
	const char *missing[UFX_MODE_COUNT];
	/* Of the grace periods so far: */
	uint64_t grace_periods;   /* made */
	uint64_t grace_failures;  /* refused by the kernel (seccomp) */
	uint64_t leaked_tables;   /* not freed for that reason */
	uint64_t aborts;          /* sections that gave up and took a fallback bank */
};

/* The name of @mode as UFUTEX_REFS takes it, "none" for others. */
UFX_API const char *ufx_mode_name(enum ufx_mode mode);

/*
 * Fills @caps; starts the library if nothing did before. Returns 0, or
 * caps->error.
 */
UFX_API int ufx_caps(struct ufx_capabilities *caps);

UFX_END

#endif
