// SPDX-License-Identifier: MIT
/* The sweep at every instruction: handlers that fork. */
#define SWEEP_EVERY 1
#define SWEEP_HANDLERS 4u
#include "sweep.c"
