/* SPDX-License-Identifier: MIT */
/* What a runner tells main about a program, through a pipe. */
#ifndef TESTS_DIFFERENTIAL_REPORT_H
#define TESTS_DIFFERENTIAL_REPORT_H

#include <stdbool.h>
#include <stdint.h>

struct report {
	uint64_t seed;
	uint32_t steps, calls, sleeps, signals, expiries;
	bool late; /* no result: a deadline came too soon, in every try */
	char what[80]; /* differs; or "" */
};

#endif
