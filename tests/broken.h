/* SPDX-License-Identifier: MIT */
/* Rules of the interface, broken on purpose, each in a child that must abort. */
#ifndef TESTS_BROKEN_H
#define TESTS_BROKEN_H

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tap.h"

/* In a child whose standard error goes to @fd; never returns. */
static inline void broken_run(void (*breaks)(void), int fd)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	dup2(fd, STDERR_FILENO);
	signal(SIGABRT, SIG_DFL);
	breaks();
	_exit(0);
}

/* Did it abort? @said: what it said before. */
static inline bool broken_aborts(void (*breaks)(void), char *said, size_t size)
{
	int ends[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(ends))
		bail("pipe: %s", strerror(errno));
	pid = tap_fork();
	if (pid == 0)
		broken_run(breaks, ends[1]);
	close(ends[1]);
	n = read(ends[0], said, size - 1);
	said[n > 0 ? n : 0] = 0;
	close(ends[0]);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

/* Says @words, among others. */
static inline void broken(void (*breaks)(void), const char *words)
{
	char said[400];
	bool aborts = broken_aborts(breaks, said, sizeof(said));

	ok(aborts && strstr(said, words), "%s", words);
	diag("  %s", said);
}

/* Says "ufutex: FUNCTION: broken rule: RULE", and no more. */
static inline void broken_rule(void (*breaks)(void), const char *function,
			       const char *rule)
{
	char expected[200], said[400];
	bool aborts = broken_aborts(breaks, said, sizeof(said));

	snprintf(expected, sizeof(expected), "ufutex: %s: broken rule: %s\n",
		 function, rule);
	is_str(said, expected, "%s: %s", function, rule);
	ok(aborts, "and it aborts");
}

#endif
