/* SPDX-License-Identifier: MIT */
/* Threads with the smallest stacks that the system allows. */
#include "served.h"

#define THREADS 8
#define ROUNDS 2000

static uint32_t words[THREADS];
static long bad;

static void set(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
	call_futex(word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* The partner may be one round ahead already. */
static void wait_until(uint32_t *word, uint32_t value)
{
	uint32_t now;

	while ((now = __atomic_load_n(word, __ATOMIC_SEQ_CST)) < value)
		if (call_futex(word, FUTEX_WAIT_PRIVATE, now, NULL, NULL, 0) &&
		    errno != EAGAIN && errno != EINTR)
			__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
}

/* Pairs: each waits for its partner, 2000 times. */
static void *partner(void *arg)
{
	unsigned int i = (unsigned int)(uintptr_t)arg;
	uint32_t *mine = &words[i], *theirs = &words[i ^ 1];

	for (uint32_t round = 1; round <= ROUNDS; round++) {
		set(theirs, round);
		wait_until(mine, round);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	pthread_attr_t attr;
	int made = 0;

	(void)argc;
	served(argv);
	pthread_attr_init(&attr);
	is_int(pthread_attr_setstacksize(&attr, 16384), 0, "stacks of 16 KiB");
	for (uintptr_t i = 0; i < THREADS; i++)
		made += !pthread_create(&threads[i], &attr, partner, (void *)i);
	if (!is_int(made, THREADS, "threads are made"))
		return tap_end();
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	is_int(bad, 0, "all waits end well");
	return tap_end();
}
