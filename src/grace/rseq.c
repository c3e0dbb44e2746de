/* SPDX-License-Identifier: MIT */
/*
 * Mode rseq: readers are restartable sequences (ufutex/section.h). R2: the
 * grace period is the membarrier that restarts them on every CPU; the plain
 * one orders memory but lets a sequence in flight commit with what it loaded
 * before.
 */
#include <stdio.h>
#include <sys/utsname.h>

#include "grace/membarrier.h"
#include "grace/mode.h"
#include "host/cpu.h"
#include "host/fault.h"
#include "host/thread.h"

struct ufx_section_environment ufx_section_env;

#if UFX_MODEL
static const char *probe(void)
{
	ufx_store_release(&ufx_section_env.cpus, ufx_cpus_possible());
	return NULL;
}
#elif UFX_HAVE_SECTIONS
/* glibc 2.35 and later; weak, so that older ones can load us. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

static int32_t cpu_id(void)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	return *(volatile int32_t *)(area + 4);
}

static const char *registration_missing(void)
{
	if (!&__rseq_size || !&__rseq_offset)
		return "libc does not register rseq (glibc does from 2.35 on)";
	if (!__rseq_size && cpu_id() == -2)
		return "glibc did not register it (GLIBC_TUNABLES "
		       "glibc.pthread.rseq=0, or the kernel refused)";
	if (!__rseq_size)
		return "glibc did not register it (GLIBC_TUNABLES "
		       "glibc.pthread.rseq=0)";
	if (cpu_id() < 0)
		return "this thread is not registered with the kernel";
	return NULL;
}

/* Kernels that do not restart a sequence preempted on its own CPU. */
static bool kernel_known_bad(void)
{
#if defined(__aarch64__)
	struct utsname name;
	int major = 0, minor = 0, patch = 0;

	if (uname(&name) ||
	    sscanf(name.release, "%d.%d.%d", &major, &minor, &patch) < 2)
		return false;
	return (major == 6 && minor >= 19) ||
	       (major == 7 && minor == 0 && patch < 14);
#else
	return false;
#endif
}

/*
 * A section stores where it is before it knows that it may not run. Without a
 * registration that store needs a harmless place too, in every thread.
 */
static UFX_TLS char nowhere[32];

static ptrdiff_t area_offset(void)
{
	if (&__rseq_offset)
		return __rseq_offset;
	return nowhere - (char *)__builtin_thread_pointer();
}

static const char *probe(void)
{
	const char *missing = registration_missing();

	ufx_section_env.area = area_offset();

	if (!missing && kernel_known_bad())
		missing = "Linux 6.19 to 7.0.13 does not restart sequences "
			  "after preemption on this architecture";
	if (!missing)
		missing = ufx_membarrier_register(UFX_MEMBARRIER_RSEQ,
						  UFX_MEMBARRIER_RSEQ_REGISTER);
	if (missing)
		return missing;
#ifdef UFX_FAULTS
	ufx_membarrier_register(UFX_MEMBARRIER_PRIVATE,
				UFX_MEMBARRIER_PRIVATE_REGISTER);
#endif
	ufx_store_release(&ufx_section_env.cpus, ufx_cpus_possible());
	return NULL;
}
#else
static const char *probe(void)
{
	return UFX_TSAN ? "built with the thread sanitizer, which does not see "
			  "sequences"
			: "no sequences are written for this machine";
}
#endif

static int barrier(void)
{
	if (UFX_FAULT(PLAIN_BARRIER))
		return ufx_membarrier(UFX_MEMBARRIER_PRIVATE);
	if (UFX_FAULT(NO_BARRIER))
		return 0;
	return ufx_membarrier(UFX_MEMBARRIER_RSEQ);
}

const struct ufx_mode_ops ufx_mode_rseq = {
	UFX_MODE_RSEQ, "rseq", probe, barrier
};
