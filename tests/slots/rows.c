// SPDX-License-Identifier: MIT
/* Runs rows about the number of slots, each in a child: see rows.h. */
#include "rows.h"

#include <sys/stat.h>

long slots_set(const struct subject *s, unsigned long slots)
{
	return s->hash(UFX_PR_FUTEX_HASH_SET_SLOTS, slots, 0, 0);
}

long slots_get(const struct subject *s)
{
	return s->hash(UFX_PR_FUTEX_HASH_GET_SLOTS, 0, 0, 0);
}

void slots_exec(const struct subject *s, const char *what)
{
	tap_keep_over_exec();
	setenv("SLOTS_SUBJECT", s->name, 1);
	execl("/proc/self/exe", "slots", what, NULL);
	row_skip(s, "programs of this machine do not run by themselves", "%s",
		 what);
}

struct subject slots_subject(void)
{
	const char *name = getenv("SLOTS_SUBJECT");
	struct subject s = subject_kernel;

#ifndef KERNEL_ONLY
	if (name && !strncmp(name, "engine", 6))
		s = subject_engine;
#endif
	s.name = name ? name : "?";
	return s;
}

/* Sanitizers and emulators have threads of their own in our process. */
static bool several_threads(void)
{
	struct stat directory;

	/* A link from each thread's directory, and two more. */
	return !stat("/proc/self/task", &directory) && directory.st_nlink > 3;
}

void slots_unset(const struct subject *s, const char *when)
{
	if (several_threads())
		row_skip(s, "a thread is here that nobody asked for",
			 "GET_SLOTS %s", when);
	else
		row(s, slots_get(s), 0, "GET_SLOTS %s", when);
}

static void run_rows(const struct subject *s, const struct slots_row *rows,
		     int n)
{
	const char *why = subject_lacks(s, KERNEL_SLOTS);
	char name[200];
	pid_t pid;
	int i;

	if (!why && !s->engine && signals_delayed())
		why = "ThreadSanitizer has a thread of its own";
	for (i = 0; i < n; i++) {
		if (why) {
			row_skip(s, why, "%s", rows[i].name);
			continue;
		}
		pid = tap_fork();
		if (pid == 0) {
			rows[i].run(s);
			_exit(0);
		}
		snprintf(name, sizeof(name), "%s: %s", s->name, rows[i].name);
		tap_reap(pid, name);
	}
}

#ifndef KERNEL_ONLY
/* The way of replacing is chosen at the start of a program, so start it again. */
static void start_again(const char *way)
{
	pid_t pid = tap_fork();

	if (pid == 0) {
		tap_keep_over_exec();
		setenv("UFUTEX_REPLACE", way, 1);
		setenv("SUBJECT", "engine", 1);
		execl("/proc/self/exe", "slots", NULL);
		bail("cannot start again: %s", strerror(errno));
	}
	tap_reap(pid, way);
}

static void run_engine(const struct slots_row *rows, int n)
{
	const char *way = getenv("UFUTEX_REPLACE");
	struct subject s = subject_engine;
	char name[64];

	snprintf(name, sizeof(name), "engine%s%s", way ? " " : "",
		 way ? way : "");
	s.name = name;
	run_rows(&s, rows, n);
	if (way)
		return;
	start_again("moving");
	start_again("at-zero");
}
#endif

int slots_main(const struct slots_row *rows, int n)
{
	const char *only = getenv("SUBJECT");

	if (!only || !strcmp(only, "kernel"))
		run_rows(&subject_kernel, rows, n);
#ifndef KERNEL_ONLY
	if (!only || !strcmp(only, "engine"))
		run_engine(rows, n);
#endif
	return tap_end();
}
