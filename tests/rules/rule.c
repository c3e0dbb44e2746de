// SPDX-License-Identifier: MIT
#include "rule.h"

static const char *const names[UFX_FAULT_COUNT] = {
	[UFX_FAULT_NONE] = "NONE",
	[UFX_FAULT_COOKIE_EARLY] = "COOKIE_EARLY",
	[UFX_FAULT_PLAIN_BARRIER] = "PLAIN_BARRIER",
	[UFX_FAULT_NO_BARRIER] = "NO_BARRIER",
	[UFX_FAULT_GET_FROM_ZERO] = "GET_FROM_ZERO",
	[UFX_FAULT_NO_BIAS] = "NO_BIAS",
	[UFX_FAULT_ONE_CPU] = "ONE_CPU",
	[UFX_FAULT_NO_REARM] = "NO_REARM",
	[UFX_FAULT_NO_KEEPER] = "NO_KEEPER",
	[UFX_FAULT_FREE_EARLY] = "FREE_EARLY",
	[UFX_FAULT_WAIT_FOR_PINS] = "WAIT_FOR_PINS",
	[UFX_FAULT_PUT_FREES] = "PUT_FREES",
	[UFX_FAULT_NO_POSTING] = "NO_POSTING",
	[UFX_FAULT_LOOK_BEFORE_CLEAR] = "LOOK_BEFORE_CLEAR",
	[UFX_FAULT_NO_WAKE_FENCE] = "NO_WAKE_FENCE",
	[UFX_FAULT_COUNT_BEFORE_MARK] = "COUNT_BEFORE_MARK",
	[UFX_FAULT_NO_SETTLE] = "NO_SETTLE",
	[UFX_FAULT_UNPROTECTED_GET] = "UNPROTECTED_GET",
	[UFX_FAULT_FOLD_TWICE] = "FOLD_TWICE",
	[UFX_FAULT_NO_DRAIN] = "NO_DRAIN",
	[UFX_FAULT_NO_READERS_WAIT] = "NO_READERS_WAIT",
	[UFX_FAULT_COUNT_AFTER_LOAD] = "COUNT_AFTER_LOAD",
	[UFX_FAULT_WAIT_INSIDE] = "WAIT_INSIDE",
	[UFX_FAULT_REQUEUE_INSIDE] = "REQUEUE_INSIDE",
	[UFX_FAULT_WAKE_CHASES] = "WAKE_CHASES",
};

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
