/* SPDX-License-Identifier: MIT */
/*
 * libufutex-preload.so: a program's futex calls, answered by the engine.
 *
 * Loaded by LD_PRELOAD into programs that know nothing of it. On x86-64 its
 * constructor (start.c) replaces the system calls in the code of the program and
 * its libraries (patch.c), which come to site.c from then on. It also exports
 * four functions, without version names, so that references of any version bind
 * to them:
 *
 *   syscall         futex, futex_waitv, futex_wake, futex_wait, futex_requeue,
 *                   prctl, rt_sigaction and seccomp go to the functions below;
 *                   all others do what libc's syscall does
 *   prctl           PR_FUTEX_HASH goes to the engine
 *   vfork           marks the thread: its child shares the thread's memory but
 *                   not the kernel's care for its restartable sequences
 *   pthread_create  lets the table grow with the number of threads, as the
 *                   kernel's does
 *
 * Where not all system calls can be replaced, nothing is served: a word that is
 * waited on here must not be woken in the kernel.
 *
 * musl loads a library that names libc.so.6, too. There this one is silent and
 * passes everything on, so it must not need anything that only glibc has.
 */
#ifndef UFX_PRELOAD_PRELOAD_H
#define UFX_PRELOAD_PRELOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <ufutex/futex.h>

/*
 * What the stubs of syscall() jump to, with the arguments that follow the
 * number. All return what libc's syscall() does: -1 with errno set on error.
 */
long ufx_preload_futex(uint32_t *uaddr, int op, uint32_t val,
		       const struct timespec *timeout, uint32_t *uaddr2,
		       uint32_t val3);
long ufx_preload_waitv(struct ufx_waitv_entry *waiters, unsigned int nr,
		       unsigned int flags, struct timespec *timeout,
		       clockid_t clock);
long ufx_preload_wake(void *uaddr, unsigned long mask, int nr,
		      unsigned int flags);
long ufx_preload_wait(void *uaddr, unsigned long val, unsigned long mask,
		      unsigned int flags, struct timespec *timeout,
		      clockid_t clock);
long ufx_preload_requeue(struct ufx_waitv_entry *waiters, unsigned int flags,
			 int nr_wake, int nr_requeue);
long ufx_preload_prctl(int option, unsigned long arg2, unsigned long arg3,
		       unsigned long arg4, unsigned long arg5);
/* The program confines itself: from now on we make no calls that it does not. */
long ufx_preload_seccomp(unsigned long op, unsigned long flags, unsigned long filter);

struct ufx_sigaction;
long ufx_preload_sigaction(int signal, const struct ufx_sigaction *act,
			   struct ufx_sigaction *old, size_t mask_size);

/* @result is -errno: sets errno and returns -1. */
long ufx_preload_fail(long result);

/* Does the engine serve this program? Else all goes to the kernel. */
extern bool ufx_preload_serves;

static inline bool ufx_preload_on(void)
{
	return __builtin_expect(ufx_preload_serves, 1);
}

/* One line on standard error, in one write: "ufutex: what: why". */
void ufx_preload_say(const char *what, const char *why);

#endif
