/* SPDX-License-Identifier: MIT */
/* A small program to be started: says its argument, and that locks work. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long turn;

static void *other(void *arg)
{
	pthread_mutex_lock(&mutex);
	for (int i = 0; i < 100; i++) {
		while (turn % 2 == 0)
			pthread_cond_wait(&cond, &mutex);
		turn++;
		pthread_cond_signal(&cond);
	}
	pthread_mutex_unlock(&mutex);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	alarm(20);
	pthread_create(&thread, NULL, other, NULL);
	pthread_mutex_lock(&mutex);
	for (int i = 0; i < 100; i++) {
		turn++;
		pthread_cond_signal(&cond);
		while (turn % 2)
			pthread_cond_wait(&cond, &mutex);
	}
	pthread_mutex_unlock(&mutex);
	pthread_join(thread, NULL);
	printf("answer %s %ld\n", argc > 1 ? argv[1] : "", turn);
	return 3;
}
