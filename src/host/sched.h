/* SPDX-License-Identifier: MIT */
/* What the scheduler says of the calling thread. */
#ifndef UFX_HOST_SCHED_H
#define UFX_HOST_SCHED_H

#include <ufutex/base.h>

struct ufx_sched {
	uint32_t priority; /* 0, or real-time priority 1 to 99, 100: deadline */
	bool normal;       /* SCHED_OTHER: neither real-time nor batch nor idle */
};

struct ufx_sched ufx_sched_look(void);

/*
 * CPUs that this thread may run on. If that is one alone: 2 if another thread
 * of the process was seen within the last second, here, to have another one,
 * as where each is bound to its own. 0: not known. @now: CLOCK_MONOTONIC, ns.
 */
uint32_t ufx_sched_cpus(uint64_t now);

/* Tests: pretend that each thread may run on @n CPUs; 0: the truth. */
void ufx_sched_pretend(uint32_t n);

#endif
