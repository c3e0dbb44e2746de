/* SPDX-License-Identifier: MIT */
/* Children that break a rule: each must say so and abort. */
#ifndef TESTS_BROKEN_H
#define TESTS_BROKEN_H

#include <fcntl.h>
#include <sys/resource.h>

#include "tap.h"

/* In a child whose standard error goes to @fd; never returns. */
static inline void broken_run(void (*breaks)(void), int fd)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	dup2(fd, STDERR_FILENO);
	breaks();
	_exit(0);
}

/* What @breaks does ends by "ufutex: FUNCTION: broken rule: RULE", and SIGABRT. */
static inline void broken(void (*breaks)(void), const char *function, const char *rule)
{
	char expected[200], said[400] = "";
	int ends[2], status = 0;
	ssize_t n;
	pid_t pid;

	snprintf(expected, sizeof(expected), "ufutex: %s: broken rule: %s\n",
		 function, rule);
	if (pipe(ends))
		bail("pipe: %s", strerror(errno));
	pid = tap_fork();
	if (pid == 0)
		broken_run(breaks, ends[1]);
	close(ends[1]);
	n = read(ends[0], said, sizeof(said) - 1);
	said[n > 0 ? n : 0] = 0;
	close(ends[0]);
	waitpid(pid, &status, 0);
	is_str(said, expected, "%s: %s", function, rule);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "and it aborts");
}

#endif
