/* SPDX-License-Identifier: MIT */
#ifndef UFX_HOST_CLOCK_H
#define UFX_HOST_CLOCK_H

#include <time.h>

#include "host/atomic.h"

#if UFX_PORTABLE
#include <ufutex/host.h>
#define ufx_clock(clock, now) ufx_host_clock((clock), (now))
#else
#define ufx_clock(clock, now) ((void)clock_gettime((clock), (now)))
#endif

#endif
