/* SPDX-License-Identifier: MIT */
#include <ufutex/futex.h>

#include "host/atomic.h"
#include "host/fault.h"
#include "host/lock.h"
#include "host/note.h"
#include "host/syscall.h"

#if UFX_TSAN
uint32_t ufx_fence_word;
#endif

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

void ufx_relax(unsigned int *round)
{
	struct timespec nap = { 0, 50000 };

	if (++*round < 64)
		ufx_pause();
	else if (*round < 256)
		ufx_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	else /* a yield does not let a lower priority run */
		ufx_syscall(SYS_nanosleep, (long)&nap, 0, 0, 0, 0, 0);
}

bool ufx_lock_try(uint32_t *word)
{
	uint32_t free = 0;

	return ufx_cas(word, &free, 1);
}

void ufx_lock(uint32_t *word)
{
	if (ufx_lock_try(word))
		return;
	while (ufx_xchg(word, 2))
		ufx_word_wait(word, 2);
}

void ufx_unlock(uint32_t *word)
{
	if (ufx_xchg(word, 0) == 2 && !UFX_FAULT(HOST_LOCK_IDLE))
		ufx_word_wake(word, 1);
}
