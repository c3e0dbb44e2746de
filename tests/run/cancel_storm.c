/* SPDX-License-Identifier: MIT */
/*
 * Threads over a hot loop of semaphores and locks are cancelled at moments
 * that nobody chose, again and again; nothing may be left locked or queued.
 */
#include <limits.h>

#include "run.h"

#define THREADS 4

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t tokens;
static long held, busy, cleaned;
static uint32_t word;

static void unlock(void *arg)
{
	busy--;
	pthread_mutex_unlock(arg);
	add(&cleaned);
}

static void give_back(void *arg)
{
	__atomic_fetch_sub(&held, 1, __ATOMIC_SEQ_CST);
	sem_post(arg);
}

/*
 * Cancelled in sem_wait or in the wait for the condition, nowhere else: the
 * type is deferred. The token is given back by a cleanup handler.
 */
static void one_turn(unsigned int i)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 1);

	while (sem_wait(&tokens))
		;
	add(&held);
	pthread_cleanup_push(give_back, &tokens);
	pthread_mutex_lock(&mutex);
	busy++;
	pthread_cleanup_push(unlock, &mutex);
	if (i % 4 == 0)
		pthread_cond_timedwait(&cond, &mutex, &t);
	pthread_cleanup_pop(1);
	pthread_cond_signal(&cond);
	pthread_testcancel();
	pthread_cleanup_pop(1);
}

static void *hot_loop(void *arg)
{
	set(arg, 1);
	for (unsigned int i = 0;; i++)
		one_turn(i);
	return NULL;
}

/* At most @limit of one thread's loop, with a fate of its own each time. */
static void wait_a_little(uint32_t *random)
{
	*random = *random * 1664525 + 1013904223;
	for (uint32_t i = 0; i < *random >> 20; i++)
		__asm__ volatile("" ::: "memory");
	if (*random & (1u << 19))
		sched_yield();
}

/*
 * Asynchronous: the thread may be stopped anywhere, so that only what POSIX
 * allows is in the loop: nothing but computing, and a futex of its own, which
 * changes nothing when it is left.
 */
static void *asynchronous_loop(void *arg)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	set(arg, 1);
	for (;;) {
		struct timespec t = { .tv_nsec = 20000 };

		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
		raw_futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
		raw_futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
	}
	return NULL;
}

static long storm(long times, void *(*body)(void *))
{
	static long running[THREADS];
	pthread_t threads[THREADS];
	uint32_t random = 1;
	long cancelled = 0;

	for (int i = 0; i < THREADS; i++)
		threads[i] = start(body, &running[i]);
	for (long n = 0; n < times + THREADS; n++) {
		int i = (int)(n % THREADS);
		void *result;

		until(&running[i], 1);
		wait_a_little(&random);
		pthread_cancel(threads[i]);
		pthread_join(threads[i], &result);
		cancelled += result == PTHREAD_CANCELED;
		running[i] = 0;
		if (n < times)
			threads[i] = start(body, &running[i]);
	}
	return cancelled;
}

static void all_works(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 1);
	int value = -1;

	is_int(held, 0, "nobody has a token");
	is_int(busy, 0, "nobody is inside");
	sem_getvalue(&tokens, &value);
	is_int(value, 2, "all tokens are back");
	is_int(pthread_mutex_trylock(&mutex), 0, "the mutex is free");
	is_int(pthread_cond_timedwait(&cond, &mutex, &t), ETIMEDOUT,
	       "nobody signals");
	pthread_mutex_unlock(&mutex);
	is_int(pthread_cond_destroy(&cond), 0, "nobody waits");
}

int main(int argc, char **argv)
{
	long times = rounds(argc, argv, 2000, 10000);

	sem_init(&tokens, 0, 2);
	is_int(storm(times, hot_loop), times + THREADS, "deferred: all cancelled");
	all_works();
	is_int(storm(times, asynchronous_loop), times + THREADS,
	       "asynchronous: all cancelled");
	is_int(raw_futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 0,
	       "nobody is queued");
	note("%ld cleanups", cleaned);
	return tap_end();
}
