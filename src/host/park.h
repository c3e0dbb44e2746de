/* SPDX-License-Identifier: MIT */
/*
 * Putting threads to sleep in the kernel and waking them.
 *
 * The kind of kernel wait is chosen by the operation, so that EINTR and
 * restart after a signal come from the kernel itself.
 */
#ifndef UFX_HOST_PARK_H
#define UFX_HOST_PARK_H

#include <ufutex/futex.h>
#include <ufutex/wait.h>

#define UFX_PARK_AWAKE 0
#define UFX_PARK_ASLEEP 1
#define UFX_PARK_WATCHING 2 /* asleep on words of the program, too */

/*
 * Sleeps while *@park is UFX_PARK_ASLEEP, until @deadline (NULL: for ever).
 * After any signal handler: -EINTR. Else 0, -EAGAIN, -ETIMEDOUT.
 */
int ufx_park_alone(const uint32_t *park, const struct ufx_deadline *deadline);

/*
 * Sleeps on @words[1] to @words[n - 1] of the program and, in @words[0], a
 * park word of ours (ufx_park_entry, in the state that it has): while each is as expected, until
 * @deadline. After a handler: -EINTR, or the kernel goes on waiting if the
 * handler has SA_RESTART, and looks at the words again.
 * Returns -EAGAIN if a word differs, -ETIMEDOUT, -EINTR, -EFAULT, or the index
 * of the word that was woken: not 0 means that a bare system call did it.
 * Where the kernel has no futex_waitv the words are looked at now and then.
 */
int ufx_park_words(const struct ufx_waitv_entry *words, unsigned int n,
		   const struct ufx_deadline *deadline);

static inline struct ufx_waitv_entry ufx_park_entry(const uint32_t *word,
						    uint32_t value)
{
	struct ufx_waitv_entry entry = {
		value, (uintptr_t)word, UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, 0
	};

	return entry;
}

/* Wakes the thread that sleeps on @park, if one does. The last touch. */
void ufx_unpark(uint32_t *park);

/*
 * The same for @n threads at once: those asleep are first gathered on one word
 * of the caller's, never unmapped, and then woken by one call. Waking them one
 * by one costs the caller its CPU after each, to the thread that it woke.
 * Returns how many of those with @here were watching: they are left asleep.
 */
unsigned int ufx_unpark_all(uint32_t *const *parks, const uint8_t *here, unsigned int n,
			    uint32_t *lobby);

/* Looks for futex_waitv. */
void ufx_park_start(void);
bool ufx_park_has_waitv(void);

#endif
