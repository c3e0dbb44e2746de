/* SPDX-License-Identifier: MIT */
/* Mode fence: the read side executes the full fence itself. Always possible. */
#include "grace/mode.h"
#include "grace/reader.h"
#include "host/fault.h"

static const char *probe(void)
{
	return NULL;
}

static int barrier(void)
{
	/* Partner of the fence of ufx_read_begin behind the reader's mark: lead's. */
	if (!UFX_FAULT(NO_READERS_WAIT))
		ufx_readers_wait();
	return 0;
}

const struct ufx_mode_ops ufx_mode_fence = {
	UFX_MODE_FENCE, "fence", probe, barrier
};
