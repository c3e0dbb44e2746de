/* SPDX-License-Identifier: MIT */
/* Condition variables: signal, broadcast, both clocks, and C11's. */
#include <threads.h>

#include "run.h"

#define WAITERS 4
#define TURNS 3000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long tokens;

/* How a waiter waits: with a limit of 20 s by either clock, or without. */
static int wait_plain(void)
{
	return pthread_cond_wait(&cond, &mutex);
}

static int wait_timed(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 20000);

	return pthread_cond_timedwait(&cond, &mutex, &t);
}

static int wait_clock(void)
{
	struct timespec t = in_ms(CLOCK_MONOTONIC, 20000);

	return pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &t);
}

static int (*const waits[])(void) = { wait_plain, wait_timed, wait_clock };
static const char *const names[] = { "wait", "timedwait", "clockwait" };

static long take_token(void *arg)
{
	int (*wait)(void) = waits[(uintptr_t)arg];
	int error = 0;

	pthread_mutex_lock(&mutex);
	while (!tokens && !error)
		error = wait();
	tokens -= !error;
	pthread_mutex_unlock(&mutex);
	return error;
}

static void give(long n, int (*wake)(pthread_cond_t *))
{
	pthread_mutex_lock(&mutex);
	tokens += n;
	pthread_mutex_unlock(&mutex);
	wake(&cond);
}

static int joined(struct blocked *b)
{
	int good = 0;

	for (int i = 0; i < WAITERS; i++)
		good += blocked_join(&b[i]) == 0;
	return good;
}

static void one_kind(uintptr_t kind)
{
	struct blocked b[WAITERS];

	for (int i = 0; i < WAITERS; i++) {
		blocked_start(&b[i], take_token, (void *)kind, NULL);
		blocked_wait(&b[i]);
	}
	for (int i = 0; i < WAITERS; i++) {
		give(1, pthread_cond_signal);
		blocked_next(b, WAITERS);
	}
	is_int(joined(b), WAITERS, "%s: a signal each", names[kind]);
	for (int i = 0; i < WAITERS; i++) {
		blocked_start(&b[i], take_token, (void *)kind, NULL);
		blocked_wait(&b[i]);
	}
	give(WAITERS, pthread_cond_broadcast);
	is_int(joined(b), WAITERS, "%s: one broadcast", names[kind]);
	is_int(tokens, 0, "%s: nothing is left", names[kind]);
}

static void limits(void)
{
	struct timespec real = in_ms(CLOCK_REALTIME, 30);
	struct timespec mono = in_ms(CLOCK_MONOTONIC, 30);
	struct timespec past = in_ms(CLOCK_REALTIME, -5000);
	struct timespec bad = { .tv_nsec = 1000000000 };

	pthread_mutex_lock(&mutex);
	is_int(pthread_cond_timedwait(&cond, &mutex, &real), ETIMEDOUT,
	       "timedwait ends");
	is_int(pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &mono),
	       ETIMEDOUT, "clockwait ends");
	is_int(pthread_cond_timedwait(&cond, &mutex, &past), ETIMEDOUT,
	       "a limit in the past");
	is_int(pthread_cond_timedwait(&cond, &mutex, &bad), EINVAL,
	       "a limit that is none");
	real = in_ms(CLOCK_REALTIME, 0);
	mono = in_ms(CLOCK_MONOTONIC, 30);
	pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &mono);
	past = in_ms(CLOCK_MONOTONIC, 0);
	ok(past.tv_sec > mono.tv_sec ||
		   (past.tv_sec == mono.tv_sec && past.tv_nsec >= mono.tv_nsec),
	   "not before its time");
	pthread_mutex_unlock(&mutex);
}

static long turn;

/* Two threads take turns. */
static void *take_turns(void *arg)
{
	long mine = (long)(uintptr_t)arg;

	pthread_mutex_lock(&mutex);
	for (long i = 0; i < TURNS; i++) {
		while (turn % 2 != mine)
			pthread_cond_wait(&cond, &mutex);
		turn++;
		pthread_cond_signal(&cond);
	}
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static mtx_t plain;
static cnd_t changed;
static long queue, sum;
static once_flag flag = ONCE_FLAG_INIT;
static long inits;

static void init(void)
{
	inits++;
	mtx_init(&plain, mtx_timed);
	cnd_init(&changed);
}

static int take_all(void *arg)
{
	(void)arg;
	call_once(&flag, init);
	mtx_lock(&plain);
	for (int i = 0; i < TURNS; i++) {
		while (!queue)
			cnd_wait(&changed, &plain);
		sum += queue;
		queue = 0;
		cnd_broadcast(&changed);
	}
	mtx_unlock(&plain);
	return 7;
}

static int put_all(void *arg)
{
	(void)arg;
	call_once(&flag, init);
	mtx_lock(&plain);
	for (int i = 0; i < TURNS; i++) {
		struct timespec t = in_ms(CLOCK_REALTIME, 20000);

		while (queue)
			cnd_timedwait(&changed, &plain, &t);
		queue = i;
		if (!i)
			queue = 1;
		cnd_broadcast(&changed);
	}
	mtx_unlock(&plain);
	return 8;
}

static void c11(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 30);
	int first = 0, second = 0;
	thrd_t a, b;

	thrd_create(&a, take_all, NULL);
	thrd_create(&b, put_all, NULL);
	thrd_join(a, &first);
	thrd_join(b, &second);
	is_int(first * 10 + second, 78, "C11: threads");
	is_int(sum, (long)TURNS * (TURNS - 1) / 2 + 1, "C11: all was taken");
	is_int(inits, 1, "C11: once");
	mtx_lock(&plain);
	is_int(cnd_timedwait(&changed, &plain, &t), thrd_timedout,
	       "C11: a limit");
	mtx_unlock(&plain);
}

int main(void)
{
	pthread_t a, b;

	for (uintptr_t kind = 0; kind < 3; kind++)
		one_kind(kind);
	limits();
	a = start(take_turns, (void *)0);
	b = start(take_turns, (void *)1);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	is_int(turn, 2 * TURNS, "two threads take turns");
	c11();
	return tap_end();
}
