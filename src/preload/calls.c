/* SPDX-License-Identifier: MIT */
/* From libc's conventions to the engine's: -errno becomes errno and -1. */
#include <errno.h>
#include <sys/prctl.h>

#include "abi/served.h"
#include "host/confine.h"
#include "host/syscall.h"
#include "preload/handlers.h"
#include "preload/operations.h"
#include "preload/preload.h"

__attribute__((noinline)) long ufx_preload_fail(long result)
{
	errno = (int)-result;
	return -1;
}

/* Errors are no rarer than the rest: a wait for a word that has changed. */
static inline long answer(long result)
{
	if ((unsigned long)result < -4095UL)
		return result;
	return ufx_preload_fail(result);
}

/* To the kernel. */
__attribute__((cold, noinline)) static long
pass(long nr, unsigned long a, unsigned long b, unsigned long c,
     unsigned long d, unsigned long e, unsigned long f)
{
	return answer(ufx_syscall(nr, (long)a, (long)b, (long)c, (long)d,
				  (long)e, (long)f));
}

#define PASS(nr, a, b, c, d, e, f)                                             \
	pass((nr), (unsigned long)(a), (unsigned long)(b), (unsigned long)(c), \
	     (unsigned long)(d), (unsigned long)(e), (unsigned long)(f))

long ufx_preload_futex(uint32_t *uaddr, int op, uint32_t val,
		       const struct timespec *timeout, uint32_t *uaddr2,
		       uint32_t val3)
{
	uint32_t before;

	if (!ufx_preload_on() || !ufx_futex_serves(op)) {
		ufx_operation_passes(ufx_operation_of(op));
		return PASS(SYS_futex, uaddr, op, val, timeout, uaddr2, val3);
	}
	before = ufx_operation_begins(ufx_operation_of(op));
	return answer(ufx_operation_ends(before, ufx_futex(uaddr, op, val, timeout,
						   uaddr2, val3)));
}

long ufx_preload_waitv(struct ufx_waitv_entry *waiters, unsigned int nr,
		       unsigned int flags, struct timespec *timeout,
		       clockid_t clock)
{
	uint32_t before;

	if (!ufx_preload_on() || !ufx_waitv_serves(waiters, nr)) {
		ufx_operation_passes(UFX_OPERATION_WAITV);
		return PASS(UFX_NR_futex_waitv, waiters, nr, flags, timeout, clock, 0);
	}
	before = ufx_operation_begins(UFX_OPERATION_WAITV);
	return answer(ufx_operation_ends(before, ufx_futex_waitv(waiters, nr, flags,
							 timeout, clock)));
}

long ufx_preload_wake(void *uaddr, unsigned long mask, int nr,
		      unsigned int flags)
{
	uint32_t before;

	if (!ufx_preload_on() || !ufx_futex2_serves(flags)) {
		ufx_operation_passes(UFX_OPERATION_WAKE);
		return PASS(UFX_NR_futex_wake, uaddr, mask, nr, flags, 0, 0);
	}
	before = ufx_operation_begins(UFX_OPERATION_WAKE);
	return answer(ufx_operation_ends(before, ufx_futex_wake(uaddr, mask, nr, flags)));
}

long ufx_preload_wait(void *uaddr, unsigned long val, unsigned long mask,
		      unsigned int flags, struct timespec *timeout,
		      clockid_t clock)
{
	uint32_t before;

	if (!ufx_preload_on() || !ufx_futex2_serves(flags)) {
		ufx_operation_passes(UFX_OPERATION_WAIT);
		return PASS(UFX_NR_futex_wait, uaddr, val, mask, flags, timeout, clock);
	}
	before = ufx_operation_begins(UFX_OPERATION_WAIT);
	return answer(ufx_operation_ends(before, ufx_futex_wait(uaddr, val, mask, flags,
							timeout, clock)));
}

long ufx_preload_requeue(struct ufx_waitv_entry *waiters, unsigned int flags,
			 int nr_wake, int nr_requeue)
{
	uint32_t before;

	if (!ufx_preload_on() || !ufx_waitv_serves(waiters, 2)) {
		ufx_operation_passes(UFX_OPERATION_REQUEUE);
		return PASS(UFX_NR_futex_requeue, waiters, flags, nr_wake, nr_requeue, 0, 0);
	}
	before = ufx_operation_begins(UFX_OPERATION_REQUEUE);
	return answer(ufx_operation_ends(before, ufx_futex_requeue(waiters, flags, nr_wake,
							   nr_requeue)));
}

long ufx_preload_prctl(int option, unsigned long arg2, unsigned long arg3,
		       unsigned long arg4, unsigned long arg5)
{
	if (option == PR_SET_SECCOMP)
		ufx_confine();
	if (option != UFX_PR_FUTEX_HASH || !ufx_preload_on())
		return PASS(SYS_prctl, option, arg2, arg3, arg4, arg5,
			    0);
	return answer(ufx_prctl_futex_hash(arg2, arg3, arg4, arg5));
}

#if defined(__x86_64__)
long ufx_preload_seccomp(unsigned long op, unsigned long flags, unsigned long filter)
{
	ufx_confine();
	return PASS(SYS_seccomp, op, flags, filter, 0, 0, 0);
}

long ufx_preload_sigaction(int signal, const struct ufx_sigaction *act,
			   struct ufx_sigaction *old, size_t mask_size)
{
	if (!ufx_preload_on())
		return PASS(SYS_rt_sigaction, signal, act, old, mask_size, 0, 0);
	return answer(ufx_handlers_change(signal, act, old, mask_size));
}
#endif

/*
 * libc's is `int prctl(int, ...)`; these five are passed the same way, and the
 * int is the low half of the long.
 */
extern __typeof__(ufx_preload_prctl) prctl_for_programs __asm__("prctl")
	__attribute__((alias("ufx_preload_prctl"), visibility("default")));
