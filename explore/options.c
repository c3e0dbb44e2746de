/* SPDX-License-Identifier: MIT */
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

static const char help[] =
"usage: ufutex-explore COMMAND [OPTION...] [SCENARIO...]\n"
"\n"
"Runs the engine on a model of a machine, under one schedule after the other.\n"
"SCENARIOs are names or patterns; none means all.\n"
"\n"
"  run      search, then chance; ends with counts, or with a failing schedule\n"
"  replay   one schedule (--choices), as a readable interleaving\n"
"  hunt     all scenarios until one finds something (with --mutant)\n"
"  list     the scenarios\n"
"  sites    the accesses that order anything, by address, as JSON\n"
"  faults   the mutants that are faults, as JSON\n"
"  litmus   tests of the machine itself: what its memory may do, as JSON lines\n"
"\n"
"  --mode MODE      rseq, membarrier, fence or shared; usual: all that matter\n"
"  --memory MODEL   weak (usual) or sc, sequentially consistent\n"
"  --search         only depth first, up to --bound costly choices (usual: 2)\n"
"  --chance         only random priorities, from --seed on (usual: 1)\n"
"  --bound N        preemptions, aborts, stale loads, signals, ... a schedule\n"
"  --count N        at most N schedules of each kind\n"
"  --seconds S      at most S seconds of CPU time for each\n"
"  --seed N         of the first schedule by chance; each has the next one\n"
"  --shard I/N      only this part of the work (1/4 ... 4/4)\n"
"  --json FILE      appends findings and a summary, a JSON object a line\n"
"  --choices LIST   replay: what a finding printed\n"
"  --mutant M       a fault's name, or addresses (0x...,0x...) to weaken\n"
"  --help\n"
"\n"
"Exit status: 0 nothing found, 1 something found, 2 bad usage.\n";

static void bad(const char *what, const char *value)
{
	if (value)
		fprintf(stderr, "explore: %s '%s'; see --help\n", what, value);
	else
		fprintf(stderr, "explore: %s; see --help\n", what);
	exit(2);
}

static double number(const char *text, double from, double to)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= from && value <= to))
		bad("not a number that fits:", text);
	return value;
}

static void parse_shard(struct options *o, const char *text)
{
	char rest;

	if (sscanf(text, "%u/%u%c", &o->shard, &o->shards, &rest) != 2 ||
	    !o->shard || o->shard > o->shards)
		bad("not a shard (1/4):", text);
}

static void parse_mode(struct options *o, const char *text)
{
	if (strcmp(text, "rseq") && strcmp(text, "membarrier") && strcmp(text, "fence") &&
	    strcmp(text, "shared"))
		bad("no mode", text);
	o->mode = text;
}

static void parse_memory(struct options *o, const char *text)
{
	if (strcmp(text, "weak") && strcmp(text, "sc"))
		bad("no memory model", text);
	o->weak = !strcmp(text, "weak");
}

/* Said now, not when all is done. */
static void parse_json(struct options *o, const char *path)
{
	FILE *f = fopen(path, "a");

	if (!f)
		bad("cannot write", path);
	fclose(f);
	o->json = path;
}

static const struct option names[] = {
	{ "mode", 1, NULL, 'm' },    { "memory", 1, NULL, 'w' },
	{ "search", 0, NULL, 'S' },  { "chance", 0, NULL, 'C' },
	{ "bound", 1, NULL, 'b' },   { "count", 1, NULL, 'n' },
	{ "seconds", 1, NULL, 't' }, { "seed", 1, NULL, 's' },
	{ "shard", 1, NULL, 'i' },   { "json", 1, NULL, 'j' },
	{ "choices", 1, NULL, 'c' }, { "mutant", 1, NULL, 'M' },
	{ "help", 0, NULL, 'h' },    { NULL, 0, NULL, 0 },
};

static void parse_one(struct options *o, int c, const char *value)
{
	switch (c) {
	case 'm':
		parse_mode(o, value);
		break;
	case 'w':
		parse_memory(o, value);
		break;
	case 'S':
		o->search = true;
		break;
	case 'C':
		o->chance = true;
		break;
	case 'b':
		o->bound = (unsigned int)number(value, 0, 100);
		break;
	case 'n':
		o->count = (uint64_t)number(value, 1, 1e18);
		break;
	case 't':
		o->seconds = number(value, 0, 1e9);
		break;
	case 's':
		o->seed = (uint64_t)number(value, 0, 1e18);
		break;
	case 'i':
		parse_shard(o, value);
		break;
	case 'j':
		parse_json(o, value);
		break;
	case 'c':
		o->choices = value;
		break;
	case 'M':
		o->mutant = value;
		break;
	case 'h':
		fputs(help, stdout);
		exit(0);
	default: /* getopt has said what */
		fprintf(stderr, "see --help\n");
		exit(2);
	}
}

bool options_select(const struct options *o, const struct scenario *s)
{
	for (unsigned int i = 0; i < o->patterns_used; i++)
		if (!fnmatch(o->patterns[i], s->name, 0))
			return true;
	return !o->patterns_used;
}

static void add_pattern(struct options *o, const char *pattern)
{
	struct options alone = { .patterns = { pattern }, .patterns_used = 1 };

	for (unsigned int i = 0; scenarios[i]; i++)
		if (options_select(&alone, scenarios[i])) {
			if (o->patterns_used == 16)
				bad("too many patterns, at", pattern);
			o->patterns[o->patterns_used++] = pattern;
			return;
		}
	bad("no scenario", pattern);
}

struct options options_parse(int argc, char **argv)
{
	struct options o = { .program = argv[0], .weak = true, .bound = 2,
			     .count = UINT64_MAX, .seed = 1, .shard = 1, .shards = 1 };
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		parse_one(&o, c, optarg);
	if (optind == argc)
		bad("which command?", NULL);
	o.command = argv[optind++];
	for (; optind < argc; optind++)
		add_pattern(&o, argv[optind]);
	if (!o.search && !o.chance)
		o.search = o.chance = true;
	return o;
}
