/* SPDX-License-Identifier: MIT */
/*
 * Rows about the number of slots. What one of them sets stays set for the
 * process, so each row runs in a child of its own; its checks count along.
 *
 * The engine is asked in each way of replacing its tables: as UFUTEX_REPLACE
 * says, or, if it says nothing, as it is by default and in both ways.
 */
#ifndef TESTS_SLOTS_ROWS_H
#define TESTS_SLOTS_ROWS_H

#include "subject.h"

struct slots_row {
	const char *name;
	void (*run)(const struct subject *s);
};

/* Runs @n rows for every subject; the value to return from main. */
int slots_main(const struct slots_row *rows, int n);

#define SLOTS_MAIN(rows)                                                       \
	int main(void)                                                         \
	{                                                                      \
		return slots_main(rows, sizeof(rows) / sizeof(rows[0]));       \
	}

/* The two calls, with all other arguments 0. */
long slots_set(const struct subject *s, unsigned long slots);
long slots_get(const struct subject *s);

/*
 * Makes this child a new program, which calls main with the argument @what
 * and finds its subject by slots_subject(). Returns if that cannot be done.
 */
void slots_exec(const struct subject *s, const char *what);
struct subject slots_subject(void);

/* A row: GET_SLOTS is 0, as nobody has asked and there is one thread. */
void slots_unset(const struct subject *s, const char *when);

#endif
