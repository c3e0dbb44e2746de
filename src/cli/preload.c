/* SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "cli/preload.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/program.h"

#define PRELOAD "libufutex-preload.so"

/*
 * Beside the command (the build directory), or where it is installed: in a
 * directory of its own below the libraries, as it is not for linking.
 */
static bool find_preload(char *path)
{
	static const char *const places[] = {
		"%.*s/" PRELOAD,
		"%.*s/../lib/ufutex/" PRELOAD,
#ifdef UFX_LIBDIR_FROM_BINDIR
		"%.*s/" UFX_LIBDIR_FROM_BINDIR "/ufutex/" PRELOAD,
		"%.*s/" UFX_LIBDIR_FROM_BINDIR "/" PRELOAD,
#endif
		"%.*s/../lib/" PRELOAD,
	};
	char self[PATH_MAX], place[PATH_MAX + 64];
	ssize_t got = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (got <= 0)
		return false;
	self[got] = '\0';
	for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int n = (int)(strrchr(self, '/') - self);

		snprintf(place, sizeof(place), places[i], n, self);
		if (realpath(place, path) && !access(path, R_OK))
			return true;
	}
	return false;
}

/* The preload has unknown objects searched by this very command. */
static void put_command(void)
{
	char self[PATH_MAX];
	ssize_t got = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (got <= 0)
		return;
	self[got] = '\0';
	setenv("UFUTEX_COMMAND", self, 1);
}

/* @text in front of what variable @name says already, or behind it. */
static bool put_beside(const char *name, const char *text, bool in_front)
{
	const char *before = getenv(name);
	char *list;
	int made;

	if (!before || !*before)
		return !setenv(name, text, 1);
	made = asprintf(&list, "%s:%s", in_front ? text : before, in_front ? before : text);
	return made >= 0 && !setenv(name, list, 1);
}

/* The loader takes blanks, colons and dollars in LD_PRELOAD for its own. */
int ufx_preload_put(const char *program)
{
	char path[PATH_MAX], first[256];

	if (!find_preload(path))
		return ufx_cli_error("run", PRELOAD " is neither beside the ufutex "
					    "command nor in ../lib/ufutex");
	if (strpbrk(path, " \t\n:$"))
		return ufx_cli_error("run", "LD_PRELOAD cannot name a file with "
					    "a blank, colon or dollar: %s", path);
	put_command();
	ufx_program_sanitizer(program, first, sizeof(first));
	/* For programs that this one starts. */
	if (!put_beside("ASAN_OPTIONS", "verify_asan_link_order=0", false) ||
	    !put_beside("LD_PRELOAD", path, true) ||
	    (*first && !put_beside("LD_PRELOAD", first, true)))
		return ufx_cli_error("run", "no memory");
	return 0;
}
