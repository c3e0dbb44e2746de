/* SPDX-License-Identifier: MIT */
/*
 * fork of a program with threads that lock and wait: by fork, _Fork, the
 * system call, in a handler, from a thread, and again in the child. The child
 * has one thread; it locks, waits and makes threads.
 */
#include <sys/wait.h>

#include "run.h"

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem, never;
static long counter, over, ready;

static void *lock_always(void *arg)
{
	(void)arg;
	while (!get(&over)) {
		pthread_mutex_lock(&busy);
		counter++;
		pthread_mutex_unlock(&busy);
	}
	return NULL;
}

static long wait_never(void *arg)
{
	(void)arg;
	return sem_wait(&never);
}

static void *give(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&mutex);
	ready++;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	sem_post(&sem);
	return NULL;
}

/* Locks and waits with a thread of its own; in parents and children. */
static bool works(void)
{
	pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
	struct timespec t = in_ms(CLOCK_REALTIME, 5);
	pthread_t thread;
	long before;

	sem_init(&sem, 0, 0);
	pthread_mutex_lock(&mutex);
	before = ready;
	thread = start(give, NULL);
	while (ready == before)
		pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
	while (sem_wait(&sem))
		;
	pthread_join(thread, NULL);
	pthread_mutex_lock(&fresh);
	return pthread_mutex_timedlock(&fresh, &t) == ETIMEDOUT;
}

static pid_t by_fork(void)
{
	return fork();
}

static pid_t by_Fork(void)
{
	return _Fork();
}

/* No thread may hold the heap's lock: the C library knows nothing of it. */
static pid_t by_syscall(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static void one(pid_t (*call)(void), const char *name)
{
	pid_t pid = call();

	if (pid == 0) {
		alarm(20);
		if (call == by_syscall) /* threads need what it did not set up */
			_exit(sem_trywait(&never) ? 0 : 1);
		_exit(works() ? 0 : 1);
	}
	is_int(ending(pid), 0, "%s: the child works", name);
	ok(works(), "%s: the parent works", name);
}

static void nested(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pid_t second;

		alarm(20);
		if (!works())
			_exit(1);
		second = fork();
		if (second == 0) {
			alarm(20);
			_exit(works() ? 3 : 2);
		}
		_exit(works() && ending(second) == 3 ? 4 : 5);
	}
	is_int(ending(pid), 4, "a child of a child works");
}

/* ---- in handlers --------------------------------------------------------------- */

static pid_t (*fork_here)(void);
static pid_t child;
static long handled;

/* The child goes on in the interrupted call. */
static void forks(int sig)
{
	pid_t pid = fork_here();

	(void)sig;
	if (pid == 0) {
		alarm(20);
		return;
	}
	__atomic_store_n(&child, pid, __ATOMIC_SEQ_CST);
	add(&handled);
}

static void forks_and_exits(int sig)
{
	pid_t pid = fork_here();

	(void)sig;
	if (pid == 0)
		_exit(7);
	__atomic_store_n(&child, pid, __ATOMIC_SEQ_CST);
	add(&handled);
}

static sem_t gate;

/* In the child: nobody posts, so that its wait is cut by a limit. */
static long wait_gate(void *arg)
{
	pid_t parent = *(pid_t *)arg;
	struct timespec t = in_ms(CLOCK_REALTIME, 20000);
	int error;

	while ((error = sem_timedwait(&gate, &t)) && errno == EINTR) {
		if (getpid() == parent)
			continue;
		sem_post(&gate);
		if (sem_wait(&gate))
			_exit(8);
		_exit(9);
	}
	return error;
}

static void in_handler_over_wait(pid_t (*call)(void), const char *name)
{
	pid_t me = getpid();
	struct blocked b;

	sem_init(&gate, 0, 0);
	fork_here = call;
	handled = 0;
	handle(SIGUSR1, 0, forks);
	blocked_start(&b, wait_gate, &me, NULL);
	blocked_wait(&b);
	pthread_kill(b.thread, SIGUSR1);
	until(&handled, 1);
	is_int(ending(child), 9, "%s in a handler over a wait: the child goes on",
	       name);
	until_asleep(b.tid);
	sem_post(&gate);
	is_int(blocked_join(&b), 0, "%s in a handler: the parent's wait ends", name);
}

static long hot(void *arg)
{
	static uint32_t word;
	struct timespec t = { .tv_nsec = 3000 };

	(void)arg;
	while (!get(&over)) {
		raw_futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
		raw_futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	return 0;
}

static void in_handler_over_hot_loop(long times)
{
	struct blocked b;
	int good = 0;

	fork_here = by_Fork;
	handle(SIGUSR1, SA_RESTART, forks_and_exits);
	over = 0;
	blocked_start(&b, hot, NULL, NULL);
	for (long i = 0; i < times; i++) {
		set(&handled, 0);
		pthread_kill(b.thread, SIGUSR1);
		until(&handled, 1);
		good += ending(child) == 7;
	}
	set(&over, 1);
	blocked_join(&b);
	is_int(good, times, "_Fork in a handler over a hot loop");
}

static void *fork_in_thread(void *arg)
{
	pid_t pid = fork();

	if (pid == 0) {
		alarm(20);
		_exit(works() ? 6 : 1);
	}
	*(int *)arg = ending(pid);
	return NULL;
}

int main(int argc, char **argv)
{
	long times = rounds(argc, argv, 50, 2000);
	pthread_t threads[2];
	struct blocked waiter;
	int status = 0;

	for (int i = 0; i < 2; i++)
		threads[i] = start(lock_always, NULL);
	blocked_start(&waiter, wait_never, NULL, NULL);
	blocked_wait(&waiter);
	for (int i = 0; i < 3; i++) {
		one(by_fork, "fork");
		one(by_Fork, "_Fork");
		one(by_syscall, "clone");
	}
	nested();
	crowd_of(1, fork_in_thread, &status);
	is_int(status, 6, "fork in a thread: the child works");
	in_handler_over_wait(by_fork, "fork");
	in_handler_over_wait(by_Fork, "_Fork");
	set(&over, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	in_handler_over_hot_loop(times);
	ok(blocked_wait(&waiter), "the one that waits still does");
	sem_post(&never);
	is_int(blocked_join(&waiter), 0, "it is woken");
	ok(works(), "in the end it works");
	return tap_end();
}
