/* SPDX-License-Identifier: MIT */
/*
 * A library whose constructor runs before the program's, and those of libraries
 * that it needs: it uses everything that the preload exports.
 */
#include "early.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct early early = { .wait = -2, .waiter = -2 };
static uint32_t word, other;

static void *waiter(void *arg)
{
	(void)arg;
	__atomic_store_n(&early.tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	early.waiter = syscall(SYS_futex, &early.word, FUTEX_WAIT_PRIVATE, 0,
			       NULL, NULL, 0);
	return NULL;
}

__attribute__((constructor)) static void start(void)
{
	pid_t pid;

	early.wait = syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL,
			     0);
	early.wait_errno = errno;
	early.wake = syscall(SYS_futex, &other, FUTEX_WAKE_PRIVATE, 1, NULL, NULL,
			     0);
	early.slots_before = prctl(78, 2);
	pid = vfork();
	if (pid == 0)
		_exit(3);
	early.vfork = pid > 0 && waitpid(pid, &early.vfork_status, 0) == pid;
	early.created = pthread_create(&early.thread, NULL, waiter, NULL);
	early.slots_after = prctl(78, 2);
}
