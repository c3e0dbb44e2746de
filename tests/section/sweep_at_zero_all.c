// SPDX-License-Identifier: MIT
/* The sweep at every instruction, with tables that are replaced at zero. */
#define SWEEP_EVERY 1
#define SWEEP_WAY "at-zero"
#include "sweep.c"
