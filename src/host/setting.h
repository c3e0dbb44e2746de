/* SPDX-License-Identifier: MIT */
/* What the environment sets; UFUTEX_SPIN: how long a thread may spin before it sleeps. */
#ifndef UFX_HOST_SETTING_H
#define UFX_HOST_SETTING_H

#include <ufutex/base.h>

/* The setting called @name, NULL if there is none. */
const char *ufx_setting(const char *name);

/* strcmp that says equal. */
bool ufx_setting_is(const char *setting, const char *text);

#define UFX_SPIN_MOST 1000000
#define UFX_SPIN_AUTO UINT32_MAX

/* "off" and "0": 0; "auto", "" and NULL: UFX_SPIN_AUTO; else ns. False: bad. */
bool ufx_spin_parse(const char *text, uint32_t *ns);

uint32_t ufx_spin_setting(void); /* auto until somebody sets it */
void ufx_spin_set(uint32_t ns);

#endif
