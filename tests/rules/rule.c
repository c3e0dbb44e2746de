// SPDX-License-Identifier: MIT
#include "rule.h"

#define NAME(name, rules, text) #name,

static const char *const names[UFX_FAULT_COUNT] = { "NONE", UFX_FAULT_LIST(NAME) };

enum ufx_fault rule_fault(const char *name)
{
	int i;

	for (i = 0; i < UFX_FAULT_COUNT; i++)
		if (names[i] && !strcmp(names[i], name))
			return (enum ufx_fault)i;
	return UFX_FAULT_COUNT;
}

bool rule_faulty(void)
{
	return ufx_fault_chosen != UFX_FAULT_NONE;
}

struct ufx_capabilities rule_start(void)
{
	const char *name = getenv("UFX_TEST_FAULT");
	struct ufx_capabilities caps;

	if (ufx_caps(&caps))
		bail("the library does not start: %s", strerror(-caps.error));
	if (!name || !*name)
		return caps;
	ufx_fault_chosen = rule_fault(name);
	if (ufx_fault_chosen == UFX_FAULT_COUNT)
		bail("no fault is called %s", name);
	tap_timeout(2); /* a hang may be what is looked for */
	return caps;
}
