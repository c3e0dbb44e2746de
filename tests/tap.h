/* SPDX-License-Identifier: MIT */
/*
 * Checks that print TAP lines (testanything.org), for C and C++.
 *
 *	int main(void)
 *	{
 *		is_int(wake(&word), 1, "one waiter is woken");
 *		return tap_end();
 *	}
 *
 * tap_end() prints the plan ("1..N") and gives the exit status: 0 all well,
 * 1 a check failed or none was made, 77 all were skipped. Checks may come from
 * any thread and from children of fork, which count along (the state is in a
 * shared mapping), but not from signal handlers. Without a plan the program
 * did not reach its end: whoever reads the lines takes that as a failure.
 *
 * A program lasts 30 seconds at most, or what tap_timeout() says: then it
 * prints "Bail out! timeout" and dies by SIGALRM.
 */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tap_state {
	int lock, count, failed, skipped;
	unsigned int seconds;
};

/* One for all the files of a program; weak, so that this needs no .c file. */
__attribute__((weak)) struct tap_state *tap_state;
__attribute__((weak)) int tap_fd;
__attribute__((weak)) pid_t tap_owner; /* prints the plan */

static inline void tap_write(const char *text)
{
	ssize_t done = write(STDOUT_FILENO, text, strlen(text));

	(void)done;
}

static inline void tap_alarm(int sig)
{
	tap_write("Bail out! timeout\n");
	signal(sig, SIG_DFL);
	raise(sig);
}

/* For the whole program from now on; children of tap_fork() start anew. */
static inline void tap_timeout(unsigned int seconds)
{
	tap_state->seconds = seconds;
	signal(SIGALRM, tap_alarm);
	alarm(seconds);
}

__attribute__((format(printf, 1, 2), noreturn)) static inline void
bail(const char *format, ...)
{
	char line[512] = "Bail out! ";
	size_t used = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + used, sizeof(line) - used - 1, format, args);
	va_end(args);
	tap_write(strcat(line, "\n"));
	_exit(1);
}

__attribute__((constructor)) static void tap_start(void)
{
	const char *inherited = getenv("TAP_FD");
	void *map;

	if (tap_state)
		return;
	tap_fd = inherited ? atoi(inherited)
			   : (int)syscall(SYS_memfd_create, "tap", 0);
	if (!inherited) {
		tap_owner = getpid();
		if (ftruncate(tap_fd, sizeof(*tap_state)))
			bail("no memory for the counts: %s", strerror(errno));
	}
	map = mmap(NULL, sizeof(*tap_state), PROT_READ | PROT_WRITE, MAP_SHARED,
		   tap_fd, 0);
	if (map == MAP_FAILED)
		bail("no memory for the counts: %s", strerror(errno));
	tap_state = (struct tap_state *)map;
	tap_timeout(tap_state->seconds ? tap_state->seconds : 30);
}

/* From now on, programs that this one becomes or starts by exec count along. */
static inline void tap_keep_over_exec(void)
{
	char fd[16];

	snprintf(fd, sizeof(fd), "%d", tap_fd);
	setenv("TAP_FD", fd, 1);
}

/* A line of comment. */
__attribute__((format(printf, 1, 2))) static inline void diag(const char *format,
							      ...)
{
	char line[512] = "# ";
	va_list args;

	va_start(args, format);
	vsnprintf(line + 2, sizeof(line) - 3, format, args);
	va_end(args);
	tap_write(strcat(line, "\n"));
}

/* Counts and prints one result; numbers appear in order. */
static inline void tap_result(int good, const char *skip, const char *format,
			      va_list args)
{
	struct tap_state *t = tap_state;
	char name[400], line[512];

	vsnprintf(name, sizeof(name), format, args);
	while (__atomic_exchange_n(&t->lock, 1, __ATOMIC_ACQUIRE))
		sched_yield();
	t->failed += !good;
	t->skipped += !!skip;
	snprintf(line, sizeof(line), "%sok %d - %s%s%s\n", good ? "" : "not ",
		 ++t->count, name, skip ? " # SKIP " : "", skip ? skip : "");
	tap_write(line);
	__atomic_store_n(&t->lock, 0, __ATOMIC_RELEASE);
}

__attribute__((format(printf, 2, 3))) static inline int ok(int good,
							   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tap_result(!!good, NULL, format, args);
	va_end(args);
	return good;
}

__attribute__((format(printf, 3, 4))) static inline int
is_int(long long got, long long want, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tap_result(got == want, NULL, format, args);
	va_end(args);
	if (got != want)
		diag("  got %lld, expected %lld", got, want);
	return got == want;
}

__attribute__((format(printf, 3, 4))) static inline int
is_str(const char *got, const char *want, const char *format, ...)
{
	int good = got && want ? !strcmp(got, want) : got == want;
	va_list args;

	va_start(args, format);
	tap_result(good, NULL, format, args);
	va_end(args);
	if (!good)
		diag("  got \"%s\", expected \"%s\"", got ? got : "(null)",
		     want ? want : "(null)");
	return good;
}

/* A check that cannot be made here; @reason in a few words. */
__attribute__((format(printf, 2, 3))) static inline void skip(const char *reason,
							      const char *format,
							      ...)
{
	va_list args;

	va_start(args, format);
	tap_result(1, reason, format, args);
	va_end(args);
}

/* fork; the child has its own timeout and does not outlive the caller. */
static inline pid_t tap_fork(void)
{
	pid_t pid = fork();

	if (pid < 0)
		bail("fork: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(tap_state->seconds);
	}
	return pid;
}

/* Waits for a child; it must have ended by _exit(0). */
static inline int tap_reap(pid_t pid, const char *name)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status == 0)
		return 1;
	ok(0, "%s: the child ends well", name);
	if (WIFSIGNALED(status))
		diag("  died by signal %d", WTERMSIG(status));
	else
		diag("  exit status %d", WEXITSTATUS(status));
	return 0;
}

/* Prints the plan; the value to return from main. */
static inline int tap_end(void)
{
	struct tap_state *t = tap_state;
	char line[64];

	if (tap_owner != getpid())
		return 0; /* a re-executed child: the first program does it */
	snprintf(line, sizeof(line), "1..%d\n", t->count);
	tap_write(line);
	if (t->failed || t->count == 0)
		return 1;
	return t->skipped == t->count ? 77 : 0;
}

#ifdef __cplusplus
}
#endif

#endif
