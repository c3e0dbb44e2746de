/* SPDX-License-Identifier: MIT */
/* Where `ufutex run --stats` puts what the processes of a file have counted. */
#ifndef UFUTEX_CLI_RESULTS_H
#define UFUTEX_CLI_RESULTS_H

#include "cli/statistics.h"

struct ufx_results {
	struct ufx_statistics_file *file;
	char **command; /* with its arguments */
	/* How: */
	const char *path; /* of a JSON file; NULL: a table */
	const char *pid_in_path; /* its %p: one file a process; or NULL */
	FILE *out;
	/* What: */
	struct ufx_counted list[UFX_STATISTICS_SECTIONS + 1];
	size_t count;
};

/* @how: "" or "json:FILE". 0, or 2 after a message. */
int ufx_results_open(struct ufx_results *r, const char *how);

/* The program that was started, if it counts nothing. */
void ufx_results_add_unreached(struct ufx_results *r, uint32_t pid, const char *path,
			       const char *reason);

void ufx_results_write(struct ufx_results *r);

#endif
