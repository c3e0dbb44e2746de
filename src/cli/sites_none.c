/* SPDX-License-Identifier: MIT */
/* ufutex sites, on machines where system calls are not looked for. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

int ufx_cmd_sites(int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		puts("usage: ufutex sites\n\nSites are found on x86-64 only.");
		return 0;
	}
	ufx_cli_error("sites", "sites are found on x86-64 only");
	return 1;
}
