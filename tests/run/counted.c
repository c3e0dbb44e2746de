/* SPDX-License-Identifier: MIT */
/*
 * Makes calls that statistics.py knows the number of: counted WHAT N [PROGRAM].
 */
#include "run.h"

#include <linux/futex.h>

#define N_waitv 449

static uint32_t words[4];
static long times;

/* Both ways in: a system call of its own, and libc's. */
static long call(int op, uint32_t value, long last)
{
	long by_libc = syscall(SYS_futex, words, op, value, NULL, &words[1], last);

	by_libc = by_libc < 0 ? -errno : by_libc;
	return raw_futex(words, op, value, NULL, &words[1], last) == by_libc ? by_libc : -999;
}

static void expect(long result, long expected)
{
	if (result != expected)
		bail("%ld instead of %ld", result, expected);
}

static void wake(void)
{
	for (long i = 0; i < times; i++)
		expect(call(FUTEX_WAKE_PRIVATE, 1, 0), 0);
}

/* Twice @times of each kind; nobody waits. */
static void kinds(void)
{
	struct { uint64_t value, address; uint32_t flags, zero; }
		waiter = { 1, (uintptr_t)words, 2 | 128, 0 }, shared = { 1, (uintptr_t)words, 2, 0 };

	for (long i = 0; i < times; i++) {
		expect(call(FUTEX_WAIT_PRIVATE, 1, 0), -EAGAIN);
		expect(call(FUTEX_WAKE_BITSET_PRIVATE, 1, 1), 0);
		expect(call(FUTEX_CMP_REQUEUE_PRIVATE, 1, 0), 0);
		expect(call(FUTEX_WAKE_OP_PRIVATE, 1, 0), 0);
		expect(call(FUTEX_UNLOCK_PI_PRIVATE, 0, 0), -EPERM);
		expect(call(FUTEX_WAKE, 1, 0), 0);
		expect(call(FUTEX_WAIT, 1, 0), -EAGAIN);
		expect(call(FUTEX_FD, 0, 0), -ENOSYS);
		for (int k = 0; k < 2; k++) {
			expect(syscall(N_waitv, &waiter, 1, 0, NULL, 1), -1);
			expect(syscall(N_waitv, &shared, 1, 0, NULL, 1), -1);
		}
	}
}

static void *partner(void *arg)
{
	long own = (long)arg;

	for (long i = 0; i < times; i++) {
		while (__atomic_load_n(&words[0], __ATOMIC_SEQ_CST) != (uint32_t)own)
			raw_futex(words, FUTEX_WAIT_PRIVATE, !own, NULL, NULL, 0);
		__atomic_store_n(&words[0], !own, __ATOMIC_SEQ_CST);
		raw_futex(words, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	return NULL;
}

static void hand_over(void)
{
	pthread_t other = start(partner, (void *)1L);

	partner(NULL);
	pthread_join(other, NULL);
}

static void finish(pid_t child)
{
	if (!child) {
		times *= 3;
		wake();
		_exit(0);
	}
	printf("%d\n", (int)child);
	expect(ending(child), 0);
}

/* Children of fork, of _Fork, which runs no fork handlers, and of vfork. */
static void forks(char **argv)
{
	pid_t child;

	wake();
	finish(fork());
	finish(_Fork());
	child = vfork();
	if (!child) {
		times *= 2;
		wake();
		execl(argv[3], argv[3], "wake", argv[2], (char *)NULL);
		_exit(127);
	}
	printf("%d\n", (int)child);
	expect(ending(child), 0);
}

static void stay(void)
{
	char byte;

	wake();
	printf("%d\n", (int)getpid());
	fflush(stdout);
	expect(read(STDIN_FILENO, &byte, 1), 0);
}

static void daemon_of_it(void)
{
	int gone[2];
	char byte;

	expect(pipe(gone), 0);
	if (!fork()) {
		setsid();
		if (!fork()) {
			wake();
			printf("%d\n", (int)getpid());
			fflush(stdout);
			for (int fd = 0; fd < 100; fd++)
				close(fd);
			pause();
		}
		_exit(0);
	}
	close(gone[1]);
	expect(read(gone[0], &byte, 1), 0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	tap_timeout(20);
	times = argc > 2 ? atol(argv[2]) : 0;
	if (!strcmp(what, "kinds"))
		kinds();
	else if (!strcmp(what, "hand"))
		hand_over();
	else if (!strcmp(what, "forks"))
		forks(argv);
	else if (!strcmp(what, "stay"))
		stay();
	else if (!strcmp(what, "daemon"))
		daemon_of_it();
	else
		wake();
	if (!strcmp(what, "killed"))
		kill(getpid(), SIGKILL);
	if (!strcmp(what, "_exit"))
		_exit(0);
	return 0;
}
