// SPDX-License-Identifier: MIT
/* The sweep, at every instruction. */
#define SWEEP_EVERY 1
#include "sweep.c"
