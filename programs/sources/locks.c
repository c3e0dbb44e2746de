/* SPDX-License-Identifier: MIT */
/*
 * One of each of glibc's locks, by four threads: mutex, condition variable,
 * rwlock, semaphore, barrier; then a thread is cancelled in each that waits.
 */
#include <gnu/libc-version.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 20000, MEETINGS = 2000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t sem, never;
static long in_mutex, in_turn, in_rwlock, torn, in_sem, serials, met;

static void mutexes(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		in_mutex++;
		pthread_mutex_unlock(&mutex);
	}
}

/* Each thread in its turn. */
static void turns(long self)
{
	for (int i = 0; i < MEETINGS; i++) {
		pthread_mutex_lock(&mutex);
		while (in_turn % THREADS != self)
			pthread_cond_wait(&cond, &mutex);
		in_turn++;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&mutex);
	}
}

static void rwlocks(void)
{
	static volatile long left, right;

	for (int i = 0; i < ROUNDS; i++) {
		if (i % 8) {
			pthread_rwlock_rdlock(&rwlock);
			if (left != right)
				__atomic_fetch_add(&torn, 1, __ATOMIC_RELAXED);
		} else {
			pthread_rwlock_wrlock(&rwlock);
			left++;
			in_rwlock++;
			right++;
		}
		pthread_rwlock_unlock(&rwlock);
	}
}

static void sems(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		sem_wait(&sem);
		in_sem++;
		sem_post(&sem);
	}
}

static void barriers(void)
{
	for (int i = 0; i < MEETINGS; i++) {
		__atomic_fetch_add(&met, 1, __ATOMIC_RELAXED);
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			__atomic_fetch_add(&serials, 1, __ATOMIC_RELAXED);
	}
}

static void *work(void *self)
{
	mutexes();
	turns((long)self);
	rwlocks();
	sems();
	barriers();
	return NULL;
}

/* ---- cancelling ---------------------------------------------------------- */

static void unlock(void *held)
{
	pthread_mutex_unlock(held);
}

static void *wait_for_ever(void *kind)
{
	static pthread_cond_t nobody = PTHREAD_COND_INITIALIZER;

	if (!kind)
		for (;;)
			sem_wait(&never);
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(unlock, &mutex);
	for (;;)
		pthread_cond_wait(&nobody, &mutex);
	pthread_cleanup_pop(1);
	return NULL;
}

static int cancelled(void *kind)
{
	pthread_t thread;
	void *result;

	pthread_create(&thread, NULL, wait_for_ever, kind);
	usleep(50000); /* likely it waits by now; it need not */
	pthread_cancel(thread);
	pthread_join(thread, &result);
	return result == PTHREAD_CANCELED;
}

int main(void)
{
	pthread_t threads[THREADS];
	int gone;

	pthread_barrier_init(&barrier, NULL, THREADS);
	sem_init(&sem, 0, 1);
	sem_init(&never, 0, 0);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	gone = cancelled(NULL) + cancelled(&cond);
	pthread_mutex_lock(&mutex); /* the clean-up has unlocked it */
	printf("glibc %s: mutex %ld cond %ld rwlock %ld torn %ld sem %ld barrier %ld/%ld "
	       "cancelled %d\n", gnu_get_libc_version(), in_mutex, in_turn, in_rwlock,
	       torn, in_sem, met, serials, gone);
	return 0;
}
