/* SPDX-License-Identifier: MIT */
/*
 * glibc's own locks and nothing else.
 *
 * usage: hammer mutex THREADS MILLIONS     so many locks of one mutex in all
 *        hammer cond 2 THOUSANDS           so many hand-offs, a CPU for each thread
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned[2] = { PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER };
static long count, each;
static int turn;

static void *lock(void *unused)
{
	for (long i = 0; i < each; i++) {
		pthread_mutex_lock(&mutex);
		count++;
		pthread_mutex_unlock(&mutex);
	}
	return unused;
}

static void own_cpu(int which)
{
	cpu_set_t all, one;
	int cpu = -1;

	sched_getaffinity(0, sizeof(all), &all);
	for (int n = 0; n <= which; n++)
		do
			cpu++;
		while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, &all));
	CPU_ZERO(&one);
	if (cpu < CPU_SETSIZE) /* else they share one */
		CPU_SET(cpu, &one);
	pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

static void *hand_off(void *number)
{
	int me = *(int *)number;

	own_cpu(me);
	pthread_mutex_lock(&mutex);
	for (long i = 0; i < each; i++) {
		while (turn != me)
			pthread_cond_wait(&turned[me], &mutex);
		count++;
		turn = !me;
		pthread_cond_signal(&turned[!me]);
	}
	pthread_mutex_unlock(&mutex);
	return NULL;
}

int main(int argc, char **argv)
{
	int n = argc == 4 ? atoi(argv[2]) : 0, cond, numbers[64];
	pthread_t threads[64];

	cond = n && !strcmp(argv[1], "cond");
	if (n < 1 || n > 64 || (cond && n != 2)) {
		fprintf(stderr, "usage: hammer mutex|cond THREADS MILLIONS|THOUSANDS\n");
		return 2;
	}
	each = atol(argv[3]) * (cond ? 1000 : 1000000) / n;
	for (int i = 0; i < n; i++) {
		numbers[i] = i;
		if (pthread_create(&threads[i], NULL, cond ? hand_off : lock, &numbers[i]))
			return 1;
	}
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	printf("%ld\n", count);
	return 0;
}
