/* SPDX-License-Identifier: MIT */
/*
 * Handlers over handlers: each waits for a semaphore of its own while the call
 * below it is blocked; they end from the top. And threads that end in one.
 */
#include <limits.h>

#include "run.h"

static sem_t bottom, first, second;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint32_t word;
static long in_first, in_second, cleaned;
static _Thread_local int results[2];

static void wait_first(int sig)
{
	(void)sig;
	set(&in_first, 1);
	results[0] = sem_wait(&first) ? errno : 0;
}

static void wait_second(int sig)
{
	(void)sig;
	set(&in_second, 1);
	pthread_mutex_lock(&mutex);
	results[1] = sem_wait(&second) ? errno : 0;
	pthread_mutex_unlock(&mutex);
}

/* All three results in one number. */
static long wait_bottom(void *arg)
{
	int result = sem_wait(&bottom) ? errno : 0;

	(void)arg;
	return result * 10000 + results[0] * 100 + results[1];
}

static long wait_word(void *arg)
{
	long result = -raw_futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);

	(void)arg;
	return result * 10000 + results[0] * 100 + results[1];
}

static void three(long (*call)(void *), int flags, const char *name)
{
	struct blocked b;

	sem_init(&bottom, 0, 0);
	sem_init(&first, 0, 0);
	sem_init(&second, 0, 0);
	in_first = in_second = 0;
	handle(SIGUSR1, flags, wait_first);
	handle(SIGUSR2, flags, wait_second);
	blocked_start(&b, call, NULL, NULL);
	blocked_wait(&b);
	pthread_kill(b.thread, SIGUSR1);
	until(&in_first, 1);
	until_asleep(b.tid);
	pthread_kill(b.thread, SIGUSR2);
	until(&in_second, 1);
	until_asleep(b.tid);
	is_int(raw_futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 0,
	       "%s: nobody waits for the word", name);
	sem_post(&second);
	if (flags)
		until_asleep(b.tid);
	sem_post(&first);
	if (flags) {
		until_asleep(b.tid);
		sem_post(&bottom);
		while (!blocked_ended(&b) && call == wait_word)
			raw_futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	ok(1, "%s: bottom, first, second: %06ld", name, blocked_join(&b));
	is_int(raw_futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 0,
	       "%s: nobody is left", name);
}

/* ---- the thread ends in its handler -------------------------------------------- */

static void clean(void *arg)
{
	add(arg);
}

static void ends(int sig)
{
	(void)sig;
	pthread_exit((void *)7);
}

static long cleaned_wait(void *arg)
{
	long (*call)(void *) = wait_bottom;

	if (arg)
		call = wait_word;
	pthread_cleanup_push(clean, &cleaned);
	call(NULL);
	pthread_cleanup_pop(0);
	return 0;
}

static void exits(void *arg, const char *name)
{
	struct blocked b;
	void *result = NULL;

	cleaned = 0;
	sem_init(&bottom, 0, 0);
	handle(SIGUSR1, SA_RESTART, ends);
	blocked_start(&b, cleaned_wait, arg, NULL);
	blocked_wait(&b);
	pthread_kill(b.thread, SIGUSR1);
	pthread_join(b.thread, &result);
	is_int((long)result, 7, "%s: pthread_exit in a handler", name);
	is_int(cleaned, 1, "%s: cleans up", name);
	is_int(raw_futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 0,
	       "%s: nobody is left", name);
}

int main(void)
{
	three(wait_bottom, 0, "sem_wait");
	three(wait_bottom, SA_RESTART, "sem_wait, restart");
	three(wait_word, 0, "futex");
	three(wait_word, SA_RESTART, "futex, restart");
	exits(NULL, "sem_wait");
	exits(&word, "futex");
	return tap_end();
}
