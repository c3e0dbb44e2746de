/* SPDX-License-Identifier: MIT */
/* May not be built: then it says so. */
#ifdef UFX_BENCH_FCONTEXT
#define FIBERS_FCONTEXT 1
#include "fibers-pair.h"

const struct bench_fiber_kind bench_fcontext = {
	.name = "fcontext",
	.hand_off = pair_loop_hand_off,
	.bare = pair_loop_bare,
};
#else
#include "fibers.h"

const struct bench_fiber_kind bench_fcontext = {
	.name = "fcontext",
	.missing = "libboost-context-dev was not there when this was built",
};
#endif
