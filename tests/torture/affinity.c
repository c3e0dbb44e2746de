// SPDX-License-Identifier: MIT
/* Threads are pushed from CPU to CPU, so that sections and pins migrate. */
#include "torture.h"

static cpu_set_t all;

static void start(void)
{
	sched_getaffinity(0, sizeof(all), &all);
}

static void step(struct worker *w)
{
	struct worker *other = worker_any(w);
	int n = (int)rnd(w, (uint32_t)CPU_COUNT(&all) + 1), cpu;
	cpu_set_t one;

	CPU_ZERO(&one);
	for (cpu = 0; cpu < CPU_SETSIZE && n >= 0; cpu++)
		if (CPU_ISSET(cpu, &all) && !n--)
			CPU_SET(cpu, &one);
	if (!CPU_COUNT(&one))
		one = all;
	if (other && !sched_setaffinity(other->tid, sizeof(one), &one))
		count(COUNT_migrations, 1);
	if (rnd(w, 3) == 0)
		nap_us(rnd(w, 500));
}

const struct activity affinity = { "affinity", 1, start, step, NULL, NULL };
