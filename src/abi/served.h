/* SPDX-License-Identifier: MIT */
/* What the faces share: checks in the kernel's order, deadlines, passing on. */
#ifndef UFX_ABI_SERVED_H
#define UFX_ABI_SERVED_H

#include <errno.h>

#include <ufutex/domain.h>
#include <ufutex/futex.h>

#include "futex/wait.h"
#include "futex/wake.h"
#include "host/address.h"
#include "host/guard.h"
#include "host/park.h"
#include "host/syscall.h"

/* Alignment before range, as the kernel does. 0, -EINVAL, -EFAULT. */
static inline int ufx_check_word(const void *word)
{
	uintptr_t address = (uintptr_t)word;

	if (ufx_unlikely(address & 3))
		return -EINVAL;
	return ufx_unlikely(address > ufx_address_last) ? -EFAULT : 0;
}

/* Copies and checks a timespec. 0, -EFAULT, -EINVAL. */
int ufx_timespec_get(struct timespec *to, const struct timespec *from);

/* Now plus @relative on the monotonic clock, at most the end of time. */
struct ufx_deadline ufx_deadline_after(const struct timespec *relative);

/* Is futex(2) operation @op, flags included, one that ufx_futex does itself? */
bool ufx_futex_serves(int op);

/* The same of futex_wake(2) and futex_wait(2). */
bool ufx_futex2_serves(unsigned int flags);

/* And of futex_waitv(2) and futex_requeue(2). */
bool ufx_waitv_serves(const struct ufx_waitv_entry *waiters, unsigned int nr);

/* The kernel's own call, with all that was given. */
static inline long ufx_pass_futex(uint32_t *uaddr, int op, uint32_t val,
				  const void *timeout, uint32_t *uaddr2,
				  uint32_t val3)
{
	return ufx_syscall(UFX_NR_futex, (long)uaddr, op, val, (long)timeout,
			   (long)uaddr2, val3);
}

#endif
