// SPDX-License-Identifier: MIT
#include "fault_name.h"

#include <string.h>

#define NAME(name, rules, text) #name,

static const char *const names[UFX_FAULT_COUNT] = { "NONE", UFX_FAULT_LIST(NAME) };

enum ufx_fault fault_named(const char *name)
{
	int i;

	for (i = 0; i < UFX_FAULT_COUNT; i++)
		if (!strcmp(names[i], name))
			return (enum ufx_fault)i;
	return UFX_FAULT_COUNT;
}

const char *fault_name(enum ufx_fault fault)
{
	return names[fault];
}
