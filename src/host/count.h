/* SPDX-License-Identifier: MIT */
/*
 * Counters that are always on: of the system calls that the engine makes, and
 * of what layers above it count in the same lines. Whoever reads them may be
 * another process (preload/statistics.h).
 *
 * One counts by an atomic add in a stripe that the thread shares with few
 * others: anywhere, also in signal handlers and in children of vfork. Not in
 * the explorer, nor on other hosts than Linux.
 */
#ifndef UFX_HOST_COUNT_H
#define UFX_HOST_COUNT_H

#include <stdint.h>

#include "host/atomic.h"

enum ufx_count {
	UFX_COUNT_FUTEX,   /* system calls futex(2) */
	UFX_COUNT_WAITV,   /* and futex_waitv(2) */
	UFX_COUNT_SLEPT,   /* waits that slept and have gone on */
	UFX_COUNT_FOREIGN, /* ufx_wait_foreign_wakes() */
	UFX_COUNT_CALLING, /* operations that made a system call of ours */
	UFX_COUNT_MORE = 8, /* from here on: of layers above */
	UFX_COUNTS = 32,
};

#define UFX_STRIPES 32

struct ufx_stripe {
	uint64_t n[UFX_COUNTS];
} __attribute__((aligned(256)));

#if UFX_MODEL || UFX_PORTABLE
#define ufx_count(what) ((void)0)
#define ufx_count_table(slots) ((void)0)
#else

#include <sys/syscall.h>

/* NULL: a fork has wiped it, ufx_counting_begin has them. */
struct ufx_counting {
	struct ufx_stripe *stripes;
};

/* Whose stripes they are: the engine's own, until somebody changes that. */
extern struct ufx_counting *ufx_counting;
extern struct ufx_stripe *(*ufx_counting_begin)(void);

/* Hears of each table of the default domain that comes into force; or NULL. */
extern void (*ufx_counting_table)(uint32_t slots);

/* Is this thread at an operation that is counted, and has it called already? */
enum ufx_at { UFX_AT_NONE, UFX_AT_OPERATION, UFX_AT_CALLING };

extern __thread uint32_t ufx_thread_at __attribute__((tls_model("initial-exec")));

static inline void ufx_count(unsigned int what)
{
	struct ufx_stripe *stripes = ufx_load(&ufx_counting->stripes);
	/* Addresses of threads differ by what their stacks take. */
	uint64_t hash = (uintptr_t)&ufx_thread_at * 0x9e3779b97f4a7c15u;

	if (ufx_unlikely(!stripes))
		stripes = ufx_counting_begin();
	ufx_add_relaxed(&stripes[hash >> 59].n[what], 1);
}

/* Before each system call of ours. */
static inline void ufx_count_call(long nr)
{
	if (ufx_load(&ufx_thread_at) == UFX_AT_OPERATION) {
		ufx_store(&ufx_thread_at, UFX_AT_CALLING);
		ufx_count(UFX_COUNT_CALLING);
	}
	if (nr == SYS_futex)
		ufx_count(UFX_COUNT_FUTEX);
	else if (nr == 449) /* futex_waitv */
		ufx_count(UFX_COUNT_WAITV);
}

static inline void ufx_count_table(uint32_t slots)
{
	if (ufx_counting_table)
		ufx_counting_table(slots);
}

_Static_assert(UFX_STRIPES == 1 << (64 - 59), "so many bits of the hash");
#endif

#endif
