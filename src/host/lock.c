/* SPDX-License-Identifier: MIT */
#include "host/atomic.h"
#include "host/fault.h"
#include "host/lock.h"

#if UFX_TSAN
uint32_t ufx_fence_word;
#endif

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
