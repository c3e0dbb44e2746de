/* SPDX-License-Identifier: MIT */
/* `ufutex run --stats`: a parent that stays, and writes what was counted. */
#ifndef UFUTEX_CLI_WATCH_H
#define UFUTEX_CLI_WATCH_H

/* What becomes the program; returns an exit status if it cannot. */
struct ufx_watched {
	int (*become)(void *context);
	void *context;
	char **command;      /* with its arguments */
	const char *path;    /* its file */
	const char *unreached; /* why it is not served, or NULL */
};

/*
 * Prepares for @how: "" is a table on standard error, "json:FILE" a file. To be
 * called before anything is started; puts a variable into the environment. 0,
 * or 2 after a message.
 */
int ufx_watch_prepare(const char *how);

/* Starts it, waits for it, ends as it did: the exit status, or by its signal. */
int ufx_watch(const struct ufx_watched *watched);

#endif
