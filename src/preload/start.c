/* SPDX-License-Identifier: MIT */
/*
 * The constructor: says what it cannot do before the program runs, and sets
 * the slots that `ufutex run --slots` asked for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ufutex/caps.h>

#include "host/setting.h"
#include "preload/preload.h"

static char *append(char *to, const char *end, const char *text)
{
	while (*text && to < end)
		*to++ = *text++;
	return to;
}

/* One line, one write, no stdio: the program's streams are not ours. */
static _Noreturn void refuse(const char *what, const char *why)
{
	char line[512];
	const char *end = line + sizeof(line) - 1;
	char *at = line;
	ssize_t done;

	at = append(at, end, "ufutex: ");
	at = append(at, end, what);
	at = append(at, end, ": ");
	at = append(at, end, why);
	*at++ = '\n';
	done = write(STDERR_FILENO, line, (size_t)(at - line));
	(void)done;
	_exit(2);
}

static enum ufx_mode mode_named(const char *name)
{
	for (int mode = UFX_MODE_NONE + 1; mode < UFX_MODE_COUNT; mode++)
		if (!strcmp(name, ufx_mode_name(mode)))
			return mode;
	return UFX_MODE_NONE;
}

static void check_mode(void)
{
	struct ufx_capabilities caps;
	const char *forced = getenv("UFUTEX_REFS");
	const char *way = getenv("UFUTEX_REPLACE");
	const char *spin = getenv("UFUTEX_SPIN");
	enum ufx_mode mode;
	uint32_t ns;

	if (!ufx_caps(&caps))
		return;
	mode = forced ? mode_named(forced) : UFX_MODE_NONE;
	if (mode != UFX_MODE_NONE && caps.missing[mode])
		refuse("UFUTEX_REFS cannot be had here", caps.missing[mode]);
	if (forced && *forced && mode == UFX_MODE_NONE)
		refuse("UFUTEX_REFS is not a mode", forced);
	if (way && *way && strcmp(way, "moving") && strcmp(way, "at-zero"))
		refuse("UFUTEX_REPLACE is not a way of replacing", way);
	if (!ufx_spin_parse(spin, &ns))
		refuse("UFUTEX_SPIN is neither off nor auto nor 0 to 1000000", spin);
	refuse("cannot start", strerror(-caps.error));
}

/* strtoul has another name in each C library. */
static bool parse_slots(const char *text, unsigned long *slots)
{
	*slots = 0;
	do {
		if (*text < '0' || *text > '9')
			return false;
		*slots = *slots * 10 + (unsigned long)(*text - '0');
	} while (*++text && *slots <= UINT32_MAX);
	return *slots <= UINT32_MAX;
}

static void set_slots(void)
{
	const char *text = getenv("UFUTEX_SLOTS");
	unsigned long slots;
	long error;

	if (!text || !*text)
		return;
	if (!parse_slots(text, &slots))
		refuse("UFUTEX_SLOTS is not a number of slots", text);
	error = ufx_prctl_futex_hash(UFX_PR_FUTEX_HASH_SET_SLOTS, slots, 0, 0);
	if (error == -EINVAL)
		refuse("UFUTEX_SLOTS must be 0 or a power of two from 2 to 2^24",
		       text);
	if (error == -ENOMEM)
		refuse("UFUTEX_SLOTS: no memory for so many", text);
	/* -EBUSY: another constructor has set 0, for good; that holds. */
}

__attribute__((constructor)) static void ufx_preload_start(void)
{
	int saved = errno;

	if (!ufx_preload_on())
		return;
	check_mode();
	set_slots();
	errno = saved;
}
