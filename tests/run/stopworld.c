/* SPDX-License-Identifier: MIT */
/*
 * A collector stops all threads wherever they are: by a signal whose handler
 * has everything blocked, tells by sem_post that it is there, and suspends
 * until it is told to go on. Meanwhile the collector itself locks and waits.
 */
#include "run.h"

#define THREADS 8
#define LOCKS 64

static pthread_mutex_t locks[LOCKS];
static sem_t stopped, hand[THREADS];
static long counts[LOCKS], over, world_stopped, wrong;
static long turns[THREADS];
static volatile sig_atomic_t epoch;

static void suspend(int sig)
{
	int saved = errno, mine = epoch;
	sigset_t mask;

	(void)sig;
	sem_post(&stopped);
	sigfillset(&mask);
	sigdelset(&mask, SIGUSR2);
	while (epoch == mine)
		sigsuspend(&mask);
	sem_post(&stopped); /* that it goes on */
	errno = saved;
}

static void resume(int sig)
{
	(void)sig;
}

static void block_all(int sig, void (*handler)(int))
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	action.sa_flags = SA_RESTART;
	sigfillset(&action.sa_mask);
	sigaction(sig, &action, NULL);
}

/* Each has its own semaphore, so that the world can always go on. */
static void *hammer(void *arg)
{
	unsigned int me = (unsigned int)(uintptr_t)arg, random = me;

	while (!get(&over)) {
		struct timespec t = in_ms(CLOCK_REALTIME, 1);

		random = random * 1664525 + 1013904223;
		pthread_mutex_lock(&locks[random >> 26]);
		counts[random >> 26]++;
		pthread_mutex_unlock(&locks[random >> 26]);
		if (get(&world_stopped))
			add(&wrong);
		sem_post(&hand[(me + 1) % THREADS]);
		if (random & 1)
			sem_timedwait(&hand[me], &t);
		add(&turns[me]);
	}
	return NULL;
}

static void all_posts(int n)
{
	while (n)
		n -= !sem_wait(&stopped);
}

/*
 * While they stand: locks that nobody of them can hold, and semaphores of all
 * addresses nearby.
 */
static void collect(void)
{
	static pthread_mutex_t own[LOCKS];
	static sem_t sems[LOCKS];

	for (int i = 0; i < LOCKS; i++) {
		struct timespec t = in_ms(CLOCK_REALTIME, -1);

		pthread_mutex_lock(&own[i]);
		pthread_mutex_unlock(&own[i]);
		sem_post(&sems[i]);
		sem_wait(&sems[i]);
		sem_timedwait(&sems[i], &t);
	}
}

static void *waker(void *arg)
{
	sem_post(arg);
	return NULL;
}

/* A thread of the collector's, whom it waits for while the world stands. */
static void collect_in_parallel(void)
{
	static sem_t ready;
	pthread_t helper = start(waker, &ready);

	while (sem_wait(&ready))
		;
	pthread_join(helper, NULL);
}

static void stop_world(pthread_t *threads, bool parallel)
{
	for (int i = 0; i < THREADS; i++)
		pthread_kill(threads[i], SIGUSR1);
	all_posts(THREADS);
	set(&world_stopped, 1);
	collect();
	if (parallel)
		collect_in_parallel();
	set(&world_stopped, 0);
	epoch++;
	for (int i = 0; i < THREADS; i++)
		pthread_kill(threads[i], SIGUSR2);
	all_posts(THREADS);
}

/* All of them move between two collections. */
static void let_run(void)
{
	long before[THREADS];

	for (int i = 0; i < THREADS; i++)
		before[i] = get(&turns[i]);
	for (int i = 0; i < THREADS; i++)
		until(&turns[i], before[i] + 1);
}

int main(int argc, char **argv)
{
	long times = rounds(argc, argv, 60, 1500), sum = 0, all = 0;
	pthread_t threads[THREADS];

	block_all(SIGUSR1, suspend);
	block_all(SIGUSR2, resume);
	sem_init(&stopped, 0, 0);
	for (int i = 0; i < LOCKS; i++)
		pthread_mutex_init(&locks[i], NULL);
	for (int i = 0; i < THREADS; i++)
		sem_init(&hand[i], 0, 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		threads[i] = start(hammer, (void *)i);
	for (long i = 0; i < times; i++) {
		if (i % 8 == 0)
			let_run();
		stop_world(threads, i % 4 == 0);
	}
	set(&over, 1);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		all += turns[i];
	}
	for (int i = 0; i < LOCKS; i++)
		sum += counts[i];
	is_int(wrong, 0, "nobody runs while the world stands");
	is_int(sum, all, "the locks count right");
	ok(all >= THREADS * times / 8, "all threads run in between");
	return tap_end();
}
