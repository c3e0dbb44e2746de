/* SPDX-License-Identifier: MIT */
/*
 * Threads that run the rounds, each on a CPU of its own as far as there are
 * enough. They block between rounds and begin a round together.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

static struct {
	pthread_mutex_t lock;
	pthread_cond_t begun, ended;
	pthread_t threads[BENCH_MAX_THREADS];
	struct bench_worker workers[BENCH_MAX_THREADS];
	unsigned int n;       /* threads that exist */
	unsigned int wanted;  /* that run this round */
	unsigned int running;
	uint64_t round;       /* its number */
	bool stop;
	void (*fn)(struct bench_worker *worker, void *arg);
	void *arg;
	_Atomic unsigned int arrived;
} team = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.begun = PTHREAD_COND_INITIALIZER,
	.ended = PTHREAD_COND_INITIALIZER,
};

static cpu_set_t allowed;
static unsigned int nallowed;

unsigned int bench_cpus(void)
{
	if (!nallowed) {
		if (sched_getaffinity(0, sizeof(allowed), &allowed))
			CPU_SET(0, &allowed);
		nallowed = CPU_COUNT(&allowed);
	}
	return nallowed;
}

void bench_pin(unsigned int index)
{
	unsigned int nth = index % bench_cpus();
	cpu_set_t one;
	int cpu;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && nth-- == 0)
			break;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

void bench_unpin(void)
{
	bench_cpus();
	sched_setaffinity(0, sizeof(allowed), &allowed);
}

/* All start within a cache miss of each other, not a wake-up. */
static void arrive(unsigned int wanted)
{
	unsigned int spins = 0;

	atomic_fetch_add(&team.arrived, 1);
	while (atomic_load(&team.arrived) < wanted)
		if (++spins > 1000)
			sched_yield();
}

static void *worker_main(void *arg)
{
	struct bench_worker *worker = arg;
	uint64_t seen = 0;

	worker->schedstat = bench_schedstat_open();
	pthread_mutex_lock(&team.lock);
	for (;;) {
		while (!team.stop && (team.round == seen ||
				      worker->index >= team.wanted))
			pthread_cond_wait(&team.begun, &team.lock);
		if (team.stop)
			break;
		seen = team.round;
		pthread_mutex_unlock(&team.lock);
		bench_pin(worker->index);
		arrive(team.wanted);
		team.fn(worker, team.arg);
		pthread_mutex_lock(&team.lock);
		if (--team.running == 0)
			pthread_cond_broadcast(&team.ended);
	}
	pthread_mutex_unlock(&team.lock);
	if (worker->schedstat >= 0)
		close(worker->schedstat);
	return NULL;
}

int bench_workers_start(unsigned int n)
{
	int err;

	bench_cpus(); /* while this thread is not pinned */
	while (team.n < n) {
		team.workers[team.n].index = team.n;
		err = pthread_create(&team.threads[team.n], NULL, worker_main,
				     &team.workers[team.n]);
		if (err)
			return -err;
		team.n++;
	}
	return 0;
}

void bench_workers_stop(void)
{
	unsigned int i;

	pthread_mutex_lock(&team.lock);
	team.stop = true;
	pthread_cond_broadcast(&team.begun);
	pthread_mutex_unlock(&team.lock);
	for (i = 0; i < team.n; i++)
		pthread_join(team.threads[i], NULL);
	team.n = 0;
	team.stop = false;
}

void bench_workers_begin(unsigned int n,
			 void (*fn)(struct bench_worker *worker, void *arg),
			 void *arg)
{
	pthread_mutex_lock(&team.lock);
	team.fn = fn;
	team.arg = arg;
	team.wanted = n;
	team.running = n;
	atomic_store(&team.arrived, 0);
	team.round++;
	pthread_cond_broadcast(&team.begun);
	pthread_mutex_unlock(&team.lock);
}

void bench_workers_begun(void)
{
	while (atomic_load(&team.arrived) < team.wanted)
		sched_yield();
}

void bench_workers_end(void)
{
	pthread_mutex_lock(&team.lock);
	while (team.running)
		pthread_cond_wait(&team.ended, &team.lock);
	pthread_mutex_unlock(&team.lock);
}
