/* SPDX-License-Identifier: MIT */
/*
 * pthread_cancel of threads that are blocked, deferred and asynchronous: they
 * end, their cleanup handlers run, and what they waited on works afterwards.
 */
#include "run.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem, done;
static pthread_t partner; /* joined by the one that is cancelled */
static long cleaned;
static int type;
static bool with_limit;

static void unlock(void *arg)
{
	cleaned++;
	pthread_mutex_unlock(arg);
}

static void count(void *arg)
{
	++*(long *)arg;
}

static void in_cond_wait(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 20000);

	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(unlock, &mutex);
	for (;;)
		if (with_limit)
			pthread_cond_timedwait(&cond, &mutex, &t);
		else
			pthread_cond_wait(&cond, &mutex);
	pthread_cleanup_pop(1);
}

static void in_sem_wait(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 20000);

	pthread_cleanup_push(count, &cleaned);
	if (with_limit)
		sem_timedwait(&sem, &t);
	else
		sem_wait(&sem);
	pthread_cleanup_pop(0);
}

static void in_join(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 20000);

	pthread_cleanup_push(count, &cleaned);
	if (with_limit)
		pthread_timedjoin_np(partner, NULL, &t);
	else
		pthread_join(partner, NULL);
	pthread_cleanup_pop(0);
}

static long cancelled(void *arg)
{
	void (*body)(void);

	memcpy(&body, arg, sizeof(body));
	pthread_setcanceltype(type, NULL);
	body();
	return 0;
}

static void *until_posted(void *arg)
{
	while (sem_wait(arg))
		;
	return NULL;
}

/* The result of a cancelled thread is not that of its call. */
static void cancel_in(void (*body)(void), const char *name)
{
	const char *how = type == PTHREAD_CANCEL_DEFERRED ? "deferred"
							  : "asynchronous";
	const char *limit = with_limit ? ", with a limit" : "";
	void *result = NULL;
	struct blocked b;

	cleaned = 0;
	blocked_start(&b, cancelled, &body, NULL);
	ok(blocked_wait(&b), "%s, %s%s: blocks", name, how, limit);
	pthread_cancel(b.thread);
	pthread_join(b.thread, &result);
	ok(result == PTHREAD_CANCELED, "%s, %s%s: is cancelled", name, how, limit);
	is_int(cleaned, 1, "%s, %s%s: cleans up", name, how, limit);
}

static long take(void *arg)
{
	(void)arg;
	return sem_wait(&sem);
}

static long wait_turn(void *arg)
{
	long *turn = arg;

	pthread_mutex_lock(&mutex);
	while (!*turn)
		pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
	return 0;
}

/* One post or signal reaches the one who waits: nobody dead takes it. */
static void all_works(void)
{
	struct blocked b;
	long turn = 0;

	blocked_start(&b, take, NULL, NULL);
	blocked_wait(&b);
	sem_post(&sem);
	is_int(blocked_join(&b), 0, "the semaphore works");
	blocked_start(&b, wait_turn, &turn, NULL);
	blocked_wait(&b);
	is_int(pthread_mutex_lock(&mutex), 0, "the mutex is free");
	turn = 1;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&mutex);
	is_int(blocked_join(&b), 0, "the condition variable works");
}

int main(void)
{
	sem_init(&sem, 0, 0);
	sem_init(&done, 0, 0);
	partner = start(until_posted, &done);
	for (int i = 0; i < 4; i++) {
		type = i & 1 ? PTHREAD_CANCEL_ASYNCHRONOUS
			     : PTHREAD_CANCEL_DEFERRED;
		with_limit = i & 2;
		cancel_in(in_cond_wait, "cond");
		cancel_in(in_sem_wait, "sem");
		cancel_in(in_join, "join");
		all_works();
	}
	sem_post(&done);
	is_int(pthread_join(partner, NULL), 0, "the one that was joined ends");
	return tap_end();
}
