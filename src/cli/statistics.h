/* SPDX-License-Identifier: MIT */
/* What processes under `ufutex run` have counted (preload/statistics.h), shown. */
#ifndef UFUTEX_CLI_STATISTICS_H
#define UFUTEX_CLI_STATISTICS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "preload/statistics.h"

/* A process; its numbers are summed over the stripes. */
struct ufx_counted {
	uint32_t pid;
	bool running; /* still, although the one that was started has ended */
	const char *program;
	const char *tier, *reason; /* reason: or NULL */
	uint64_t n[UFX_COUNTS];
	uint64_t served, passed;
	const struct ufx_description *description; /* NULL: nothing is known of it */
	const struct ufx_live *live;
};

/* Of what lies there, which may change meanwhile. */
void ufx_counted_read(struct ufx_counted *c, const struct ufx_description *description,
		      const struct ufx_live *live);

/* One that is not reached: all zero. */
void ufx_counted_unreached(struct ufx_counted *c, uint32_t pid, const char *program,
			   const char *reason);

/* A process's object; a new reference. */
json_t *ufx_counted_json(const struct ufx_counted *c);

/* Paths are bytes, JSON is UTF-8: what is not becomes "?". */
json_t *ufx_counted_string(const char *text);

/* As a table, with what all have counted together. */
void ufx_counted_table(FILE *out, const struct ufx_counted *list, size_t count);

#endif
