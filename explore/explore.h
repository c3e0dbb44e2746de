/* SPDX-License-Identifier: MIT */
/* Exploring a scenario, as the command asks for it. */
#ifndef EXPLORE_EXPLORE_H
#define EXPLORE_EXPLORE_H

#include "scenario.h"

struct request {
	const struct scenario *scenario;
	const char *mode;    /* of counting */
	bool chance;         /* else search */
	unsigned int bound;  /* search: costly choices */
	uint64_t count;      /* at most so many schedules */
	double seconds;      /* of CPU time, at most, if not 0 */
	uint64_t seed;       /* chance: of the first schedule */
	bool weak;
};

#define REPLAY_SIZE (12 * RECORDS)

struct result {
	bool found, complete; /* complete: nothing is left within the bound */
	uint64_t schedules, distinct, seed;
	uint64_t steps, deepest;
	double seconds;
	char replay[REPLAY_SIZE]; /* the choices that were not usual */
};

/* Starts the engine in @mode and sets the scenario up. Exits if that fails. */
void explore_set_up(const struct scenario *s, const char *mode, bool weak);

/* Learns which words are shared: only there may another thread come between. */
void explore_learn(void);

void explore_catch_crashes(void);

/* Until something is found or the request is met. */
struct result explore(const struct request *r);

/*
 * The schedule that @replay describes, as text. After explore or set-up. False
 * if it describes none.
 */
bool explore_show(const char *replay);

double cpu_seconds(void);

#endif
