/* SPDX-License-Identifier: MIT */
/*
 * A scenario: what a few threads do to the engine, and what must hold. Set-up
 * runs once, before any choice; each schedule begins with what it left.
 */
#ifndef EXPLORE_SCENARIO_H
#define EXPLORE_SCENARIO_H

#include "model.h"

struct scenario {
	const char *name;
	const char *what;  /* in a line */
	const char *rules; /* that it would see broken: "R8 R9" */
	const char *modes; /* of counting; NULL: rseq */
	void (*setup)(void);
	void (*threads[FIBERS])(void);
	void (*handler)(void); /* of signals */
	unsigned int signals[FIBERS]; /* how many each thread gets */
	void (*check)(void); /* when all have ended */
	bool at_zero;        /* the domain's way of replacing */
	bool recycles;       /* freed tables are used again at once */
};

extern const struct scenario *const scenarios[];

/* Ends the schedule with a finding unless @condition holds. */
#define must(condition)                                                        \
	do {                                                                   \
		if (!(condition))                                              \
			claim_failed(#condition, __FILE__, __LINE__);          \
	} while (0)

/* Of set-up: memory of the model; the way of replacing that is asked for. */
void *scene_memory(size_t size);
bool scene_at_zero(void);

void claim_failed(const char *condition, const char *file, int line);

unsigned int model_fiber(void); /* which thread this is, from 0 */
void scenario_take_signals(void); /* all that are still to come */
/*
 * A handler that does not return: from scenario_left(), which is false, to
 * scenario_stay() of its thread scenario_leave() makes the former true.
 */
#define scenario_left() __builtin_setjmp(scenario_landing())
void **scenario_landing(void);
bool scenario_may_leave(void);
void scenario_leave(void) __attribute__((noreturn));
void scenario_stay(void);
void scenario_pause(void);      /* lets others run */
void scenario_migrate(void);    /* on to another CPU */
void scenario_free(void *memory); /* of scene_memory; may not be used any more */

/* A fork: true in the child, which this schedule then follows. */
bool scenario_fork(void);

#endif
