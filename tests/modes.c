/* SPDX-License-Identifier: MIT */
/* Prints for each mode "NAME yes" or "NAME no REASON", for the test runner. */
#include <stdio.h>

#include <ufutex/caps.h>

int main(void)
{
	struct ufx_capabilities caps;

	ufx_caps(&caps);
	for (int mode = UFX_MODE_RSEQ; mode < UFX_MODE_COUNT; mode++)
		printf("%s %s%s\n", ufx_mode_name((enum ufx_mode)mode),
		       caps.missing[mode] ? "no " : "yes",
		       caps.missing[mode] ? caps.missing[mode] : "");
	return 0;
}
