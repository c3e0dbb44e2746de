/* SPDX-License-Identifier: MIT */
/*
 * Ten thousand threads with stacks of 16 KiB wait for one condition; one
 * broadcast; all are joined. Before it, fewer that lock, wait and take turns.
 */
#include <limits.h>

#include "run.h"

#define MANY 10000
#define FEW 64
#define TURNS 100

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER, all_here = PTHREAD_COND_INITIALIZER;
static sem_t tokens;
static long waiting, expected, go, woken, turns;

static void *wait_for_go(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&mutex);
	if (++waiting == expected)
		pthread_cond_signal(&all_here);
	while (!go)
		pthread_cond_wait(&cond, &mutex);
	woken++;
	pthread_mutex_unlock(&mutex);
	return NULL;
}

/* A stack of the least size has no room for more than a few calls. */
static void *take_turns(void *arg)
{
	(void)arg;
	for (int i = 0; i < TURNS; i++) {
		struct timespec t = in_ms(CLOCK_REALTIME, 20000);

		while (i % 2 ? sem_wait(&tokens) : sem_timedwait(&tokens, &t))
			;
		pthread_mutex_lock(&mutex);
		turns++;
		pthread_mutex_unlock(&mutex);
		sem_post(&tokens);
	}
	return NULL;
}

static int create(pthread_t *threads, int n, size_t stack,
		  void *(*body)(void *))
{
	pthread_attr_t attr;
	int made = 0;

	pthread_attr_init(&attr);
	if (pthread_attr_setstacksize(&attr, stack))
		bail("no stacks of %zu bytes", stack);
	pthread_attr_setguardsize(&attr, 4096);
	for (int i = 0; i < n; i++)
		made += !pthread_create(&threads[i], &attr, body, NULL);
	return made;
}

static void small_ones(void)
{
	pthread_t threads[FEW];
	long least = sysconf(_SC_THREAD_STACK_MIN);
	int n;

	sem_init(&tokens, 0, 3);
	n = create(threads, FEW, (size_t)least, take_turns);
	if (!is_int(n, FEW, "threads with the least stack"))
		return;
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	is_int(turns, FEW * TURNS, "all had their turns");
}

static void many(void)
{
	static pthread_t threads[MANY];
	int n;

	expected = MANY;
	n = create(threads, MANY, 16384, wait_for_go);
	if (!is_int(n, MANY, "%d threads with 16 KiB", MANY))
		return;
	pthread_mutex_lock(&mutex);
	while (waiting < expected)
		pthread_cond_wait(&all_here, &mutex);
	go = 1;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	is_int(woken, MANY, "all were woken");
}

int main(void)
{
	small_ones();
	many();
	return tap_end();
}
