/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <sched.h>

#include "host/atomic.h"
#include "host/sched.h"
#include "host/syscall.h"

#define DEADLINE_POLICY 6
#define RESET_ON_FORK 0x40000000
#define MASK_WORDS 32 /* of 64 CPUs */
#define FRESH_NS 1000000000

struct ufx_sched ufx_sched_look(void)
{
	long policy = ufx_syscall(SYS_sched_getscheduler, 0, 0, 0, 0, 0, 0);
	struct ufx_sched found = { 0 };
	int parameter = 0;

	if (policy < 0) /* a filter */
		return found;
	policy &= ~(long)RESET_ON_FORK;
	found.normal = policy == SCHED_OTHER;
	if (policy == DEADLINE_POLICY)
		found.priority = 100;
	if (policy != SCHED_FIFO && policy != SCHED_RR)
		return found;
	ufx_syscall(SYS_sched_getparam, 0, (long)&parameter, 0, 0, 0, 0);
	found.priority = (uint32_t)parameter;
	return found;
}

/* ---- CPUs ---- */

/*
 * Two CPUs that threads may run on, each with the time when one was seen to:
 * enough to tell that there is another one than mine.
 */
static struct {
	uint64_t cpu; /* and 1 */
	uint64_t time;
} seen[2];

static bool seen_elsewhere(uint64_t cpu, uint64_t now)
{
	for (int i = 0; i < 2; i++) {
		uint64_t other = ufx_load(&seen[i].cpu);

		if (other && other != cpu + 1 &&
		    ufx_load(&seen[i].time) + FRESH_NS > now)
			return true;
	}
	return false;
}

/* Two at a time may mix their entries up: then somebody spins, or does not. */
static void note(uint64_t cpu, uint64_t now)
{
	int i = ufx_load(&seen[0].time) > ufx_load(&seen[1].time);

	if (ufx_load(&seen[!i].cpu) == cpu + 1)
		i = !i;
	ufx_store(&seen[i].cpu, cpu + 1);
	ufx_store(&seen[i].time, now);
}

static uint32_t pretended;

uint32_t ufx_sched_cpus(uint64_t now)
{
	uint64_t mask[MASK_WORDS];
	long length = ufx_syscall(SYS_sched_getaffinity, 0, sizeof(mask), (long)mask,
				  0, 0, 0);
	uint64_t first = 0;
	uint32_t n = 0;

	if (ufx_load(&pretended))
		return ufx_load(&pretended);
	for (long i = 0; i < length / 8; i++)
		for (uint64_t bits = mask[i]; bits; bits &= bits - 1) {
			uint64_t cpu = (uint64_t)(i * 64 + __builtin_ctzll(bits));

			if (n++ < 2)
				note(cpu, now);
			if (n == 1)
				first = cpu;
		}
	return n == 1 && seen_elsewhere(first, now) ? 2 : n;
}

void ufx_sched_pretend(uint32_t n)
{
	ufx_store(&pretended, n);
}
