/* SPDX-License-Identifier: MIT */
/*
 * Mode membarrier: the read side only keeps the compiler from moving it; the
 * kernel has every CPU that runs us execute a full fence instead.
 */
#include "grace/membarrier.h"
#include "grace/mode.h"
#include "grace/reader.h"
#include "host/fault.h"

const char *ufx_membarrier_register(int command, int register_command)
{
	long known = ufx_membarrier(UFX_MEMBARRIER_QUERY);

	if (known < 0)
		return "the kernel has no membarrier, or a filter refuses it";
	if (!(known & command))
		return "the kernel's membarrier lacks the command";
	if (ufx_membarrier(register_command))
		return "membarrier refused the registration";
	return NULL;
}

static const char *probe(void)
{
	if (UFX_TSAN)
		return "built with the thread sanitizer, which does not know it";
	return ufx_membarrier_register(UFX_MEMBARRIER_PRIVATE,
				       UFX_MEMBARRIER_PRIVATE_REGISTER);
}

static int barrier(void)
{
	int ret = ufx_membarrier(UFX_MEMBARRIER_PRIVATE);

	/*
	 * Partner of the compiler barrier in ufx_read_begin: whoever's mark is
	 * not seen here began after the fence, and sees what we published.
	 */
	if (!ret && !UFX_FAULT(NO_READERS_WAIT))
		ufx_readers_wait();
	return ret;
}

const struct ufx_mode_ops ufx_mode_membarrier = {
	UFX_MODE_MEMBARRIER, "membarrier", probe, barrier
};
