/* SPDX-License-Identifier: MIT */
/* Sleeping on words of the library's own, in the kernel. */
#include <ufutex/futex.h>

#include "host/lock.h"
#include "host/note.h"
#include "host/syscall.h"

void ufx_word_wait(const uint32_t *word, uint32_t value)
{
	ufx_syscall(SYS_futex, (long)word, UFX_FUTEX_WAIT | UFX_FUTEX_PRIVATE,
		    value, 0, 0, 0);
}

void ufx_word_wait_briefly(const uint32_t *word, uint32_t value)
{
	static const struct timespec most = { 0, 100000000 };

	ufx_syscall(SYS_futex, (long)word, UFX_FUTEX_WAIT | UFX_FUTEX_PRIVATE,
		    value, (long)&most, 0, 0);
}

void ufx_word_wake(const uint32_t *word, int n)
{
	ufx_syscall(SYS_futex, (long)word, UFX_FUTEX_WAKE | UFX_FUTEX_PRIVATE, n,
		    0, 0, 0);
}

void ufx_yield(void)
{
	ufx_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

void ufx_relax(unsigned int *round)
{
	struct timespec nap = { 0, 50000 };

	if (++*round < 64)
		ufx_pause();
	else if (*round < 256)
		ufx_yield();
	else /* a yield does not let a lower priority run */
		ufx_syscall(SYS_nanosleep, (long)&nap, 0, 0, 0, 0, 0);
}
