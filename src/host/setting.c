/* SPDX-License-Identifier: MIT */
#include "host/atomic.h"
#include "host/setting.h"

static uint32_t setting = UFX_SPIN_AUTO;

#if UFX_PORTABLE
#include <ufutex/host.h>

const char *ufx_setting(const char *name)
{
	return ufx_host_setting(name);
}
#else
#include <stdlib.h>

const char *ufx_setting(const char *name)
{
	return getenv(name);
}
#endif

bool ufx_setting_is(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

bool ufx_spin_parse(const char *text, uint32_t *ns)
{
	*ns = UFX_SPIN_AUTO;
	if (!text || !*text || ufx_setting_is(text, "auto"))
		return true;
	*ns = 0;
	if (ufx_setting_is(text, "off"))
		return true;
	for (; *text >= '0' && *text <= '9' && *ns <= UFX_SPIN_MOST; text++)
		*ns = *ns * 10 + (uint32_t)(*text - '0');
	return !*text && *ns <= UFX_SPIN_MOST;
}

uint32_t ufx_spin_setting(void)
{
	return ufx_load(&setting);
}

void ufx_spin_set(uint32_t ns)
{
	ufx_store(&setting, ns);
}
