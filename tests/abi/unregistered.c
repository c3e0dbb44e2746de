// SPDX-License-Identifier: MIT
/*
 * The engine where glibc does not register restartable sequences: it has to
 * use another mode and to keep its hands off the thread's control block,
 * which glibc looks at when it makes and frees threads.
 */
#include "crowd.h"
#include "subject.h"

static uint32_t word, other;

static void rounds(const struct subject *s)
{
	struct crowd c;
	int i;

	for (i = 0; i < 3; i++) {
		crowd_open(&c, s);
		crowd_fill(&c, &word, 4);
		crowd_also(&c, &other);
		row(s, s->futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1,
				(const struct timespec *)2, &other, 0),
		    3, "CMP_REQUEUE 1, 2 without registration");
		row(s, crowd_close(&c), 3, "3 are left");
	}
}

static void rows(const struct subject *s)
{
	pid_t pid;

	if (!s->engine)
		return;
	pid = tap_fork();
	if (pid == 0) {
		unsetenv("UFUTEX_REFS"); /* rseq cannot be had */
		setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1);
		tap_keep_over_exec();
		execl("/proc/self/exe", "unregistered", "again", NULL);
		row_skip(s, "programs of this machine do not run by themselves",
			 "without registration");
		_exit(0);
	}
	if (tap_reap(pid, "without registration"))
		ok(1, "%s: ends well without registration", s->name);
}

int main(int argc, char **argv)
{
	(void)argv;
#ifndef KERNEL_ONLY
	if (argc == 2) {
		rounds(&subject_engine);
		return tap_end();
	}
#else
	(void)argc, (void)rounds;
#endif
	return subject_main(rows);
}
