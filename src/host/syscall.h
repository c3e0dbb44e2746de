/* SPDX-License-Identifier: MIT */
/*
 * System calls without libc: syscall() may be interposed by ourselves, and
 * errno is the program's. Returns what the kernel returns: a value or -errno.
 * They are counted.
 */
#ifndef UFX_HOST_SYSCALL_H
#define UFX_HOST_SYSCALL_H

#include "host/count.h"

#if !UFX_PORTABLE
#include <sys/syscall.h>

#define UFX_NR_futex SYS_futex
#else
#define UFX_NR_futex 0
#endif

#define UFX_NR_futex_waitv 449
#define UFX_NR_futex_wake 454
#define UFX_NR_futex_wait 455
#define UFX_NR_futex_requeue 456

#if UFX_MODEL
long ufx_syscall(long nr, long a, long b, long c, long d, long e, long f);
#elif UFX_PORTABLE
#include <errno.h>

/* There is no kernel to ask. */
static inline long ufx_syscall(long nr, long a, long b, long c, long d, long e,
			       long f)
{
	(void)nr, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
	return -ENOSYS;
}
#else
/* Not counted. */
static inline long ufx_syscall_bare(long nr, long a, long b, long c, long d, long e,
				    long f)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ __volatile__("syscall"
			     : "=a"(ret)
			     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10),
			       "r"(r8), "r"(r9)
			     : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ __volatile__("svc 0"
			     : "+r"(x0)
			     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4),
			       "r"(x5)
			     : "memory");
	return x0;
#elif defined(__riscv)
	register long a7 __asm__("a7") = nr;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e;
	register long a5 __asm__("a5") = f;

	__asm__ __volatile__("ecall"
			     : "+r"(a0)
			     : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4),
			       "r"(a5)
			     : "memory");
	return a0;
#else
#error "no system call sequence for this machine"
#endif
}

static inline long ufx_syscall(long nr, long a, long b, long c, long d, long e,
			       long f)
{
	ufx_count_call(nr);
	return ufx_syscall_bare(nr, a, b, c, d, e, f);
}
#endif

#endif
