/* SPDX-License-Identifier: MIT */
/* As many threads as asked for, on small stacks, in one condition variable. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { STACK = 16384 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t here = PTHREAD_COND_INITIALIZER;
static pthread_cond_t go = PTHREAD_COND_INITIALIZER;
static int arrived, going, woken, all;

static void *wait(void *unused)
{
	pthread_mutex_lock(&mutex);
	if (++arrived == all)
		pthread_cond_signal(&here);
	while (!going)
		pthread_cond_wait(&go, &mutex);
	woken++;
	pthread_mutex_unlock(&mutex);
	return unused;
}

static void start(pthread_t *threads)
{
	pthread_attr_t attr;
	int error = pthread_attr_init(&attr);

	if (!error)
		error = pthread_attr_setstacksize(&attr, STACK);
	for (int i = 0; i < all && !error; i++)
		error = pthread_create(&threads[i], &attr, wait, NULL);
	if (error) {
		fprintf(stderr, "no more threads: error %d\n", error);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	pthread_t *threads;

	all = argc > 1 ? atoi(argv[1]) : 10000;
	threads = calloc((size_t)all, sizeof(*threads));
	if (!threads)
		return 1;
	start(threads);
	pthread_mutex_lock(&mutex);
	while (arrived < all)
		pthread_cond_wait(&here, &mutex);
	going = 1;
	pthread_cond_broadcast(&go);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < all; i++)
		pthread_join(threads[i], NULL);
	printf("%d\n", woken);
	free(threads);
	return 0;
}
