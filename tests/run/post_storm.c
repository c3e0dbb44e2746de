/* SPDX-License-Identifier: MIT */
/*
 * sem_post in handlers, under a storm of signals from a timer and from
 * another thread, over threads that lock and wait all the time: each post is
 * taken once.
 */
#include "run.h"

#define WORKERS 3

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t sem;
static long posted, taken, locked, over;
static pid_t tids[WORKERS];
static long there;

static void post(int sig)
{
	int saved = errno;

	(void)sig;
	sem_post(&sem);
	add(&posted);
	errno = saved;
}

static void *work(void *arg)
{
	long turns = 0;

	(void)arg;
	tids[__atomic_fetch_add(&there, 1, __ATOMIC_SEQ_CST)] = own_tid();
	for (long i = 0; !get(&over); i++) {
		struct timespec t = in_ms(CLOCK_REALTIME, 1);

		pthread_mutex_lock(&mutex);
		locked++;
		pthread_mutex_unlock(&mutex);
		turns++;
		if (!(i % 2 ? sem_trywait(&sem) : sem_timedwait(&sem, &t)))
			add(&taken);
	}
	return (void *)turns;
}

static timer_t start_timer(int sig)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL };
	struct itimerspec often = { { .tv_nsec = 150000 }, { .tv_nsec = 150000 } };
	timer_t timer;

	event.sigev_signo = sig;
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) ||
	    timer_settime(timer, 0, &often, NULL))
		bail("a timer: %s", strerror(errno));
	return timer;
}

static void storm(long signals, int flags, const char *name)
{
	pthread_t threads[WORKERS];
	long turns = 0;
	timer_t timer;

	posted = taken = locked = over = there = 0;
	handle(SIGUSR1, flags, post);
	handle(SIGRTMIN, flags, post);
	for (int i = 0; i < WORKERS; i++)
		threads[i] = start(work, NULL);
	until(&there, WORKERS);
	timer = start_timer(SIGRTMIN);
	for (long i = 0; i < signals; i++) {
		syscall(SYS_tgkill, getpid(), tids[i % WORKERS], SIGUSR1);
		if (i % 8 == 0)
			sched_yield();
	}
	timer_delete(timer);
	set(&over, 1);
	for (int i = 0; i < WORKERS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		turns += (long)result;
	}
	while (!sem_trywait(&sem))
		taken++;
	is_int(taken, posted, "%s: each post is taken once", name);
	ok(posted > signals / 100, "%s: there were posts", name);
	is_int(locked, turns, "%s: the mutex counts right", name);
	note("%s: %ld posts", name, posted);
}

int main(int argc, char **argv)
{
	long signals = rounds(argc, argv, 20000, 500000);

	sem_init(&sem, 0, 0);
	storm(signals, 0, "no restart");
	storm(signals, SA_RESTART, "restart");
	storm(signals, SA_RESTART | SA_NODEFER, "restart, not deferred");
	return tap_end();
}
