// SPDX-License-Identifier: MIT
/* Threads that block, and the proof that they are asleep: see blocked.h. */
#include "blocked.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap.h"

static int open_file(pid_t tid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", tid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool read_file(int fd, char *text, size_t size)
{
	ssize_t got = pread(fd, text, size - 1, 0);

	if (got < 0)
		return false;
	text[got] = '\0';
	return true;
}

/* Reads a file of /proc/self/task/@tid; false if there is none. */
static bool task_file(pid_t tid, const char *name, char *text, size_t size)
{
	int fd = open_file(tid, name);
	bool good = fd >= 0 && read_file(fd, text, size);

	if (fd >= 0)
		close(fd);
	return good;
}

/* The name in brackets may hold anything; the state follows it. */
static bool stat_sleeps(const char *text)
{
	const char *state = strrchr(text, ')');

	return state && state[1] == ' ' && state[2] == 'S';
}

/*
 * futex has its own number on every machine; an emulator shows the number of
 * the host: both that occur with the rest of this list, which is the same
 * everywhere.
 */
static bool waits_on_word(long nr)
{
	return nr == SYS_futex || nr == 202 || nr == 98 || nr == 449 ||
	       nr == 455;
}

bool blocked_now(pid_t tid)
{
	char text[512];
	long nr;

	if (!task_file(tid, "stat", text, sizeof(text)) || !stat_sleeps(text))
		return false;
	/* Not readable in some containers: the state has to do then. */
	if (!task_file(tid, "syscall", text, sizeof(text)))
		return true;
	return sscanf(text, "%ld", &nr) == 1 && waits_on_word(nr);
}

bool blocked_open(struct blocked_look *look, pid_t tid)
{
	look->stat = open_file(tid, "stat");
	look->syscall = open_file(tid, "syscall");
	return look->stat >= 0 && look->syscall >= 0;
}

/*
 * "running", or the number, six arguments and two registers. That is shown of
 * a thread that has left its CPU, but also of one that has been woken since and
 * that another CPU has not taken up yet: hence its state as well.
 */
bool blocked_look(const struct blocked_look *look, int *op)
{
	unsigned long second;
	char text[512];
	long nr;

	if (!read_file(look->syscall, text, sizeof(text)) ||
	    sscanf(text, "%ld %*x %lx", &nr, &second) != 2 || !waits_on_word(nr))
		return false;
	*op = nr == SYS_futex ? (int)second : -1;
	return read_file(look->stat, text, sizeof(text)) && stat_sleeps(text);
}

static void *blocked_thread(void *arg)
{
	struct blocked *b = (struct blocked *)arg;

	__atomic_store_n(&b->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	b->result = b->call(b->arg);
	b->saved_errno = errno;
	__atomic_store_n(&b->ended, 1, __ATOMIC_RELEASE);
	return NULL;
}

void blocked_start(struct blocked *b, long (*call)(void *arg), void *arg,
		   const pthread_attr_t *attr)
{
	int error;

	memset(b, 0, sizeof(*b));
	b->call = call;
	b->arg = arg;
	error = pthread_create(&b->thread, attr, blocked_thread, b);
	if (error)
		bail("pthread_create: %s", strerror(error));
}

bool blocked_wait(struct blocked *b)
{
	pid_t tid;

	for (;;) {
		if (blocked_ended(b))
			return false;
		tid = __atomic_load_n(&b->tid, __ATOMIC_ACQUIRE);
		if (tid && blocked_now(tid) && !blocked_ended(b))
			return true;
		sched_yield();
	}
}

bool blocked_ended(struct blocked *b)
{
	return __atomic_load_n(&b->ended, __ATOMIC_ACQUIRE);
}

long blocked_join(struct blocked *b)
{
	pthread_join(b->thread, NULL);
	return b->result;
}

int blocked_next(struct blocked *b, int n)
{
	int i;

	for (;; sched_yield()) {
		for (i = 0; i < n; i++) {
			if (b[i].taken || !blocked_ended(&b[i]))
				continue;
			b[i].taken = 1;
			return i;
		}
	}
}

int blocked_count(struct blocked *b, int n)
{
	int i, count = 0;

	for (i = 0; i < n; i++) {
		pid_t tid = __atomic_load_n(&b[i].tid, __ATOMIC_ACQUIRE);

		count += tid && !blocked_ended(&b[i]) && blocked_now(tid);
	}
	return count;
}
