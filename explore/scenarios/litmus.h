/* SPDX-License-Identifier: MIT */
/*
 * Tests of the explorer's machine itself: what its memory may do and what it
 * may not. Each has an outcome that is found in some schedule, or in none.
 */
#ifndef EXPLORE_LITMUS_H
#define EXPLORE_LITMUS_H

#include "scenario.h"

enum litmus_expected {
	LITMUS_NEVER,
	LITMUS_WEAK, /* with weak memory, not with sequential consistency */
	LITMUS_ALWAYS,
};

struct litmus {
	struct scenario scenario;
	enum litmus_expected expected;
	const char *finding; /* what the message says then */
};

extern const struct litmus litmus[]; /* up to one without a name */

#endif
