/* SPDX-License-Identifier: MIT */
#include "preload/kept.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>

#include "preload/bytes.h"

enum { COMMAND, CACHE, HOME, KEPT };

static const char *const names[KEPT] = { "UFUTEX_COMMAND=", "XDG_CACHE_HOME=", "HOME=" };
static char kept[KEPT][PATH_MAX + 16]; /* name=value; empty: it is not there */
static const char *values[KEPT];
static char *environment[KEPT];

extern char **environ;

static size_t length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

static void keep(int which, const char *variable, size_t name)
{
	size_t size = length(variable) + 1;

	if (size > sizeof(kept[which]))
		return;
	ufx_bytes_copy(kept[which], variable, size);
	values[which] = kept[which] + name;
}

void ufx_kept_start(void)
{
	size_t used = 0;

	for (int i = 0; i < KEPT; i++) {
		size_t name = length(names[i]);

		for (char **v = environ; v && *v && !values[i]; v++)
			if (ufx_bytes_equal(*v, names[i], name))
				keep(i, *v, name);
		if (values[i] && i != COMMAND)
			environment[used++] = kept[i];
	}
}

const char *ufx_kept_command(void)
{
	return values[COMMAND];
}

const char *ufx_kept_cache(void)
{
	return values[CACHE];
}

const char *ufx_kept_home(void)
{
	return values[HOME];
}

char *const *ufx_kept_environment(void)
{
	return environment;
}
