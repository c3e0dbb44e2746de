// SPDX-License-Identifier: MIT
#include "rule.h"

#include "fault_name.h"

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
	ufx_fault_chosen = fault_named(name);
	if (ufx_fault_chosen == UFX_FAULT_COUNT)
		bail("no fault is called %s", name);
	tap_timeout(2); /* a hang may be what is looked for */
	return caps;
}
