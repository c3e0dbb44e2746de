/* SPDX-License-Identifier: MIT */
/* The command line. */
#ifndef EXPLORE_OPTIONS_H
#define EXPLORE_OPTIONS_H

#include "explore.h"

struct options {
	const char *program, *command;
	const char *patterns[16]; /* of scenarios' names; none: all */
	unsigned int patterns_used;
	const char *mode; /* NULL: all that a scenario names */
	bool weak;
	bool search, chance; /* neither: both */
	unsigned int bound;
	uint64_t count;
	double seconds; /* of each search, of CPU time */
	uint64_t seed;
	unsigned int shard, shards;
	const char *json;    /* file for results */
	const char *choices; /* replay */
	bool quiet;
	const char *mutant;  /* a fault's name, or addresses to weaken */
};

/* Exits with 2 and a message on bad usage; prints the help and exits with 0. */
struct options options_parse(int argc, char **argv);

/* Is the scenario asked for? */
bool options_select(const struct options *o, const struct scenario *s);

/* Puts the mutant in for all that follows. */
void mutant_put_in(const char *mutant);

#endif
