/* SPDX-License-Identifier: MIT */
/* One of several copies of the engine in this process. */
#ifndef TESTS_AMALGAMATION_COPY_H
#define TESTS_AMALGAMATION_COPY_H

#include <stdbool.h>
#include <stdint.h>

struct copy {
	const char *name;
	/* 0 for ever; -errno */
	long (*wait)(uint32_t *word, uint32_t value);
	long (*wake)(uint32_t *word, uint32_t n);
	/* How many waits on @word a purge of it ends. */
	long (*purge)(uint32_t *word);
	/* Replaces an object @n times that this thread pins; what went wrong. */
	const char *(*replace)(unsigned int n);
	/* Replaces the default domain's table. */
	int (*set_slots)(uint32_t slots);
	const char *(*mode)(void);
};

extern const struct copy copy_one, copy_two, copy_own, copy_library;

#endif
