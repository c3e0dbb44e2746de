/* SPDX-License-Identifier: MIT */
/*
 * Threads that block, and the proof that they are asleep.
 *
 * A thread is asleep when the kernel says so: state S, in a system call that
 * waits on a futex word (/proc/self/task/TID/stat and .../syscall). That is
 * how a waiter of the engine looks too: it parks with futex or futex_waitv on
 * words of its own. One that still spins is not asleep.
 *
 * Start waiters one after the other (start, then blocked_wait): only then a
 * thread that is asleep is known to be queued, and the order is known too.
 */
#ifndef TESTS_BLOCKED_H
#define TESTS_BLOCKED_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Is thread @tid of this process asleep in a futex call just now? */
bool blocked_now(pid_t tid);

/*
 * The same, for a thread that is looked at often: its files stay open. Open
 * gives false where the kernel does not show them. *@op becomes the operation
 * of futex(2), or -1 for another call.
 */
struct blocked_look {
	int stat, syscall;
};
bool blocked_open(struct blocked_look *look, pid_t tid);
bool blocked_look(const struct blocked_look *look, int *op);

/* A thread that makes one call, which may block. */
struct blocked {
	pthread_t thread;
	pid_t tid;  /* 0 until the thread is about to make the call */
	int ended;  /* the call has returned */
	int taken;  /* for blocked_next */
	int saved_errno;
	long (*call)(void *arg);
	void *arg;
	long result;
};

/* Starts a thread that calls @call(@arg). @attr may be NULL. */
void blocked_start(struct blocked *b, long (*call)(void *arg), void *arg,
		   const pthread_attr_t *attr);

/* Waits until @b is asleep; false if its call returned instead. */
bool blocked_wait(struct blocked *b);

/* Has the call returned? Does not wait. */
bool blocked_ended(struct blocked *b);

/* Waits for the end of the thread; what the call returned. */
long blocked_join(struct blocked *b);

/*
 * Waits until one of @n threads, that no earlier call has named, has ended,
 * and names it by its index. Does not join it.
 */
int blocked_next(struct blocked *b, int n);

/* How many of @n are asleep just now. */
int blocked_count(struct blocked *b, int n);

#ifdef __cplusplus
}
#endif

#endif
