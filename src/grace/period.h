/* SPDX-License-Identifier: MIT */
/* Grace periods' inside; the interface is ufutex/grace.h. */
#ifndef UFX_GRACE_PERIOD_H
#define UFX_GRACE_PERIOD_H

#include <ufutex/grace.h>

int ufx_period_start(void);

/* For ufx_caps. */
uint64_t ufx_periods_made(void);
uint64_t ufx_periods_failed(void);

/* Is the calling thread running deferred calls now? */
bool ufx_calls_driving(void);

int ufx_calls_start(void);

#endif
