/* SPDX-License-Identifier: MIT */
/*
 * setuid and its family: the C library signals every thread, also those that
 * wait, lock, or call the same family just now.
 */
#include <grp.h>

#include "run.h"

#define LOCKERS 2
#define SETTERS 2

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t sem;
static long locked, over, go, failed, wrong, times;

static void *lock_always(void *arg)
{
	long turns = 0;

	(void)arg;
	while (!get(&over)) {
		pthread_mutex_lock(&mutex);
		locked++;
		pthread_mutex_unlock(&mutex);
		turns++;
	}
	return (void *)turns;
}

static long wait_sem(void *arg)
{
	(void)arg;
	return sem_wait(&sem) ? errno : 0;
}

static long wait_cond(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&mutex);
	while (!get(&go))
		pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
	return 0;
}

static void *set_always(void *arg)
{
	(void)arg;
	for (long i = 0; i < times; i++) {
		if (setresuid(-1, 0, -1) || setresgid(-1, 0, -1) ||
		    seteuid(0) || setegid(0))
			add(&failed);
		pthread_mutex_lock(&mutex);
		locked++;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

/* All threads have the same ids, after each change. */
static void *see_ids(void *arg)
{
	for (long i = 0; i < 2 * times; i++) {
		pthread_barrier_wait(&barrier);
		if (geteuid() != (i % 2 ? 0 : *(uid_t *)arg))
			add(&wrong);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void same_ids(uid_t other)
{
	pthread_t threads[2];

	pthread_barrier_init(&barrier, NULL, 3);
	for (int i = 0; i < 2; i++)
		threads[i] = start(see_ids, &other);
	for (long i = 0; i < 2 * times; i++) {
		if (seteuid(i % 2 ? 0 : other))
			add(&failed);
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	is_int(wrong, 0, "all threads change together");
}

int main(int argc, char **argv)
{
	pthread_t lockers[LOCKERS], setters[SETTERS];
	struct blocked waiters[2];
	long turns = 0;

	if (geteuid() || setegid(0)) {
		skip("not root", "setuid");
		return tap_end();
	}
	times = rounds(argc, argv, 100, 2000);
	sem_init(&sem, 0, 0);
	blocked_start(&waiters[0], wait_sem, NULL, NULL);
	blocked_start(&waiters[1], wait_cond, NULL, NULL);
	ok(blocked_wait(&waiters[0]) && blocked_wait(&waiters[1]), "two wait");
	for (int i = 0; i < LOCKERS; i++)
		lockers[i] = start(lock_always, NULL);
	for (int i = 0; i < SETTERS; i++)
		setters[i] = start(set_always, NULL);
	for (int i = 0; i < SETTERS; i++)
		pthread_join(setters[i], NULL);
	set(&over, 1);
	for (int i = 0; i < LOCKERS; i++) {
		void *result;

		pthread_join(lockers[i], &result);
		turns += (long)result;
	}
	is_int(locked, turns + SETTERS * times, "the mutex counts right");
	same_ids(12345);
	is_int(failed, 0, "every call succeeds");
	ok(blocked_wait(&waiters[0]) && blocked_wait(&waiters[1]),
	   "the two still wait");
	pthread_mutex_lock(&mutex);
	set(&go, 1);
	pthread_mutex_unlock(&mutex);
	pthread_cond_broadcast(&cond);
	sem_post(&sem);
	is_int(blocked_join(&waiters[0]), 0, "the semaphore was waited for");
	is_int(blocked_join(&waiters[1]), 0, "the condition, too");
	return tap_end();
}
