/* SPDX-License-Identifier: MIT */
/* The rest of the host, over any host: processors, and what only Linux has. */
#include <string.h>

#include <ufutex/host.h>

#include "host/address.h"
#include "host/atomic.h"
#include "host/cpu.h"
#include "host/guard.h"
#include "host/quota.h"
#include "host/random.h"
#include "host/sched.h"
#include "host/signals.h"
#include "host/thread.h"

/* ---- processors ---- */

static unsigned int pretended;

unsigned int ufx_cpus_possible(void)
{
	return ufx_host_cpus();
}

unsigned int ufx_cpus_for_sizing(void)
{
	unsigned int n = ufx_load(&pretended);

	return n ? n : ufx_host_cpus();
}

unsigned int ufx_cpus_online(void)
{
	return ufx_cpus_for_sizing();
}

void ufx_cpus_pretend(unsigned int n)
{
	ufx_store(&pretended, n);
}

struct ufx_sched ufx_sched_look(void)
{
	return (struct ufx_sched){ .normal = true };
}

static uint32_t pretended_affinity, pretended_quota = UFX_QUOTA_NONE;

uint32_t ufx_sched_cpus(uint64_t now)
{
	uint32_t n = ufx_load(&pretended_affinity);

	(void)now;
	return n ? n : ufx_host_cpus();
}

void ufx_sched_pretend(uint32_t n)
{
	ufx_store(&pretended_affinity, n);
}

uint32_t ufx_quota(void)
{
	return ufx_load(&pretended_quota);
}

void ufx_quota_pretend(uint32_t percent)
{
	ufx_store(&pretended_quota, percent);
}

void ufx_quota_start(void)
{
}

/* ---- signals: no handler may call the library ---- */

uint64_t ufx_signals_block(void)
{
	return 0;
}

void ufx_signals_restore(uint64_t before)
{
	(void)before;
}

void ufx_signals_let_in(void)
{
}

/* ---- words are read plainly ---- */

uintptr_t ufx_address_last = UINTPTR_MAX;

void ufx_address_start(void)
{
}

void ufx_guard_install(void)
{
}

int ufx_guarded_copy(void *to, const void *from, unsigned long size)
{
	memcpy(to, from, size);
	return 0;
}

void ufx_random(void *to, size_t size)
{
	ufx_host_random(to, size);
}
