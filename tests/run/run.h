/* SPDX-License-Identifier: MIT */
/*
 * What the programs of this folder share. They know nothing of the engine:
 * drive.py runs each bare and under `ufutex run`, and compares what they
 * print. So standard output says what was found, never how often or how fast
 * where that is left to chance: note() is for such things.
 *
 * A thread is known to be blocked when the kernel shows it asleep in a futex
 * call (blocked.h); nothing here waits for a time to pass.
 */
#ifndef TESTS_RUN_H
#define TESTS_RUN_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "blocked.h"
#include "tap.h"

/* To standard error: differs from run to run. */
__attribute__((format(printf, 1, 2))) static inline void note(const char *format,
							      ...)
{
	char line[256] = "# ";
	va_list args;
	ssize_t done;

	va_start(args, format);
	vsnprintf(line + 2, sizeof(line) - 4, format, args);
	va_end(args);
	strcat(line, "\n");
	done = write(STDERR_FILENO, line, strlen(line));
	(void)done;
}

/* How often, as the program's first argument says: "long", or none. */
static inline long rounds(int argc, char **argv, long quick, long many)
{
	if (argc < 2 || strcmp(argv[1], "long"))
		return quick;
	tap_timeout(240);
	return many;
}

static inline pid_t own_tid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

static inline void until_asleep(pid_t tid)
{
	while (!blocked_now(tid))
		sched_yield();
}

/* Waits until *@word is at least @value. */
static inline void until(const long *word, long value)
{
	while (__atomic_load_n(word, __ATOMIC_SEQ_CST) < value)
		sched_yield();
}

static inline void add(long *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
}

static inline long get(const long *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void set(long *word, long value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static inline pthread_t start(void *(*body)(void *), void *arg)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, body, arg);

	if (error)
		bail("pthread_create: %s", strerror(error));
	return thread;
}

/* @n threads of @body(@arg), to their ends. */
static inline void crowd_of(int n, void *(*body)(void *), void *arg)
{
	pthread_t *threads = (pthread_t *)calloc((size_t)n, sizeof(*threads));

	for (int i = 0; i < n; i++)
		threads[i] = start(body, arg);
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	free(threads);
}

/* A point of time in @ms from now; negative: in the past. */
static inline struct timespec in_ms(clockid_t clock, long ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	} else if (t.tv_nsec < 0) {
		t.tv_sec--;
		t.tv_nsec += 1000000000;
	}
	return t;
}

static inline void handle_info(int sig, int flags,
			       void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handler;
	action.sa_flags = flags | SA_SIGINFO;
	if (sigaction(sig, &action, NULL))
		bail("sigaction: %s", strerror(errno));
}

static inline void handle(int sig, int flags, void (*handler)(int))
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	action.sa_flags = flags;
	if (sigaction(sig, &action, NULL))
		bail("sigaction: %s", strerror(errno));
}

/*
 * futex by a system call instruction of this program's own; -errno. A function
 * of its own: one site. With RUN_BY_LIBC the C library's syscall() makes it.
 */
__attribute__((noinline, unused)) static long
raw_futex(void *word, long op, long value, const void *timeout, void *word2,
	  long value3)
{
#ifdef __x86_64__
	register long r10 __asm__("r10") = (long)timeout;
	register long r8 __asm__("r8") = (long)word2;
	register long r9 __asm__("r9") = value3;
	long result;

	__asm__ volatile("mov $202, %%eax\n\tsyscall"
			 : "=&a"(result)
			 : "D"(word), "S"(op), "d"(value), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
#else
	long result = syscall(SYS_futex, word, op, value, timeout, word2, value3);

	return result < 0 ? -errno : result;
#endif
}

/* How @pid ended: its exit status, or -SIGNAL. */
static inline int ending(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1000;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

#endif
