/* SPDX-License-Identifier: MIT */
/*
 * Threads that wait on words, again and again. That they sleep is proven by
 * what the kernel says of them, never assumed after a while.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

#define STACK (64 * 1024)
#define SETTLE_NS 10000000000ull

struct sleeper {
	struct bench_sleepers *pool;
	_Atomic uint32_t *word;
	_Atomic uint64_t seen; /* what it last waited with; with SEEN set */
	_Atomic pid_t tid;
	pthread_t thread;
} __attribute__((aligned(BENCH_CACHE_LINE)));

#define SEEN (1ull << 32)

struct word {
	_Atomic uint32_t value;
} __attribute__((aligned(BENCH_CACHE_LINE)));

struct bench_sleepers {
	struct bench_side side;
	unsigned int n, nwords;
	int cpu;
	atomic_bool stop;
	struct word *words;
	struct sleeper *sleepers;
};

static void *sleep_main(void *arg)
{
	struct sleeper *s = arg;
	struct bench_sleepers *pool = s->pool;
	uint32_t val;

	if (pool->cpu >= 0)
		bench_pin(pool->cpu);
	atomic_store(&s->tid, gettid());
	while (!atomic_load(&pool->stop)) {
		val = atomic_load(s->word);
		atomic_store(&s->seen, val | SEEN);
		pool->side.wait(pool->side.ctx, (uint32_t *)s->word, val);
	}
	return NULL;
}

static void sleepers_free(struct bench_sleepers *pool)
{
	free(pool->words);
	free(pool->sleepers);
	free(pool);
}

static struct bench_sleepers *sleepers_new(unsigned int n, unsigned int nwords)
{
	struct bench_sleepers *pool = calloc(1, sizeof(*pool));
	size_t i;

	if (!pool)
		return NULL;
	pool->words = aligned_alloc(BENCH_CACHE_LINE,
				    nwords * sizeof(*pool->words));
	pool->sleepers = aligned_alloc(BENCH_CACHE_LINE,
				       n * sizeof(*pool->sleepers));
	if (!pool->words || !pool->sleepers) {
		sleepers_free(pool);
		return NULL;
	}
	for (i = 0; i < nwords; i++)
		atomic_init(&pool->words[i].value, 0);
	pool->nwords = nwords;
	return pool;
}

static int start_one(struct bench_sleepers *pool, const pthread_attr_t *attr)
{
	struct sleeper *s = &pool->sleepers[pool->n];
	int err;

	s->pool = pool;
	s->word = &pool->words[pool->n % pool->nwords].value;
	atomic_init(&s->seen, 0);
	atomic_init(&s->tid, 0);
	err = pthread_create(&s->thread, attr, sleep_main, s);
	if (!err)
		pool->n++;
	return err;
}

struct bench_sleepers *bench_sleepers_start(const struct bench_side *side,
					    unsigned int n, bool one_word,
					    int cpu)
{
	struct bench_sleepers *pool = sleepers_new(n, one_word ? 1 : n);
	pthread_attr_t attr;
	int err = 0;

	if (!pool)
		return NULL;
	pool->side = *side;
	pool->cpu = cpu;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	while (pool->n < n && !err)
		err = start_one(pool, &attr);
	pthread_attr_destroy(&attr);
	if (!err)
		return pool;
	bench_sleepers_stop(pool, NULL);
	return NULL;
}

uint32_t *bench_sleepers_word(struct bench_sleepers *pool, unsigned int i)
{
	return (uint32_t *)&pool->words[i % pool->nwords].value;
}

/* The number of the system call that @tid sleeps in; -1 if it runs. */
static long sleeping_in(pid_t tid)
{
	char buf[64];
	ssize_t len;
	int fd;

	snprintf(buf, sizeof(buf), "/proc/self/task/%d/syscall", (int)tid);
	fd = open(buf, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (len <= 0)
		return -1;
	buf[len] = 0;
	return buf[0] >= '0' && buf[0] <= '9' ? strtol(buf, NULL, 10) : -1;
}

static bool asleep(struct sleeper *s)
{
	long nr;

	if (atomic_load(&s->seen) != (atomic_load(s->word) | SEEN))
		return false;
	nr = sleeping_in(atomic_load(&s->tid));
	return nr == SYS_futex || nr == SYS_futex_waitv;
}

int bench_sleepers_settle(struct bench_sleepers *pool)
{
	uint64_t end = bench_now() + SETTLE_NS;
	unsigned int i;

	for (i = 0; i < pool->n; i++) {
		while (!asleep(&pool->sleepers[i])) {
			if (bench_now() > end)
				return -ETIMEDOUT;
			sched_yield();
		}
	}
	return 0;
}

void bench_sleepers_advance(struct bench_sleepers *pool)
{
	unsigned int i;

	for (i = 0; i < pool->nwords; i++)
		atomic_fetch_add(&pool->words[i].value, 1);
}

void bench_sleepers_stop(struct bench_sleepers *pool, uint32_t *elsewhere)
{
	const struct bench_side *side;
	unsigned int i;

	if (!pool)
		return;
	side = &pool->side;
	atomic_store(&pool->stop, true);
	bench_sleepers_advance(pool);
	for (i = 0; i < pool->nwords; i++)
		side->wake(side->ctx, bench_sleepers_word(pool, i), INT_MAX);
	if (elsewhere)
		side->wake(side->ctx, elsewhere, INT_MAX);
	for (i = 0; i < pool->n; i++)
		pthread_join(pool->sleepers[i].thread, NULL);
	sleepers_free(pool);
}
