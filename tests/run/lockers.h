/* SPDX-License-Identifier: MIT */
/* Threads that lock one mutex until they are told to end, and count. */
#ifndef TESTS_RUN_LOCKERS_H
#define TESTS_RUN_LOCKERS_H

#include "run.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long over, counter;

static void *lock_always(void *arg)
{
	long turns = 0;

	(void)arg;
	while (!get(&over)) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
		turns++;
	}
	return (void *)turns;
}

#endif
