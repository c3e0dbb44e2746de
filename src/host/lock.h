/* SPDX-License-Identifier: MIT */
/*
 * A lock of the library's own for its slow paths (not the buckets' locks).
 * Sleeps in the kernel when taken. Not recursive. The holder must be marked
 * "inside" (host/thread.h), so that a handler of its thread never waits here.
 */
#ifndef UFX_HOST_LOCK_H
#define UFX_HOST_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* @word: 0 free, 1 held, 2 held and somebody may sleep on it. */
void ufx_lock(uint32_t *word);
bool ufx_lock_try(uint32_t *word);
void ufx_unlock(uint32_t *word);

/* The half of @word that changes first as it counts: what one can sleep on. */
static inline const uint32_t *ufx_low_half(const void *word)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (const uint32_t *)word;
#else
	return (const uint32_t *)word + 1;
#endif
}

/* Sleeps while *@word is @value; may return at any time. */
void ufx_word_wait(const uint32_t *word, uint32_t value);

/*
 * For a tenth of a second at most, and the kernel does not restart it after a
 * handler: that may have forked, and who would wake us is not in the child.
 */
void ufx_word_wait_briefly(const uint32_t *word, uint32_t value);

/* Wakes @n sleepers on @word. The memory need not be mapped any more. */
void ufx_word_wake(const uint32_t *word, int n);

/* Gives up the CPU. */
void ufx_yield(void);

/* Lets others run: the first few times by a pause, then by giving up the CPU. */
void ufx_relax(unsigned int *round);

#endif
