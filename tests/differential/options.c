// SPDX-License-Identifier: MIT
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "program.h"

static const char usage[] =
	"usage: differential [OPTION...]\n"
	"Runs random programs of futex operations on the kernel and on the engine,\n"
	"and says where the two differ.\n"
	"\n"
	"  --seed S       seed of the first program (1)\n"
	"  --count N      how many programs, one seed each (1000)\n"
	"  --shard i/N    only the i-th of N parts of them (1/1)\n"
	"  --seconds T    no program after T seconds\n"
	"  --json FILE    a line for each finding, and a summary, go there\n"
	"  --refs MODE    one mode of the engine, as UFUTEX_REFS\n"
	"  --replace WAY  one way of replacing, as UFUTEX_REPLACE; else all in turn\n"
	"  --show         print the programs and what came of them\n"
	"\n"
	"exit status: 0 no difference, 1 some, or an error, 2 bad usage,\n"
	"77 this kernel cannot be compared with\n";

static bool complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("differential: ", stderr);
	vfprintf(stderr, format, args);
	fputs("; see --help\n", stderr);
	va_end(args);
	return false;
}

static bool number(const char *name, const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || *text == '+')
		return complain("--%s %s: not a number", name, text);
	return true;
}

static bool shard(const char *text, struct options *o)
{
	char rest;

	if (sscanf(text, "%u/%u%c", &o->shard, &o->shards, &rest) != 2 ||
	    !o->shard || o->shard > o->shards)
		return complain("--shard %s: i/N with 1 <= i <= N is expected", text);
	return true;
}

static bool seconds(const char *text, struct options *o)
{
	char *end;

	o->seconds = strtod(text, &end);
	if (*end || end == text || !(o->seconds > 0))
		return complain("--seconds %s: not a time", text);
	return true;
}

static bool take(struct options *o, int option, const char *name)
{
	uint64_t out;

	switch (option) {
	case 's':
		return number(name, optarg, &o->seed);
	case 'c':
		return number(name, optarg, &o->count);
	case 'h':
		return shard(optarg, o);
	case 't':
		return seconds(optarg, o);
	case 'j':
		o->json = optarg;
		return true;
	case 'r':
		o->refs = optarg;
		return true;
	case 'w':
		o->replace = optarg;
		return true;
	case 'v':
		o->show = true;
		return true;
	case 'o': /* not for people */
		o->runner = true;
		if (!number(name, optarg, &out))
			return false;
		o->out = (int)out;
		return true;
	case '?': /* getopt has spoken */
		return false;
	}
	fputs(usage, stdout);
	exit(0);
}

bool options_get(struct options *o, int argc, char **argv)
{
	static const struct option known[] = {
		{ "seed", 1, NULL, 's' },    { "count", 1, NULL, 'c' },
		{ "shard", 1, NULL, 'h' },   { "seconds", 1, NULL, 't' },
		{ "json", 1, NULL, 'j' },    { "refs", 1, NULL, 'r' },
		{ "replace", 1, NULL, 'w' }, { "show", 0, NULL, 'v' },
		{ "report-to", 1, NULL, 'o' }, { "help", 0, NULL, 'H' },
		{ NULL, 0, NULL, 0 },
	};
	int option, index = 0;

	*o = (struct options){ .seed = 1, .count = 1000, .shard = 1, .shards = 1 };
	while ((option = getopt_long(argc, argv, "", known, &index)) != -1)
		if (!take(o, option, known[index].name))
			return false;
	if (optind < argc)
		return complain("%s: not an option", argv[optind]);
	if (!o->count)
		return complain("--count 0: nothing to do");
	return true;
}
