/* SPDX-License-Identifier: MIT */
/* Every kind of mutex: four threads count under it; what each kind refuses. */
#include "run.h"

#define THREADS 4
#define TURNS 6000

static struct kind {
	const char *name;
	int type, protocol, robust, shared;
} kinds[] = {
	{ "normal", PTHREAD_MUTEX_NORMAL, 0, 0, 0 },
	{ "recursive", PTHREAD_MUTEX_RECURSIVE, 0, 0, 0 },
	{ "errorcheck", PTHREAD_MUTEX_ERRORCHECK, 0, 0, 0 },
	{ "adaptive", PTHREAD_MUTEX_ADAPTIVE_NP, 0, 0, 0 },
	{ "PI", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, 0, 0 },
	{ "robust", PTHREAD_MUTEX_NORMAL, 0, 1, 0 },
	{ "robust PI", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, 1, 0 },
	{ "pshared", PTHREAD_MUTEX_NORMAL, 0, 0, 1 },
	{ "pshared recursive", PTHREAD_MUTEX_RECURSIVE, 0, 0, 1 },
	{ "pshared robust", PTHREAD_MUTEX_ERRORCHECK, 0, 1, 1 },
};

static pthread_mutex_t mutex;
static long counter, inside;

static void make(const struct kind *k)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, k->type);
	pthread_mutexattr_setprotocol(&attr, k->protocol);
	pthread_mutexattr_setrobust(&attr, k->robust);
	pthread_mutexattr_setpshared(&attr, k->shared);
	is_int(pthread_mutex_init(&mutex, &attr), 0, "%s: init", k->name);
}

/* Each fourth turn gives the processor away while it holds the mutex. */
static void *count_under(void *arg)
{
	for (long i = 0; i < TURNS; i++) {
		if (i % 3 || pthread_mutex_trylock(&mutex))
			pthread_mutex_lock(&mutex);
		if (inside++)
			set((long *)arg, 1);
		counter++;
		if (i % 1024 == 0)
			sched_yield();
		inside--;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static long lock(void *arg)
{
	long error = pthread_mutex_lock(arg);

	if (error == 0)
		pthread_mutex_unlock(arg);
	return error;
}

static long trylock(void *arg)
{
	return pthread_mutex_trylock(arg);
}

static long timed(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 20);

	return pthread_mutex_timedlock(arg, &t);
}

static long clocked(void *arg)
{
	struct timespec t = in_ms(CLOCK_MONOTONIC, 20);

	return pthread_mutex_clocklock(arg, CLOCK_MONOTONIC, &t);
}

static long long_timed(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 20000);
	long error = pthread_mutex_timedlock(arg, &t);

	if (error == 0)
		pthread_mutex_unlock(arg);
	return error;
}

static long in_thread(long (*call)(void *))
{
	struct blocked b;

	blocked_start(&b, call, &mutex, NULL);
	return blocked_join(&b);
}

static void held(const char *name, bool pi)
{
	struct blocked b[2];

	pthread_mutex_lock(&mutex);
	is_int(in_thread(trylock), EBUSY, "%s: trylock of a held one", name);
	is_int(in_thread(timed), ETIMEDOUT, "%s: timedlock", name);
	if (!pi) /* the kernel's PI operation knows one clock */
		is_int(in_thread(clocked), ETIMEDOUT, "%s: clocklock", name);
	blocked_start(&b[0], lock, &mutex, NULL);
	blocked_start(&b[1], long_timed, &mutex, NULL);
	ok(blocked_wait(&b[0]) && blocked_wait(&b[1]), "%s: two block", name);
	pthread_mutex_unlock(&mutex);
	is_int(blocked_join(&b[0]), 0, "%s: the lock comes", name);
	is_int(blocked_join(&b[1]), 0, "%s: the timed one, too", name);
}

static void own(const struct kind *k)
{
	if (k->type == PTHREAD_MUTEX_RECURSIVE) {
		pthread_mutex_lock(&mutex);
		is_int(pthread_mutex_lock(&mutex), 0, "%s: again", k->name);
		is_int(pthread_mutex_unlock(&mutex), 0, "%s: once", k->name);
		is_int(in_thread(trylock), EBUSY, "%s: still held", k->name);
		is_int(pthread_mutex_unlock(&mutex), 0, "%s: twice", k->name);
	}
	if (k->type == PTHREAD_MUTEX_ERRORCHECK) {
		is_int(pthread_mutex_unlock(&mutex), EPERM, "%s: not held",
		       k->name);
		pthread_mutex_lock(&mutex);
		is_int(pthread_mutex_lock(&mutex), EDEADLK, "%s: own", k->name);
		pthread_mutex_unlock(&mutex);
	}
}

static void *die_with(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}

static void died(const char *name)
{
	pthread_t thread = start(die_with, &mutex);

	pthread_join(thread, NULL);
	is_int(pthread_mutex_lock(&mutex), EOWNERDEAD, "%s: its owner died", name);
	is_int(pthread_mutex_consistent(&mutex), 0, "%s: mended", name);
	pthread_mutex_unlock(&mutex);
	is_int(pthread_mutex_lock(&mutex), 0, "%s: as before", name);
	pthread_mutex_unlock(&mutex);
}

/* A robust one of another process, which is killed while we wait. */
static void between_processes(void)
{
	pthread_mutex_t *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long *held_there = (long *)(m + 1);
	pthread_mutexattr_t attr;
	struct blocked b;
	pid_t child;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(m, &attr);
	child = tap_fork();
	if (child == 0) {
		pthread_mutex_lock(m);
		set(held_there, 1);
		for (;;)
			pause();
	}
	until(held_there, 1);
	blocked_start(&b, lock, m, NULL);
	ok(blocked_wait(&b), "another process holds it: we block");
	kill(child, SIGKILL);
	is_int(ending(child), -SIGKILL, "it is killed");
	is_int(blocked_join(&b), EOWNERDEAD, "we get it, with its owner dead");
	munmap(m, 4096);
}

int main(void)
{
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct kind *k = &kinds[i];
		long bad = 0;

		make(k);
		counter = 0;
		crowd_of(THREADS, count_under, &bad);
		is_int(counter, THREADS * TURNS, "%s: all were counted", k->name);
		is_int(bad, 0, "%s: one at a time", k->name);
		held(k->name, k->protocol == PTHREAD_PRIO_INHERIT);
		own(k);
		if (k->robust)
			died(k->name);
		is_int(pthread_mutex_destroy(&mutex), 0, "%s: destroy", k->name);
	}
	between_processes();
	return tap_end();
}
