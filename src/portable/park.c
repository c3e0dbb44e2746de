/* SPDX-License-Identifier: MIT */
/* host/park.h and the sleeping part of host/lock.h, over any host. */
#include <errno.h>

#include <ufutex/host.h>

#include "host/atomic.h"
#include "host/lock.h"
#include "host/park.h"

void ufx_park_start(void)
{
}

bool ufx_park_has_waitv(void)
{
	return false;
}

int ufx_park_alone(const uint32_t *park, const struct ufx_deadline *deadline)
{
	return ufx_host_sleep(park, UFX_PARK_ASLEEP, deadline);
}

/* No handler changes the words without a wake: the park word is enough. */
int ufx_park_words(const struct ufx_waitv_entry *words, unsigned int n,
		   const struct ufx_deadline *deadline)
{
	(void)n;
	return ufx_park_alone((const uint32_t *)(uintptr_t)words[0].uaddr, deadline);
}

void ufx_unpark(uint32_t *park)
{
	/* As src/host/park.c, which names the partner. */
	if (ufx_xchg(park, UFX_PARK_AWAKE) != UFX_PARK_AWAKE)
		ufx_host_wake(park, 1);
}

unsigned int ufx_unpark_all(uint32_t *const *parks, const uint8_t *here, unsigned int n,
			    uint32_t *lobby)
{
	(void)here, (void)lobby;
	for (unsigned int i = 0; i < n; i++)
		ufx_unpark(parks[i]);
	return 0;
}

/* ---- words of the library's own ---- */

void ufx_word_wait(const uint32_t *word, uint32_t value)
{
	ufx_host_sleep(word, value, NULL);
}

static void sleep_for(const uint32_t *word, uint32_t value, int64_t ns)
{
	struct ufx_deadline deadline = ufx_deadline_in(ns);

	ufx_host_sleep(word, value, &deadline);
}

void ufx_word_wait_briefly(const uint32_t *word, uint32_t value)
{
	sleep_for(word, value, 100000000);
}

void ufx_word_wake(const uint32_t *word, int n)
{
	ufx_host_wake(word, (unsigned int)n);
}

void ufx_yield(void)
{
	ufx_host_yield();
}

void ufx_relax(unsigned int *round)
{
	static const uint32_t never;

	if (++*round < 64)
		ufx_pause();
	else if (*round < 256)
		ufx_host_yield();
	else /* a yield does not let a lower priority run */
		sleep_for(&never, 0, 50000);
}
