// SPDX-License-Identifier: MIT
/* The sweep, with tables that are replaced at zero. */
#define SWEEP_EVERY 5
#define SWEEP_WAY "at-zero"
#include "sweep.c"
