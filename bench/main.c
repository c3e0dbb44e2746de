/* SPDX-License-Identifier: MIT */
/* `ufutex bench`: the options, the list, one run. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ufutex/caps.h>

#include "bench.h"
#include "cli/commands.h"

static const struct bench *const benches[] = {
	&bench_hash, &bench_hash_bucket, &bench_wake_empty, &bench_wake,
	&bench_requeue, &bench_pingpong, &bench_mutex, &bench_cond, &bench_ref, &bench_grace,
	&bench_resize, &bench_pin_cost, &bench_domains, &bench_wasm, &bench_fibers,
};

#define NBENCHES (sizeof(benches) / sizeof(benches[0]))

static void help(void)
{
	unsigned int i;

	printf("Usage: ufutex bench NAME [--threads N] [--seconds S] "
	       "[--against SUBJECT]\n"
	       "                    [--sleepers N] [--load] [--json]\n\n"
	       "Measures the library beside others, in turn, in one run. A ratio "
	       "is always how\nmany times faster the library is: the median over "
	       "at least %d pairs.\n\n", BENCH_MIN_PAIRS);
	for (i = 0; i < NBENCHES; i++)
		printf("  %-12s %s\n", benches[i]->name, benches[i]->what);
	printf("\n"
	       "  --threads N    threads that do the operation\n"
	       "  --seconds S    how long, about (each has its own default)\n"
	       "  --against X    measure against this subject only\n"
	       "  --sleepers N   wake, requeue: threads asleep on the word (64);\n"
	       "                 resize: threads asleep on as many words (0)\n"
	       "  --load         resize: under load, a thread a core\n"
	       "  --json         one JSON object instead of the table\n");
}

/* ---- options ---------------------------------------------------------- */

#define BAD(...) ufx_cli_error("bench", __VA_ARGS__)

static int parse_count(const char *option, const char *text, unsigned int most,
		       unsigned int *out)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || value < 1 ||
	    value > most)
		return BAD("%s takes a number from 1 to %u, not \"%s\"", option,
			   most, text);
	*out = (unsigned int)value;
	return 0;
}

static int parse_seconds(const char *text, double *out)
{
	char *end;

	*out = strtod(text, &end);
	if (text[0] < '0' || text[0] > '9' || *end || !(*out >= 0.01) ||
	    *out > 3600)
		return BAD("--seconds takes a number from 0.01 to 3600, "
			   "not \"%s\"", text);
	return 0;
}

/* An option with a value; *@used is set if it took @value. */
static int parse_valued(struct bench_options *o, const char *option,
			const char *value, bool *used)
{
	bool known = !strcmp(option, "--threads") ||
		     !strcmp(option, "--seconds") ||
		     !strcmp(option, "--sleepers") ||
		     !strcmp(option, "--against");

	if (!known)
		return BAD("unknown option \"%s\"; --help lists them", option);
	if (!value)
		return BAD("%s needs a value", option);
	*used = true;
	if (!strcmp(option, "--threads"))
		return parse_count(option, value, BENCH_MAX_THREADS,
				   &o->threads);
	if (!strcmp(option, "--sleepers"))
		return parse_count(option, value, 10000, &o->sleepers);
	if (!strcmp(option, "--seconds"))
		return parse_seconds(value, &o->seconds);
	o->against = value;
	return 0;
}

static int parse(int argc, char **argv, struct bench_options *o,
		 const char **name)
{
	bool used;
	int i, err;

	for (i = 1; i < argc; i++) {
		used = false;
		err = 0;
		if (!strcmp(argv[i], "--json"))
			o->json = true;
		else if (!strcmp(argv[i], "--load"))
			o->load = true;
		else if (argv[i][0] == '-')
			err = parse_valued(o, argv[i],
					   i + 1 < argc ? argv[i + 1] : NULL,
					   &used);
		else if (*name)
			err = BAD("one benchmark at a time: \"%s\" and \"%s\"",
				  *name, argv[i]);
		else
			*name = argv[i];
		if (err)
			return err;
		i += used;
	}
	if (!*name)
		return BAD("which one? --help lists them");
	return 0;
}

static bool knows(const struct bench *bench, const char *subject)
{
	unsigned int i;

	for (i = 0; bench->against[i]; i++)
		if (!strcmp(bench->against[i], subject))
			return true;
	return false;
}

static int check(const struct bench *bench, const struct bench_options *o)
{
	if (o->against && !knows(bench, o->against))
		return BAD("%s is not measured against \"%s\"", bench->name,
			   o->against);
	if (o->load && !bench->takes_load)
		return BAD("%s does not take --load", bench->name);
	if (o->load && o->sleepers)
		return BAD("--load and --sleepers do not go together");
	if (o->sleepers && !bench->takes_sleepers)
		return BAD("%s does not take --sleepers", bench->name);
	if (o->threads && o->threads != bench->threads &&
	    !bench->takes_threads && !o->load)
		return BAD("%s is measured with %u thread%s", bench->name,
			   bench->threads, bench->threads == 1 ? "" : "s");
	return 0;
}

/* ---- a run ------------------------------------------------------------ */

static void release(struct bench_run *run)
{
	unsigned int i;

	for (i = 0; i < run->nsubjects; i++)
		free(run->subjects[i].samples);
	for (i = 0; i < run->nnotes; i++)
		free(run->notes[i]);
	free(run->syscall);
	json_decref(run->extra);
	free(run);
}

static int run_bench(const struct bench *bench, const struct bench_options *o)
{
	struct bench_run *run = calloc(1, sizeof(*run));
	int err;

	if (!run)
		return ufx_cli_error("bench", "out of memory"), 1;
	run->bench = bench;
	run->options = *o;
	if (run->options.seconds == 0)
		run->options.seconds = o->load ? bench->load_seconds
					       : bench->seconds;
	run->threads = o->threads ? o->threads : bench->threads;
	err = bench->run(run);
	if (!err)
		err = bench_report(run);
	release(run);
	if (!err)
		return 0;
	ufx_cli_error("bench", "%s: %s", bench->name, strerror(-err));
	return 1;
}

static int check_mode(void)
{
	struct ufx_capabilities caps;

	if (!ufx_caps(&caps))
		return 0;
	return BAD("the mode that UFUTEX_REFS asks for cannot be had; "
		   "`ufutex check` says why");
}

int ufx_cmd_bench(int argc, char **argv)
{
	struct bench_options options = { 0 };
	const char *name = NULL;
	unsigned int i;
	int err;

	for (i = 1; i < (unsigned int)argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			help();
			return 0;
		}
	}
	err = parse(argc, argv, &options, &name);
	if (err)
		return err;
	for (i = 0; i < NBENCHES; i++)
		if (!strcmp(benches[i]->name, name))
			break;
	if (i == NBENCHES)
		return BAD("unknown benchmark \"%s\"; --help lists them", name);
	err = check(benches[i], &options);
	if (!err)
		err = check_mode();
	return err ? err : run_bench(benches[i], &options);
}
