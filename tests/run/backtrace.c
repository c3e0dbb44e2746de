/* SPDX-License-Identifier: MIT */
/*
 * Stacks of threads over contended locks, taken by a handler at moments that
 * nobody chose: each reaches the function that the thread began with. And of
 * one that is blocked, which is asleep in the C library's call.
 */
#include <execinfo.h>

#include "run.h"

#define WORKERS 3
#define DEPTH 64

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t sem;
static uint32_t word;
static long over, taken, complete, counter;

__attribute__((noinline)) static long bottom(void *arg);

static bool within(void *address, long (*function)(void *), size_t size)
{
	return (char *)address >= (char *)function &&
	       (char *)address < (char *)function + size;
}

static void take(int sig)
{
	void *frames[DEPTH];
	int saved = errno, n = backtrace(frames, DEPTH);

	(void)sig;
	for (int i = 0; i < n; i++) {
		if (within(frames[i], bottom, 512)) {
			add(&complete);
			break;
		}
	}
	add(&taken);
	errno = saved;
}

/* Everything that enters the kernel or the engine. */
static long bottom(void *arg)
{
	struct timespec t = { .tv_nsec = 2000 };
	long result = 0;

	(void)arg;
	while (!get(&over)) {
		struct timespec limit = in_ms(CLOCK_REALTIME, 0);

		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
		raw_futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
		raw_futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
		sem_post(&sem);
		result += sem_trywait(&sem) + sem_timedwait(&sem, &limit);
	}
	return result + 1;
}

__attribute__((noinline)) static long blocked_bottom(void *arg)
{
	(void)arg;
	while (sem_wait(&sem))
		;
	return bottom(NULL);
}

static void signal_all(struct blocked *b, long times)
{
	for (long i = 0; i < times; i++) {
		long before = get(&taken);

		for (int k = 0; k < WORKERS; k++)
			pthread_kill(b[k].thread, SIGPROF);
		until(&taken, before + 1);
	}
}

/* The handler for a thread that is blocked: which functions are on its stack? */
static long names_seen;

static void take_names(int sig)
{
	void *frames[DEPTH];
	int n = backtrace(frames, DEPTH);

	(void)sig;
	for (int i = 0; i < n; i++)
		if (within(frames[i], blocked_bottom, 128))
			set(&names_seen, 1);
	add(&taken);
}

static void over_blocked(void)
{
	struct blocked b;

	sem_init(&sem, 0, 0);
	over = 1;
	taken = 0;
	handle(SIGPROF, SA_RESTART, take_names);
	blocked_start(&b, blocked_bottom, NULL, NULL);
	blocked_wait(&b);
	for (int i = 1; i <= 20; i++) {
		names_seen = 0;
		pthread_kill(b.thread, SIGPROF);
		until(&taken, i);
		if (!names_seen)
			break;
		until_asleep(b.tid);
	}
	is_int(names_seen, 1, "blocked: its caller is on the stack");
	sem_post(&sem);
	blocked_join(&b);
}

int main(int argc, char **argv)
{
	long times = rounds(argc, argv, 500, 20000);
	struct blocked b[WORKERS];
	void *first[4];

	backtrace(first, 4); /* loads what it needs */
	sem_init(&sem, 0, 0);
	handle(SIGPROF, SA_RESTART, take);
	for (int i = 0; i < WORKERS; i++)
		blocked_start(&b[i], bottom, NULL, NULL);
	signal_all(b, times);
	set(&over, 1);
	for (int i = 0; i < WORKERS; i++)
		blocked_join(&b[i]);
	note("%ld stacks, %ld complete", taken, complete);
	ok(taken >= times, "stacks were taken");
	/* Before its first and behind its last line a thread is not in bottom(). */
	ok(complete >= taken - 2 * WORKERS, "they reach the thread's function");
	over_blocked();
	return tap_end();
}
