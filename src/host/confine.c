/* SPDX-License-Identifier: MIT */
#include "host/atomic.h"
#include "host/confine.h"

static bool confined;

void ufx_confine(void)
{
	ufx_store(&confined, true);
}

bool ufx_is_confined(void)
{
	return ufx_load(&confined);
}
