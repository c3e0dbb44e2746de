/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PRELOAD_EARLY_H
#define TESTS_PRELOAD_EARLY_H

#include <pthread.h>
#include <stdint.h>
#include <sys/types.h>

/* What the constructor of early_lib.c saw. */
struct early {
	long wait, wait_errno, wake, slots_before, slots_after;
	int created, vfork, vfork_status;
	pthread_t thread;
	pid_t tid;
	uint32_t word; /* that the thread waits on */
	long waiter;   /* what its wait returned */
};

extern struct early early;

#endif
