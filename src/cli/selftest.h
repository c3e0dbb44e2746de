/* SPDX-License-Identifier: MIT */
/*
 * Short tests of what the engine rests on, for `ufutex check`. Each takes a
 * fraction of a second. What they test is stated where they are defined.
 */
#ifndef UFUTEX_CLI_SELFTEST_H
#define UFUTEX_CLI_SELFTEST_H

#include <stdbool.h>

enum ufx_verdict {
	UFX_VERDICT_GOOD,
	UFX_VERDICT_BAD,
	UFX_VERDICT_NOT_HERE, /* the test has no meaning in this mode */
};

struct ufx_selftest {
	const char *name;
	/* Fills @detail (UFX_DETAIL_SIZE): figures, or what went wrong. */
	enum ufx_verdict (*run)(char *detail);
};

#define UFX_DETAIL_SIZE 160

/* Ended by one without a name. */
extern const struct ufx_selftest ufx_selftests[];

enum ufx_verdict ufx_selftest_barrier(char *detail);
enum ufx_verdict ufx_selftest_preemption(char *detail);

/* For the tests themselves: time that has passed since @start, in ms. */
double ufx_selftest_clock(void);

/* Runs the calling thread on CPU @cpu only; on all, if negative. */
bool ufx_selftest_pin(int cpu);

#endif
