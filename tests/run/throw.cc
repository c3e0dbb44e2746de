// SPDX-License-Identifier: MIT
/*
 * An exception thrown out of a handler (-fnon-call-exceptions), over a wait
 * that is blocked and over its caller in the C library.
 */
#include <limits.h>

#include <stdexcept>

#include "run.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t sem;
static uint32_t word;

/* The C library's declaration promises that nothing is thrown: not to us. */
static int (*volatile lock)(pthread_mutex_t *) = pthread_mutex_lock;

static void thrower(int sig)
{
	throw std::runtime_error(sig == SIGUSR1 ? "USR1" : "other");
}

static long destroyed;

struct Counted {
	~Counted()
	{
		add(&destroyed);
	}
};

static long in_futex(void *)
{
	return raw_futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static long in_sem(void *)
{
	return sem_wait(&sem);
}

static long in_mutex(void *)
{
	return lock(&mutex);
}

static long (*volatile body)(void *);

static long guarded(void *arg)
{
	try {
		Counted counted;
		return body(arg);
	} catch (const std::runtime_error &error) {
		return 1000 + (long)strlen(error.what());
	}
}

static void thrown_over(long (*call)(void *), const char *name)
{
	struct blocked b;

	destroyed = 0;
	body = call;
	blocked_start(&b, guarded, nullptr, nullptr);
	ok(blocked_wait(&b), "%s: blocks", name);
	pthread_kill(b.thread, SIGUSR1);
	is_int(blocked_join(&b), 1004, "%s: the exception is caught", name);
	is_int(destroyed, 1, "%s: a destructor has run", name);
}

static long take(void *)
{
	return sem_wait(&sem);
}

static long take_mutex(void *)
{
	pthread_mutex_lock(&mutex);
	return pthread_mutex_unlock(&mutex);
}

static void all_works()
{
	struct blocked b;

	is_int(raw_futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 0,
	       "nobody waits for the word");
	blocked_start(&b, take, nullptr, nullptr);
	blocked_wait(&b);
	sem_post(&sem);
	is_int(blocked_join(&b), 0, "the semaphore works");
	blocked_start(&b, take_mutex, nullptr, nullptr);
	ok(blocked_wait(&b), "the mutex is held");
	pthread_mutex_unlock(&mutex);
	is_int(blocked_join(&b), 0, "the mutex works");
}

int main()
{
	sem_init(&sem, 0, 0);
	pthread_mutex_lock(&mutex);
	handle(SIGUSR1, 0, thrower);
	for (int i = 0; i < 3; i++) {
		thrown_over(in_futex, "futex");
		thrown_over(in_sem, "sem_wait");
		thrown_over(in_mutex, "mutex_lock");
		/* __cxa_throw left the signal blocked in that thread alone. */
	}
	all_works();
	return tap_end();
}
