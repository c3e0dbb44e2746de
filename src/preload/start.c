/* SPDX-License-Identifier: MIT */
/*
 * The constructor: says what it cannot do before the program runs, and sets
 * the slots that `ufutex run --slots` asked for.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ufutex/caps.h>

#include "host/setting.h"
#include "host/syscall.h"
#include "preload/bytes.h"
#include "preload/handlers.h"
#include "preload/kept.h"
#include "preload/patch.h"
#include "preload/preload.h"
#include "preload/statistics.h"

bool ufx_preload_serves;

/* Only glibc has it: elsewhere the address is NULL. */
extern const char *gnu_get_libc_version(void) __attribute__((weak));

/* No stdio: the program's streams are not ours. */
void ufx_preload_say(const char *what, const char *why)
{
	char line[1024] = "ufutex: ";
	const char *end = line + sizeof(line) - 1;
	char *at = line + sizeof("ufutex: ") - 1;

	at = ufx_text_append(at, end, what);
	at = ufx_text_append(at, end, ": ");
	at = ufx_text_append(at, end, why);
	*at++ = '\n';
	ufx_syscall(SYS_write, STDERR_FILENO, (long)line, at - line, 0, 0, 0);
}

static _Noreturn void refuse(const char *what, const char *why)
{
	ufx_preload_say(what, why);
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

#if defined(__x86_64__)
/* Serves the program, or says why not. */
static void choose_tier(void)
{
	const char *tier = getenv("UFUTEX_TIER");
	bool observe = tier && !strcmp(tier, "observe");
	const char *why;

	why = ufx_patch_all(observe);
	if (why && tier && !strcmp(tier, "patch"))
		refuse("tier patch cannot be had", why);
	if (why)
		ufx_preload_say("this program runs on the kernel", why);
	ufx_statistics_tier(why || observe ? UFX_TIER_OBSERVE : UFX_TIER_PATCH, why);
	if (why || observe)
		return;
	if (!ufx_handlers_start())
		refuse("cannot start", "no memory");
	ufx_preload_serves = true;
}
#else
/* What programs call through libc's syscall() alone. */
static void choose_tier(void)
{
	ufx_statistics_tier(UFX_TIER_PATCH, "only what goes through libc's syscall()");
	ufx_preload_serves = true;
}
#endif

/*
 * Before all other constructors, libc's own among them (-z initfirst): nobody
 * has a thread yet. libc does not know its environment yet, either, which the
 * engine's constructor looks into; hence before that, too.
 */
__attribute__((constructor(101))) static void ufx_preload_start(int argc, char **argv,
							   char **envp)
{
	int saved = errno;

	(void)argc;
	(void)argv;
	if (!gnu_get_libc_version)
		return;
	if (!environ)
		environ = envp;
	ufx_statistics_start();
	ufx_kept_start();
	choose_tier();
	if (ufx_preload_serves) {
		check_mode();
		set_slots();
	}
	errno = saved;
}
