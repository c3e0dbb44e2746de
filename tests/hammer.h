/* SPDX-License-Identifier: MIT */
/*
 * Threads that make the same step over and over until they are told to stop,
 * and loops that are bounded in time.
 */
#ifndef TESTS_HAMMER_H
#define TESTS_HAMMER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "tap.h"

#define HAMMERS_MAX 32

/* Milliseconds of the monotonic clock. */
static inline int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)1000 + now.tv_nsec / 1000000;
}

/* One thread; @arg is the crew's, the rest its own. */
struct hammer {
	pthread_t thread;
	void (*step)(struct hammer *h);
	void *arg;
	int number;
	int stop;
	uint64_t rounds; /* steps made */
	uint64_t random; /* of hammer_random */
};

struct crew {
	int n;
	struct hammer h[HAMMERS_MAX];
};

/* A number below @n; each thread has its own sequence. */
static inline uint32_t hammer_random(struct hammer *h, uint32_t n)
{
	h->random = h->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(h->random >> 33) % n;
}

static inline void *hammer_run(void *arg)
{
	struct hammer *h = (struct hammer *)arg;

	while (!__atomic_load_n(&h->stop, __ATOMIC_RELAXED)) {
		h->step(h);
		__atomic_store_n(&h->rounds, h->rounds + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Adds a thread to @c, which was all zero at first. */
static inline struct hammer *crew_add(struct crew *c,
				      void (*step)(struct hammer *), void *arg)
{
	struct hammer *h = &c->h[c->n];
	int error;

	h->step = step;
	h->arg = arg;
	h->number = c->n++;
	h->random = (uint64_t)h->number * 0x9e3779b97f4a7c15u + 1;
	error = pthread_create(&h->thread, NULL, hammer_run, h);
	if (error)
		bail("pthread_create: %s", strerror(error));
	return h;
}

static inline void crew_tell(struct crew *c)
{
	int i;

	for (i = 0; i < c->n; i++)
		__atomic_store_n(&c->h[i].stop, 1, __ATOMIC_RELAXED);
}

/* Waits for the threads, told to stop; returns all their steps. */
static inline uint64_t crew_join(struct crew *c)
{
	uint64_t rounds = 0;
	int i;

	for (i = 0; i < c->n; i++) {
		pthread_join(c->h[i].thread, NULL);
		rounds += c->h[i].rounds;
	}
	c->n = 0;
	return rounds;
}

static inline uint64_t crew_stop(struct crew *c)
{
	crew_tell(c);
	return crew_join(c);
}

/* Waits until @word is @value or more; it only grows. */
static inline void wait_until(const int *word, int value)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) < value)
		sched_yield();
}

/* Stays on the @n-th of the CPUs that we may use, or on the last before it. */
static inline void use_cpu(int n)
{
	cpu_set_t all, one;
	size_t cpu;

	CPU_ZERO(&one);
	if (sched_getaffinity(0, sizeof(all), &all))
		return;
	for (cpu = 0; cpu < CPU_SETSIZE && n >= 0; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		n--;
	}
	sched_setaffinity(0, sizeof(one), &one);
}

/* Has SIGUSR1 come to the process, for @handler, each @ns nanoseconds. */
static inline timer_t signal_each(long ns, void (*handler)(int))
{
	struct itimerspec each = { { 0, ns }, { 0, ns } };
	struct sigaction action;
	struct sigevent event;
	timer_t timer;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	action.sa_flags = SA_RESTART;
	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = SIGUSR1;
	sigaction(SIGUSR1, &action, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) ||
	    timer_settime(timer, 0, &each, NULL))
		bail("no timer: %s", strerror(errno));
	return timer;
}

static inline void nap_us(long us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&t, NULL);
}

#endif
