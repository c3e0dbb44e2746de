/* SPDX-License-Identifier: MIT */
/* Rules of the interface, broken on purpose. */
#ifndef TESTS_BROKEN_H
#define TESTS_BROKEN_H

#include <signal.h>
#include <sys/wait.h>

#include "tap.h"

/* Runs @breaks in a child, which has to die by abort and to say @words. */
static inline void broken(void (*breaks)(void), const char *words)
{
	int out[2], status;
	char text[256] = "";
	ssize_t got;
	pid_t child;

	if (pipe(out))
		bail("pipe");
	child = fork();
	if (!child) {
		dup2(out[1], STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		breaks();
		_exit(0);
	}
	close(out[1]);
	got = read(out[0], text, sizeof(text) - 1);
	close(out[0]);
	waitpid(child, &status, 0);
	text[got > 0 ? got : 0] = '\0';
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(text, words),
	   "%s", words);
	diag("  %s", text);
}

#endif
