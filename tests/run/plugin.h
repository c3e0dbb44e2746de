/* SPDX-License-Identifier: MIT */
/* What a plugin offers: see plugin.c. */
#ifndef TESTS_RUN_PLUGIN_H
#define TESTS_RUN_PLUGIN_H

#include <stdint.h>

struct plugin {
	int constructed; /* its constructor waited and was woken */
	long (*wait)(uint32_t *word, uint32_t value);
	long (*wake)(uint32_t *word, int n);
};

#endif
