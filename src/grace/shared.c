/* SPDX-License-Identifier: MIT */
/*
 * Mode shared: every reader counts itself in a word that all share, before it
 * loads the pointer. The yardstick that per-CPU counts are held against. Its
 * readers are those of the fallback banks, so the banks' drain is all.
 */
#include "grace/mode.h"

static const char *probe(void)
{
	return NULL;
}

static int barrier(void)
{
	return 0;
}

const struct ufx_mode_ops ufx_mode_shared = {
	UFX_MODE_SHARED, "shared", probe, barrier
};
