// SPDX-License-Identifier: MIT
/* The sweep at every instruction: handlers that wake, and that count. */
#define SWEEP_EVERY 1
#define SWEEP_HANDLERS 3u
#include "sweep.c"
