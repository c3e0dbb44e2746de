/* SPDX-License-Identifier: MIT */
/* Threads that wait in each way, for a debugger; says so, and goes on. */
#include "run.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static long go;

__attribute__((noinline)) long waits_for_cond(void *arg)
{
	pthread_mutex_lock(&mutex);
	while (!go)
		pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
	return arg != NULL;
}

__attribute__((noinline)) long waits_for_sem(void *arg)
{
	return sem_wait(&sem) + (arg != NULL);
}

__attribute__((noinline)) long waits_for_mutex(void *arg)
{
	pthread_mutex_lock(arg);
	pthread_mutex_unlock(arg);
	return 0;
}

/* The debugger stops here. */
__attribute__((noinline)) void all_wait(void)
{
	__asm__ volatile("" ::: "memory");
}

int main(void)
{
	static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
	struct blocked b[3];

	sem_init(&sem, 0, 0);
	pthread_mutex_lock(&held);
	blocked_start(&b[0], waits_for_cond, NULL, NULL);
	blocked_start(&b[1], waits_for_sem, NULL, NULL);
	blocked_start(&b[2], waits_for_mutex, &held, NULL);
	for (int i = 0; i < 3; i++)
		blocked_wait(&b[i]);
	all_wait();
	pthread_mutex_lock(&mutex);
	go = 1;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&mutex);
	sem_post(&sem);
	pthread_mutex_unlock(&held);
	for (int i = 0; i < 3; i++)
		is_int(blocked_join(&b[i]), 0, "wait %d ends", i);
	return tap_end();
}
