/* SPDX-License-Identifier: MIT */
/*
 * A thread with an event loop on epoll: waits are prepared anywhere, finished
 * there; their parker writes to an eventfd.
 */
#ifndef TESTS_PARKERS_LOOP_H
#define TESTS_PARKERS_LOOP_H

#include <ufutex/wait.h>

#define LOOP_FOREVER INT64_MAX

struct loop_wait {
	struct ufx_node node;
	struct loop_wait *next; /* posted */
	int64_t until; /* nanoseconds of CLOCK_MONOTONIC, or LOOP_FOREVER */
	struct loop_wait *later; /* with a deadline */
	void (*done)(struct loop_wait *w, int how, uint64_t answer);
	int number; /* the test's */
};

void loop_start(void);
void loop_stop(void);

/* In any thread but, with a deadline, before the loop's start. As prepare. */
int loop_wait(struct ufx_domain *d, struct loop_wait *w, const struct ufx_condition *c);

/* Calls of the parker so far. */
long loop_told(void);

#endif
