/* SPDX-License-Identifier: MIT */
/*
 * Locks as glibc builds them, on the engine and in the kernel: a mutex that
 * all threads hammer, with nothing between lock and unlock, and a condition
 * variable by which two threads hand a turn to each other.
 */
#include <stdatomic.h>

#include "bench.h"

/* ---- mutex ------------------------------------------------------------ */

/* 0 free, 1 held, 2 held and perhaps waited for. */
struct mutex {
	const struct bench_side *side;
	_Atomic uint32_t word;
	uint64_t counted __attribute__((aligned(BENCH_CACHE_LINE)));
} __attribute__((aligned(BENCH_CACHE_LINE)));

static void lock(struct mutex *m)
{
	uint32_t found = 0;

	if (atomic_compare_exchange_strong(&m->word, &found, 1))
		return;
	if (found == 2)
		m->side->wait(m->side->ctx, (uint32_t *)&m->word, 2);
	while (atomic_exchange(&m->word, 2))
		m->side->wait(m->side->ctx, (uint32_t *)&m->word, 2);
}

static void unlock(struct mutex *m)
{
	if (atomic_exchange(&m->word, 0) == 2)
		m->side->wake(m->side->ctx, (uint32_t *)&m->word, 1);
}

static void hammer(struct bench_worker *worker, void *arg, uint64_t n)
{
	struct mutex *m = arg;

	(void)worker;
	while (n--) {
		lock(m);
		m->counted++;
		unlock(m);
	}
}

static int run_mutex(struct bench_run *run)
{
	static struct mutex mutexes[] = {
		{ .side = &bench_side_ufutex }, { .side = &bench_side_kernel }
	};

	run->ignore_delay = run->threads > bench_cpus();
	for (int i = 0; i < 2; i++)
		bench_add(run, &(struct bench_subject){
				       .name = mutexes[i].side->name,
				       .loop = hammer,
				       .arg = &mutexes[i] });
	return bench_measure(run);
}

const struct bench bench_mutex = {
	.name = "mutex",
	.what = "threads hammer a mutex made like glibc's",
	.operation = "lock, count, unlock; all threads on one mutex",
	.seconds = 3,
	.threads = 2,
	.takes_threads = true,
	.against = (const char *const[]){ "kernel", NULL },
	.run = run_mutex,
};

/* ---- cond ------------------------------------------------------------- */

/* A waiter takes a signal by itself; signals are given under the mutex. */
struct hand_over {
	struct mutex mutex;
	struct {
		_Atomic uint32_t signals;
	} __attribute__((aligned(BENCH_CACHE_LINE))) cond[2];
	uint32_t turn;
};

static void cond_wait(struct hand_over *h, uint32_t me)
{
	const struct bench_side *side = h->mutex.side;
	_Atomic uint32_t *signals = &h->cond[me].signals;
	uint32_t found;

	unlock(&h->mutex);
	for (;;) {
		found = atomic_load(signals);
		while (found)
			if (atomic_compare_exchange_weak(signals, &found, found - 1))
				goto signalled;
		side->wait(side->ctx, (uint32_t *)signals, 0);
	}
signalled:
	lock(&h->mutex);
}

static void cond_signal(struct hand_over *h, uint32_t whom)
{
	const struct bench_side *side = h->mutex.side;

	atomic_fetch_add(&h->cond[whom].signals, 1);
	side->wake(side->ctx, (uint32_t *)&h->cond[whom].signals, 1);
}

static void hand_over(struct bench_worker *worker, void *arg, uint64_t n)
{
	uint32_t me = worker->index, other = 1 - me;
	struct hand_over *h = arg;

	while (n--) {
		lock(&h->mutex);
		while (h->turn != me)
			cond_wait(h, me);
		h->turn = other;
		cond_signal(h, other);
		unlock(&h->mutex);
	}
}

#define CHUNK 8 /* round trips between two looks at the clock */

struct cond_case {
	struct hand_over h;
	uint64_t ns;
	struct bench_sample *sample;
	_Atomic bool over;
};

static void cond_body(struct bench_worker *worker, void *arg)
{
	struct cond_case *c = arg;
	uint64_t start = bench_now(), trips = 0, now;

	if (worker->index) {
		while (!atomic_load(&c->over))
			hand_over(worker, &c->h, 1);
		return;
	}
	do {
		hand_over(worker, &c->h, CHUNK);
		trips += CHUNK;
		now = bench_now();
	} while (now - start < c->ns);
	atomic_store(&c->over, true);
	hand_over(worker, &c->h, 1); /* the other may wait for a last turn */
	c->sample->ns = (double)(now - start) / trips;
	c->sample->ops = 1e9 / c->sample->ns;
}

static int cond_round(void *arg, uint64_t ns, struct bench_sample *sample)
{
	struct cond_case *c = arg;

	c->ns = ns;
	c->sample = sample;
	c->h.turn = 0;
	atomic_store(&c->over, false);
	atomic_store(&c->h.cond[0].signals, 0);
	atomic_store(&c->h.cond[1].signals, 0);
	bench_workers_begin(2, cond_body, c);
	bench_workers_end();
	return 0;
}

static int run_cond(struct bench_run *run)
{
	static struct cond_case cases[] = {
		{ .h.mutex.side = &bench_side_ufutex },
		{ .h.mutex.side = &bench_side_kernel }
	};

	for (int i = 0; i < 2; i++)
		bench_add(run, &(struct bench_subject){
				       .name = cases[i].h.mutex.side->name,
				       .round = cond_round,
				       .missing = bench_cpus() < 2 ?
							  "there is only one CPU" :
							  NULL,
				       .arg = &cases[i] });
	return bench_measure(run);
}

const struct bench bench_cond = {
	.name = "cond",
	.what = "two threads hand a turn over by a condition variable, on two CPUs",
	.operation = "there and back",
	.seconds = 3,
	.threads = 2,
	.against = (const char *const[]){ "kernel", NULL },
	.run = run_cond,
};
