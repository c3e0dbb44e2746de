/* SPDX-License-Identifier: MIT */
/* Grace periods' inside; the interface is ufutex/grace.h. */
#ifndef UFX_GRACE_PERIOD_H
#define UFX_GRACE_PERIOD_H

#include <ufutex/grace.h>

int ufx_period_start(void);

/* For ufx_caps. */
uint64_t ufx_periods_made(void);
uint64_t ufx_periods_failed(void);

int ufx_calls_start(void);

#endif
