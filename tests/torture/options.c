// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>

#include "fault_name.h"
#include "torture.h"

struct options options = {
	.seconds = 20, .seed = 1, .shard = 1, .shards = 1, .patience = 10,
};

static const char usage[] =
"usage: torture [OPTION...]\n"
"\n"
"  --seconds N     how long in all (20)\n"
"  --leg N         how long each part of it: a process with a mode and a seed of\n"
"                  its own (an eighth, at least 1.5, at most 30)\n"
"  --count N       so many parts, whatever the seconds\n"
"  --seed N        of the first part (1)\n"
"  --shard I/N     this run does each N-th seed, from the I-th on (1/1)\n"
"  --refs MODE     rseq, membarrier, fence, shared, unregistered; all: each in turn\n"
"  --replace WAY   moving, at-zero; all: each in turn; of the default domain\n"
"  --threads N     about so many (30 for each CPU)\n"
"  --only A,B      these activities alone;  --without A,B   all but these\n"
"  --both          on the engine as it is and on torture-poisoned's in turn\n"
"  --fault NAME    puts in a fault of src/host/fault.h (torture-poisoned only)\n"
"  --faults        lists them\n"
"  --patience N    seconds that a thread may wait wrongly (10)\n"
"  --json FILE     appends findings and a summary\n"
"  --hold          a finding holds the process for a debugger\n"
"  --quiet         the counts are not printed\n"
"\n"
"Exit status: 0 nothing found, 1 a finding or an error, 2 bad usage.\n";

__attribute__((noreturn)) static void bad(const char *what, const char *value)
{
	fprintf(stderr, "torture: %s: %s (--help says more)\n", what, value);
	exit(2);
}

static double number(const char *option, const char *text, double least, double most)
{
	char *end;
	double value = strtod(text, &end);

	if (!*text || *end || !(value >= least && value <= most))
		bad(option, text);
	return value;
}

static void shard(const char *text)
{
	char rest;

	if (sscanf(text, "%u/%u%c", &options.shard, &options.shards, &rest) != 2 ||
	    !options.shard || options.shard > options.shards)
		bad("--shard: not I/N", text);
}

static void mode(const char *option, const char *text, const char *known)
{
	if (!option_lists(known, text))
		bad(option, text);
}

static void fault(const char *name)
{
#ifdef UFX_FAULTS
	if (fault_named(name) == UFX_FAULT_COUNT)
		bad("no such fault", name);
#else
	bad("faults can be put into torture-poisoned only", name);
#endif
	options.fault = name;
}

static void list_faults(void)
{
	int i;

	for (i = UFX_FAULT_NONE + 1; i < UFX_FAULT_COUNT; i++)
		if (fault_name((enum ufx_fault)i))
			puts(fault_name((enum ufx_fault)i));
	exit(0);
}

static void value(const char *option, const char *text)
{
	struct options *o = &options;

	if (!strcmp(option, "--seconds"))
		o->seconds = number(option, text, 0.1, 1e7);
	else if (!strcmp(option, "--leg"))
		o->leg = number(option, text, 0.1, 1e7);
	else if (!strcmp(option, "--seed"))
		o->seed = (uint64_t)number(option, text, 0, 1e15);
	else if (!strcmp(option, "--count"))
		o->count = (unsigned int)number(option, text, 1, 1e9);
	else if (!strcmp(option, "--shard"))
		shard(text);
	else if (!strcmp(option, "--threads"))
		o->threads = (unsigned int)number(option, text, 1, WORKERS / 4);
	else if (!strcmp(option, "--patience"))
		o->patience = (unsigned int)number(option, text, 1, 1e6);
	else if (!strcmp(option, "--fault"))
		fault(text);
	else if (!strcmp(option, "--json"))
		o->json = text;
	else if (!strcmp(option, "--only"))
		o->only = text;
	else if (!strcmp(option, "--without"))
		o->without = text;
	else if (!strcmp(option, "--refs"))
		mode(option, o->refs = text, "rseq,membarrier,fence,shared,unregistered,all");
	else if (!strcmp(option, "--replace"))
		mode(option, o->replace = text, "moving,at-zero,all");
	else
		bad("no such option", option);
}

/* Is @name one of a list with commas? */
bool option_lists(const char *list, const char *name)
{
	size_t n = strlen(name);

	while (list && *list) {
		size_t length = strcspn(list, ",");

		if (length == n && !strncmp(list, name, n))
			return true;
		list += length + (list[length] == ',');
	}
	return false;
}

void options_read(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help")) {
			fputs(usage, stdout);
			exit(0);
		}
		if (!strcmp(argv[i], "--faults"))
			list_faults();
		if (!strcmp(argv[i], "--hold"))
			options.hold = true;
		else if (!strcmp(argv[i], "--both"))
			options.both = true;
		else if (!strcmp(argv[i], "--quiet"))
			options.quiet = true;
		else if (i + 1 == argc)
			bad(strncmp(argv[i], "--", 2) ? "not an option" : "needs a value",
			    argv[i]);
		else
			value(argv[i], argv[i + 1]), i++;
	}
	if (!options.leg)
		options.leg = options.seconds / 8 < 1.5 ? 1.5 : options.seconds / 8;
	if (options.leg > 30)
		options.leg = 30;
}
