/* SPDX-License-Identifier: MIT */
#include "fibers-pair.h"

const struct bench_fiber_kind bench_ucontext = {
	.name = "ucontext",
	.hand_off = pair_loop_hand_off,
	.bare = pair_loop_bare,
};
