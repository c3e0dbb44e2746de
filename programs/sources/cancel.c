/* SPDX-License-Identifier: MIT */
/* Cancels a thread that waits on a condition variable. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int go;

static void cleanup(void *unused)
{
	(void)unused;
	pthread_mutex_unlock(&mutex);
	puts("cleanup");
}

static void *wait(void *unused)
{
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(cleanup, unused);
	while (!go)
		pthread_cond_wait(&cond, &mutex);
	pthread_cleanup_pop(1);
	return NULL;
}

int main(void)
{
	pthread_t thread;
	void *result;

	pthread_create(&thread, NULL, wait, NULL);
	usleep(100000); /* likely it waits by now; it need not */
	pthread_cancel(thread);
	pthread_join(thread, &result);
	printf("canceled=%d\n", result == PTHREAD_CANCELED);
	return 0;
}
