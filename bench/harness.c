/* SPDX-License-Identifier: MIT */
/* Turns and rounds: who is measured when, and how often again. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define ROUND_MAX_NS 30000000 /* longer ones are disturbed more often */
#define ROUND_MIN_NS 3000000
#define CHUNK_NS 50000        /* between two looks at the clock */
#define SYSCALLS 1000
#define DISTURBED 0.02
#define REPEATS 2             /* times the planned rounds, at most */

static bool wanted(const struct bench_run *run, const struct bench_subject *s)
{
	const char *against = run->options.against;

	return !against || s->always || !strcmp(s->name, "ufutex") ||
	       !strcmp(s->name, against);
}

struct bench_subject *bench_add(struct bench_run *run,
				const struct bench_subject *subject)
{
	struct bench_subject *s;

	if (!wanted(run, subject))
		return NULL;
	if (run->nsubjects == BENCH_MAX_SUBJECTS)
		abort();
	s = &run->subjects[run->nsubjects++];
	*s = *subject;
	if (!s->threads)
		s->threads = run->threads;
	return s;
}

/* ---- a round of loops ------------------------------------------------- */

struct loop_round {
	const struct bench_subject *subject;
	uint64_t ns;
	struct { /* one a thread, written at the end only */
		uint64_t ops, ns, delay;
		char pad[BENCH_CACHE_LINE - 24];
	} results[BENCH_MAX_THREADS];
};

static struct loop_round round_data;

static void loop_body(struct bench_worker *worker, void *arg)
{
	struct loop_round *r = arg;
	const struct bench_subject *s = r->subject;
	uint64_t delay, start, now, ops = 0;

	if (s->enter)
		s->enter(worker);
	delay = bench_schedstat_delay(worker->schedstat);
	start = bench_now();
	do {
		s->loop(worker, s->arg, s->chunk);
		ops += s->chunk;
		now = bench_now();
	} while (now - start < r->ns);
	r->results[worker->index].ops = ops;
	r->results[worker->index].ns = now - start;
	r->results[worker->index].delay =
		bench_schedstat_delay(worker->schedstat) - delay;
	if (s->leave)
		s->leave(worker);
}

static void loop_round(struct bench_subject *s, uint64_t ns,
		       struct bench_sample *sample)
{
	uint64_t all_ns = 0, all_ops = 0;
	unsigned int i;

	round_data.subject = s;
	round_data.ns = ns;
	bench_workers_begin(s->threads, loop_body, &round_data);
	bench_workers_end();
	for (i = 0; i < s->threads; i++) {
		all_ns += round_data.results[i].ns;
		all_ops += round_data.results[i].ops;
		sample->delay_ns += round_data.results[i].delay;
		sample->ops += round_data.results[i].ops * 1e9 /
			       round_data.results[i].ns;
	}
	sample->thread_ns = all_ns;
	sample->ns = (double)all_ns / all_ops;
}

/* ---- rounds ----------------------------------------------------------- */

static int measure_once(struct bench_subject *s, uint64_t ns,
			struct bench_sample *sample)
{
	memset(sample, 0, sizeof(*sample));
	if (s->round)
		return s->round(s->arg, ns, sample);
	loop_round(s, ns, sample);
	return 0;
}

static bool disturbed(const struct bench_run *run,
		      const struct bench_sample *sample, uint64_t steal,
		      uint64_t elapsed)
{
	if (run->no_repeats)
		return false;
	if (steal > DISTURBED * elapsed * bench_cpus())
		return true;
	return !run->ignore_delay &&
	       sample->delay_ns > DISTURBED * sample->thread_ns;
}

/* A round, again as long as it was disturbed and there are repeats left. */
static int measure(struct bench_run *run, struct bench_subject *s,
		   struct bench_sample *sample)
{
	unsigned int most = REPEATS * run->turns * run->nsubjects;
	uint64_t steal, start;
	int err;

	for (;;) {
		steal = bench_steal_ns();
		start = bench_now();
		err = measure_once(s, run->round_ns, sample);
		if (err)
			return err;
		steal = bench_steal_ns() - steal;
		if (!disturbed(run, sample, steal, bench_now() - start))
			return 0;
		if (run->repeated == most) {
			run->kept++;
			return 0;
		}
		run->repeated++;
	}
}

static void measure_syscall(struct bench_sample *sample)
{
	uint64_t start;
	int i;

	start = bench_now();
	for (i = 0; i < SYSCALLS; i++)
		syscall(SYS_getppid);
	sample->ns = (double)(bench_now() - start) / SYSCALLS;
}

/* So many operations that looking at the clock after them costs nothing. */
static int warm_up(struct bench_subject *s)
{
	struct bench_sample sample;

	if (s->round)
		return measure_once(s, ROUND_MIN_NS, &sample);
	s->chunk = 16;
	measure_once(s, ROUND_MIN_NS, &sample);
	s->chunk = (uint64_t)(CHUNK_NS / sample.ns) + 1;
	return measure_once(s, ROUND_MIN_NS, &sample);
}

/* ---- a run ------------------------------------------------------------ */

static unsigned int measurable(const struct bench_run *run)
{
	unsigned int i, n = 0;

	for (i = 0; i < run->nsubjects; i++)
		n += !run->subjects[i].missing;
	return n;
}

/* As many turns of rounds as the time allows, never fewer than the minimum. */
static void plan(struct bench_run *run)
{
	double ns = run->options.seconds * 1e9 / measurable(run);
	double round = ns / BENCH_MIN_PAIRS;

	if (round > ROUND_MAX_NS)
		round = ROUND_MAX_NS;
	if (round < ROUND_MIN_NS)
		round = ROUND_MIN_NS;
	run->round_ns = (uint64_t)round;
	run->turns = ns / round < BENCH_MAX_PAIRS ? (unsigned int)(ns / round)
						  : BENCH_MAX_PAIRS;
	if (run->turns < BENCH_MIN_PAIRS)
		run->turns = BENCH_MIN_PAIRS;
	run->turns |= 1; /* the median is one of them */
}

static int prepare(struct bench_run *run)
{
	unsigned int i, most = 1;
	struct bench_subject *s;
	int err;

	plan(run);
	for (i = 0; i < run->nsubjects; i++)
		if (run->subjects[i].threads > most)
			most = run->subjects[i].threads;
	err = bench_workers_start(most);
	run->syscall = calloc(run->turns, sizeof(*run->syscall));
	if (!run->syscall)
		err = -ENOMEM;
	for (i = 0; i < run->nsubjects && !err; i++) {
		s = &run->subjects[i];
		if (s->missing)
			continue;
		s->samples = calloc(run->turns, sizeof(*s->samples));
		err = s->samples ? warm_up(s) : -ENOMEM;
	}
	return err;
}

static void compare_all(struct bench_run *run)
{
	struct bench_subject *s, *own;
	unsigned int i;

	for (i = 0; i < run->nsubjects; i++) {
		s = &run->subjects[i];
		own = bench_find(run, "ufutex", s->variant);
		if (own && own != s && !s->own)
			bench_compare(run, own, s);
	}
}

int bench_measure(struct bench_run *run)
{
	unsigned int turn, i;
	int err;

	err = prepare(run);
	for (turn = 0; turn < run->turns && !err; turn++) {
		measure_syscall(&run->syscall[turn]);
		for (i = 0; i < run->nsubjects && !err; i++)
			if (!run->subjects[i].missing)
				err = measure(run, &run->subjects[i],
					      &run->subjects[i].samples[turn]);
	}
	bench_workers_stop();
	bench_unpin();
	if (!err)
		compare_all(run);
	return err;
}

/* ---- what came out ---------------------------------------------------- */

static bool same_variant(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

struct bench_subject *bench_find(struct bench_run *run, const char *name,
				 const char *variant)
{
	struct bench_subject *s;
	unsigned int i;

	for (i = 0; i < run->nsubjects; i++) {
		s = &run->subjects[i];
		if (!s->missing && !strcmp(s->name, name) &&
		    same_variant(s->variant, variant))
			return s;
	}
	return NULL;
}

void bench_compare(struct bench_run *run, const struct bench_subject *of,
		   const struct bench_subject *against)
{
	struct bench_comparison *c;
	double values[BENCH_MAX_PAIRS], median[3];
	unsigned int i;

	if (!of || !against || of->missing || against->missing)
		return;
	if (run->ncomparisons == BENCH_MAX_COMPARISONS)
		abort();
	for (i = 0; i < run->turns; i++)
		values[i] = of->samples[i].ops / against->samples[i].ops;
	bench_median(values, run->turns, median);
	c = &run->comparisons[run->ncomparisons++];
	c->of = of;
	c->against = against;
	c->ratio = median[0];
	c->low = median[1];
	c->high = median[2];
}

void bench_difference(struct bench_run *run, const struct bench_subject *of,
		      const struct bench_subject *less, double out[3])
{
	double values[BENCH_MAX_PAIRS];
	unsigned int i;

	for (i = 0; i < run->turns; i++)
		values[i] = of->samples[i].ns - less->samples[i].ns;
	bench_median(values, run->turns, out);
}

double bench_median_ns(const struct bench_run *run,
		       const struct bench_subject *subject)
{
	double values[BENCH_MAX_PAIRS], median[3];
	unsigned int i;

	for (i = 0; i < run->turns; i++)
		values[i] = subject->samples[i].ns;
	bench_median(values, run->turns, median);
	return median[0];
}

double bench_median_ops(const struct bench_run *run,
			const struct bench_subject *subject)
{
	double values[BENCH_MAX_PAIRS], median[3];
	unsigned int i;

	for (i = 0; i < run->turns; i++)
		values[i] = subject->samples[i].ops;
	bench_median(values, run->turns, median);
	return median[0];
}
