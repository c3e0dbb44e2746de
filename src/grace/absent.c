/* SPDX-License-Identifier: MIT */
/* What only Linux has: on other hosts in place of rseq.c and membarrier.c. */
#include <errno.h>

#include "grace/mode.h"

static const char *probe(void)
{
	return "it is Linux's";
}

static int barrier(void)
{
	return -EOPNOTSUPP;
}

const struct ufx_mode_ops ufx_mode_rseq = {
	UFX_MODE_RSEQ, "rseq", probe, barrier
}, ufx_mode_membarrier = {
	UFX_MODE_MEMBARRIER, "membarrier", probe, barrier
};
