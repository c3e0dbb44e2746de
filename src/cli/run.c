/* SPDX-License-Identifier: MIT */
/*
 * ufutex run: becomes the program, with the preload library in front; with
 * --stats, it is the parent of what does.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ufutex/caps.h>

#include "cli/commands.h"
#include "cli/preload.h"
#include "cli/program.h"
#include "cli/watch.h"
#include "host/setting.h"

#define SLOTS_MAX (1ul << 24)

enum { CANNOT_EXECUTE = 126, NOT_FOUND = 127 };

static const char usage[] =
	"usage: ufutex run [OPTIONS] [--] PROGRAM [ARGUMENTS]\n"
	"\n"
	"Runs PROGRAM, unmodified, with its futex calls answered by the engine, and its\n"
	"children that are dynamic programs of the same C library.\n"
	"\n"
	"  --tier TIER     patch: it is served, or not started; observe: all calls go to\n"
	"                  the kernel; without it patch where that can be had\n"
	"  --refs MODE     how references are counted: rseq, membarrier, fence or\n"
	"                  shared; without it the best that the machine can do\n"
	"  --slots N       start with a table of N slots (0, or a power of two from\n"
	"                  2 to 16777216), as PR_FUTEX_HASH_SET_SLOTS would make it\n"
	"  --replace WAY   how a table is replaced: moving or at-zero\n"
	"  --spin HOW      what a thread does before it sleeps: auto (it spins and\n"
	"                  yields where that helps), off, or a number of nanoseconds\n"
	"                  up to 1000000 to spin each time; real-time, batch and idle\n"
	"                  threads never do, nor where there is one CPU to use\n"
	"  --stats         at the end, what each process did: a table on standard error\n"
	"  --stats=json:FILE  the same as JSON; with %p in FILE one file a process, named\n"
	"                  by its number; `ufutex stats PID` shows a process that runs\n"
	"  --help          this text\n"
	"\n"
	"Served: private futex, futex_waitv, futex_wake, futex_wait and futex_requeue\n"
	"calls of the program and its libraries, the C library among them, and prctl(\n"
	"PR_FUTEX_HASH). The kernel does the rest: words shared with other processes,\n"
	"calls without the private flag, priority inheritance, NUMA words.\n"
	"\n"
	"Not served, and said so in one line: programs that a preload does not reach:\n"
	"static, setuid or setgid ones, ones with file capabilities, 32-bit ones, ones\n"
	"for another machine or for musl. They run on the kernel. The interpreter\n"
	"decides for a script.\n"
	"\n"
	"Environment: UFUTEX_TIER, UFUTEX_REFS, UFUTEX_SLOTS, UFUTEX_REPLACE and\n"
	"UFUTEX_SPIN do the same as the options.\n"
	"\n"
	"Exit status: PROGRAM's; 2 bad usage, or what cannot be had; 126 PROGRAM is not\n"
	"executable; 127 there is no such PROGRAM.\n";

struct request {
	const char *refs, *slots, *replace, *spin, *tier;
	const char *stats; /* NULL: none are asked for */
	char **program; /* with its arguments */
	char path[PATH_MAX]; /* its file */
	const char *unreached; /* why it is not served, or NULL */
	bool help;
};

static int bad(const char *what, const char *word)
{
	return ufx_cli_error("run", "%s '%s'; try ufutex run --help", what, word);
}

/*
 * If **@argp is option @name, stores its value and moves *@argp on to its last
 * word. Returns 1; 0 if it is another option; -1 if the value is missing.
 */
static int take_option(char ***argp, const char *name, const char **value)
{
	size_t length = strlen(name);
	const char *word = **argp;

	if (strncmp(word, name, length))
		return 0;
	if (word[length] == '=') {
		*value = word + length + 1;
		return 1;
	}
	if (word[length])
		return 0;
	*value = (*argp)[1];
	if (!*value)
		return -1;
	++*argp;
	return 1;
}

/* --stats or --stats=HOW: never takes the next word. */
static bool take_stats(const char *word, const char **stats)
{
	static const char name[] = "--stats";

	if (strncmp(word, name, strlen(name)))
		return false;
	word += strlen(name);
	if (!*word || *word == '=')
		*stats = *word ? word + 1 : word;
	return !*word || *word == '=';
}

static int take_one(struct request *r, char ***arg)
{
	int taken = take_stats(**arg, &r->stats);

	if (!taken)
		taken = take_option(arg, "--refs", &r->refs);
	if (!taken)
		taken = take_option(arg, "--slots", &r->slots);
	if (!taken)
		taken = take_option(arg, "--replace", &r->replace);
	if (!taken)
		taken = take_option(arg, "--spin", &r->spin);
	if (!taken)
		taken = take_option(arg, "--tier", &r->tier);
	return taken;
}

static int parse(struct request *r, char **arg)
{
	for (arg++; *arg && **arg == '-'; arg++) {
		int taken;

		if (!strcmp(*arg, "--")) {
			arg++;
			break;
		}
		if (!strcmp(*arg, "--help") || !strcmp(*arg, "-h")) {
			r->help = true;
			return 0;
		}
		taken = take_one(r, &arg);
		if (!taken)
			return bad("unknown option", *arg);
		if (taken < 0)
			return bad("a value is missing behind", *arg);
	}
	r->program = arg;
	return *arg ? 0 : ufx_cli_error("run", "a program to run is missing; "
					       "try ufutex run --help");
}

/* ---- what is asked for must be possible ---------------------------------- */

static enum ufx_mode mode_named(const char *name)
{
	for (int mode = UFX_MODE_NONE + 1; mode < UFX_MODE_COUNT; mode++)
		if (!strcmp(name, ufx_mode_name(mode)))
			return mode;
	return UFX_MODE_NONE;
}

static int check_refs(const char *refs)
{
	struct ufx_capabilities caps;
	enum ufx_mode mode;
	int error;

	if (!refs)
		refs = getenv("UFUTEX_REFS");
	if (refs && !*refs)
		refs = NULL;
	mode = refs ? mode_named(refs) : UFX_MODE_NONE;
	if (refs && mode == UFX_MODE_NONE)
		return bad("unknown mode", refs);
	error = ufx_caps(&caps);
	if (refs && caps.missing[mode])
		return ufx_cli_error("run", "mode %s cannot be had here: %s",
				     refs, caps.missing[mode]);
	if (!refs && error)
		return ufx_cli_error("run", "the engine cannot start: %s",
				     strerror(-error));
	return 0;
}

static int check_slots(const char *slots)
{
	unsigned long n;
	char *end;

	if (!slots)
		slots = getenv("UFUTEX_SLOTS");
	if (!slots || !*slots)
		return 0;
	errno = 0;
	n = strtoul(slots, &end, 10);
	if (*slots < '0' || *slots > '9' || *end || errno || n > SLOTS_MAX ||
	    n == 1 || (n & (n - 1)))
		return bad("slots must be 0 or a power of two from 2 to 16777216, "
			   "not", slots);
	return 0;
}

static void put(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
}

static int check_replace(const char *way)
{
	if (!way)
		way = getenv("UFUTEX_REPLACE");
	if (!way || !*way || !strcmp(way, "moving") || !strcmp(way, "at-zero"))
		return 0;
	return bad("unknown way of replacing", way);
}

static int check_spin(const char *how)
{
	uint32_t ns;

	if (!how)
		how = getenv("UFUTEX_SPIN");
	else if (!*how)
		return bad("a value is missing behind", "--spin");
	if (ufx_spin_parse(how, &ns))
		return 0;
	return bad("spin must be off, auto or nanoseconds from 0 to 1000000, not", how);
}

static int check_tier(const char *tier)
{
	if (!tier)
		tier = getenv("UFUTEX_TIER");
	if (!tier || !*tier || !strcmp(tier, "patch") || !strcmp(tier, "observe"))
		return 0;
	return bad("tier must be patch or observe, not", tier);
}

/* The last check asks the engine, which reads the others' variables then. */
static int check(const struct request *r)
{
	int error = check_slots(r->slots);

	if (!error)
		error = check_replace(r->replace);
	if (!error)
		error = check_spin(r->spin);
	if (!error)
		error = check_tier(r->tier);
	if (error)
		return error;
	put("UFUTEX_REFS", r->refs);
	put("UFUTEX_SLOTS", r->slots);
	put("UFUTEX_REPLACE", r->replace);
	put("UFUTEX_SPIN", r->spin);
	put("UFUTEX_TIER", r->tier);
	return check_refs(r->refs);
}

static int prepare(struct request *r)
{
	const char *path = r->path, *tier = getenv("UFUTEX_TIER"), *why;
	char judged[PATH_MAX];

	why = r->unreached = ufx_program_unreached(path, judged, sizeof(judged));

	if (why && tier && !strcmp(tier, "patch"))
		return ufx_cli_error("run", "%s cannot be served: it %s", judged, why);
	if (why) {
		ufx_cli_error("run", "%s%s%s%s is not served, it runs on the "
			      "kernel: it %s",
			      path, strcmp(path, judged) ? " (by " : "",
			      strcmp(path, judged) ? judged : "",
			      strcmp(path, judged) ? ")" : "", why);
		return 0;
	}
	return ufx_preload_put(judged);
}

/* ---- becoming the program ------------------------------------------------ */

static int failed(const char *name, int error, const char *missing)
{
	bool absent = error == ENOENT || error == ENOTDIR;

	ufx_cli_error("run", "%s: %s", name, absent ? missing : strerror(error));
	return absent ? NOT_FOUND : CANNOT_EXECUTE;
}

/* What is neither a program nor a script goes to the shell, as execvp does. */
static int become_shell(char *path, char **argv)
{
	size_t count = 0;
	char **shell;

	while (argv[count])
		count++;
	shell = calloc(count + 2, sizeof(*shell));
	if (!shell)
		return ENOMEM;
	shell[0] = (char *)"/bin/sh";
	shell[1] = path;
	memcpy(shell + 2, argv + 1, count * sizeof(*shell));
	execv(shell[0], shell);
	return errno;
}

/* Does not return if all is well. */
static int become(void *request)
{
	struct request *r = request;
	int error;

	execv(r->path, r->program);
	error = errno;
	if (error == ENOEXEC)
		error = become_shell(r->path, r->program);
	return failed(r->program[0], error, "its interpreter or loader does not exist");
}

static int start(struct request *r)
{
	struct ufx_watched watched = { become, r, r->program, r->path, r->unreached };

	return r->stats ? ufx_watch(&watched) : become(r);
}

int ufx_cmd_run(int argc, char **argv)
{
	struct request request = { 0 };
	int error = parse(&request, argv);

	(void)argc;
	if (error)
		return error;
	if (request.help) {
		fputs(usage, stdout);
		return 0;
	}
	error = check(&request);
	if (error)
		return error;
	error = ufx_program_find(request.program[0], request.path, sizeof(request.path));
	if (error)
		return failed(request.program[0], error, "there is no such program");
	error = prepare(&request);
	if (!error && request.stats)
		error = ufx_watch_prepare(request.stats);
	return error ? error : start(&request);
}
