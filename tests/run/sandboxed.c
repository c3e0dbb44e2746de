/* SPDX-License-Identifier: MIT */
/*
 * Threads of a process that confined itself: the filter ends it for a call that
 * libc's locks do not make, but a library under them might.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "run.h"

#define THREADS 4
#define KILL(number) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long turn, turns;

static int confine(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		KILL(SYS_futex_waitv),
		KILL(SYS_sched_getscheduler),
		KILL(SYS_sched_getparam),
		KILL(SYS_sched_getaffinity),
		KILL(SYS_sched_yield),
		KILL(SYS_openat),
		KILL(SYS_membarrier),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void *take_turns(void *arg)
{
	long own;

	pthread_mutex_lock(&mutex);
	own = *(long *)arg;
	*(long *)arg += 1;
	for (long i = 0; i < turns; i++) {
		while (turn % THREADS != own)
			pthread_cond_wait(&cond, &mutex);
		turn++;
		pthread_cond_broadcast(&cond);
	}
	pthread_mutex_unlock(&mutex);
	return NULL;
}

int main(int argc, char **argv)
{
	long next = 0;

	turns = rounds(argc, argv, 2000, 100000);
	if (confine()) {
		skip("no seccomp here", "threads of a process that confined itself");
		return tap_end();
	}
	crowd_of(THREADS, take_turns, &next);
	is_int(turn, THREADS * turns, "each of %d threads took its turns", THREADS);
	return tap_end();
}
