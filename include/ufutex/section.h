/* SPDX-License-Identifier: MIT */
/*
 * The restartable sequences (rseq(2)) that count, one function each.
 *
 * A section loads, tests, and commits by its last instruction. If the thread
 * is preempted, migrated, gets a signal, or another thread runs a grace period
 * (membarrier RSEQ) before the commit, the kernel sends it to the abort
 * address: nothing has happened. So whoever commits after a grace period has
 * also loaded after it.
 *
 * The CPU number is read inside the section. It is negative, hence unsigned
 * huge, where rseq is not registered, and may exceed what there are cells for:
 * one comparison sends both to the slow path.
 *
 * State bits in the low end of a `cells` word; any of them makes the sections
 * give way to the slow path.
 */
#ifndef UFUTEX_SECTION_H
#define UFUTEX_SECTION_H

#include <ufutex/base.h>

#define UFX_STATE_ATOMIC ((uintptr_t)1) /* count on counters->count */
#define UFX_STATE_OTHER ((uintptr_t)2)  /* the mode in use is not rseq */
#define UFX_STATE_FIXED ((uintptr_t)4)  /* not counted at all */
#define UFX_STATE_MASK ((uintptr_t)7)

/* A CPU's cells lie this far from the next CPU's. */
#define UFX_CELL_SHIFT 12
#define UFX_CELL_STRIDE ((uintptr_t)1 << UFX_CELL_SHIFT)

enum ufx_section_result {
	UFX_SECTION_DONE,
	UFX_SECTION_EMPTY, /* the pointer was NULL */
	UFX_SECTION_SLOW,  /* a state bit, no registration, or CPU out of range */
	UFX_SECTION_ABORT, /* interrupted; try again, not for ever */
};

UFX_BEGIN

/*
 * Filled at start, which making any counted object brings about. No section
 * may run before: it stores its descriptor before it tests anything.
 */
struct ufx_section_environment {
	ptrdiff_t area; /* thread pointer to struct rseq */
	uint32_t cpus;  /* possible CPUs; 0: no sections */
};
extern UFX_API struct ufx_section_environment ufx_section_env;

UFX_END

#if defined(UFX_MODEL) && UFX_MODEL
#include "section-model.h" /* the explorer's */
#elif (defined(UFX_PORTABLE) && UFX_PORTABLE) || !defined(__linux__)
#define UFX_NO_SECTIONS 1 /* of another host: ufutex/host.h */
#elif defined(__SANITIZE_THREAD__)
#define UFX_NO_SECTIONS 1 /* the sanitizer does not see them */
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UFX_NO_SECTIONS 1
#endif
#endif

#if defined(UFX_MODEL) && UFX_MODEL
#elif defined(UFX_NO_SECTIONS)
#include <ufutex/section-none.h>
#elif defined(__x86_64__)
#include <ufutex/section-x86_64.h>
#elif defined(__aarch64__)
#include <ufutex/section-aarch64.h>
#else
#include <ufutex/section-none.h>
#endif

/*
 * The calling thread leaves no trace of the sections that it has run: after
 * it their code may be unmapped. See ufutex/ref.h. Safe in signal handlers.
 */
static inline void ufx_section_forget(void)
{
#if UFX_HAVE_SECTIONS
	if (ufx_section_env.area) /* sections store it in any mode */
		ufx_section_clear();
#endif
}

#endif
