/* SPDX-License-Identifier: MIT */
#ifndef TESTS_STAY_H
#define TESTS_STAY_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <sched.h>

/* Stays on this CPU from now on; so do the threads that are made afterwards. */
static inline void stay_on_this_cpu(void)
{
	int cpu = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	if (cpu < 0)
		return;
	CPU_SET((size_t)cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

#endif
