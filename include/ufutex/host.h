/* SPDX-License-Identifier: MIT */
/*
 * What the library needs of a machine other than Linux: the functions below,
 * which whoever brings it there defines. All else comes from the library, whose
 * sources are then compiled with UFX_PORTABLE=1; so are programs that include its
 * headers (there are no restartable sequences to compile into them).
 *
 * src/posix/posix.c is such a host for threads of POSIX, examples/cooperative.c
 * one for tasks of a program's own; docs/hosts.rst says how to write one.
 *
 * "Thread" is whatever the host runs several of, and ufx_host_sleep puts to sleep.
 * All functions may be called by any thread, also by one that is marked inside
 * the library (it may hold locks of the library). So they must not call it, and
 * only ufx_host_sleep and ufx_host_yield may let another thread run in place of
 * the caller. None may be called before ufx_host_start has returned, nor is.
 *
 * Signal handlers: with such a host operations may not be called from them, unless
 * its functions may.
 */
#ifndef UFUTEX_HOST_H
#define UFUTEX_HOST_H

#include <ufutex/base.h>
#include <ufutex/wait.h>

UFX_BEGIN

struct ufx_thread;

/* What the library keeps with each thread; zero when the thread begins. */
struct ufx_marks {
	struct ufx_thread *record;
	uint64_t deferred;
	uint32_t inside, bound, posted, driving;
	uint32_t unregistered, hurried;
};

/* ---- the host's ---- */

/* Called first, once, by whichever thread comes first. 0 or -errno, for good. */
int ufx_host_start(void);

/* The calling thread's marks; they stay where they are until it ends. */
struct ufx_marks *ufx_host_marks(void);

/*
 * @size bytes of zeroes, aligned to 64; NULL: none left. And back. The library
 * asks for 4 KiB and more, rarely: for domains and tables by the dozen, and
 * 64 KiB a thread that waits.
 */
void *ufx_host_alloc(size_t size);
void ufx_host_free(void *memory, size_t size);

/*
 * Sleeps while *@word is @value, until @deadline (NULL: for ever), or a
 * ufx_host_wake of that address. The comparison and the going to sleep are one
 * step for wakes: one that comes after the word was found as expected ends the
 * sleep. May return at any time. Returns -ETIMEDOUT once @deadline has passed, else
 * 0. An acquire, of what was released before the wake.
 */
int ufx_host_sleep(const uint32_t *word, uint32_t value,
		   const struct ufx_deadline *deadline);

/*
 * Ends the sleeps of up to @n threads on the address @word, the first ones first;
 * more do no harm. The memory there may be gone. A release.
 */
void ufx_host_wake(const uint32_t *word, unsigned int n);

/* Lets other threads run, as soon as may be: the caller waits for one. */
void ufx_host_yield(void);

/* What @clock (CLOCK_MONOTONIC or CLOCK_REALTIME) shows. */
void ufx_host_clock(clockid_t clock, struct timespec *now);

/* Processors that threads may run on at once; at least 1, always the same. */
unsigned int ufx_host_cpus(void);

/* @size bytes nobody can guess; less random: keys that share a bucket can be chosen. */
void ufx_host_random(void *to, size_t size);

/* The setting called @name (UFUTEX_REFS, UFUTEX_REPLACE, UFUTEX_SPIN), or NULL. */
const char *ufx_host_setting(const char *name);

/* ---- the library's, for the host to call ---- */

/*
 * The thread with these @marks ends, or has ended: what it had of the library's
 * is used again. By itself or by another; not needed, but for memory.
 */
UFX_API void ufx_host_thread_ends(struct ufx_marks *marks);

/*
 * This is the child of a fork, before anything else is done with the library;
 * its only thread is the caller. Hosts without fork do not need it.
 */
UFX_API void ufx_host_forked(void);

UFX_END

#endif
