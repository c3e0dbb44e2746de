/* SPDX-License-Identifier: MIT */
/* What threads do that signals hit: compute, block, make futex calls, until @stop. */
#ifndef TESTS_RUN_VICTIMS_H
#define TESTS_RUN_VICTIMS_H

#include "run.h"

static sem_t sem;
static uint32_t word;
static long stop;

static long compute(void *arg)
{
	(void)arg;
	while (!get(&stop))
		;
	return 0;
}

static long block(void *arg)
{
	(void)arg;
	while (sem_wait(&sem))
		;
	return 0;
}

static long hot(void *arg)
{
	struct timespec t = { .tv_nsec = 3000 };

	(void)arg;
	while (!get(&stop)) {
		raw_futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
		raw_futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
		sem_post(&sem);
		sem_trywait(&sem);
	}
	return 0;
}

#endif
