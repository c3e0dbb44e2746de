/* SPDX-License-Identifier: MIT */
/*
 * CMP_REQUEUE of sleeping threads from one word to another, and back again:
 * they sleep on all the while.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench.h"

#define SLEEPERS 64
#define CHUNK 16 /* requeues between two looks at the clock, even */

struct requeue_case {
	struct bench_sleepers *pool;
	const struct bench_side *side;
	unsigned int n;
	uint32_t *words[2];
	unsigned int at; /* which of the words they are on */
	struct {
		uint32_t word;
	} __attribute__((aligned(BENCH_CACHE_LINE))) other;
};

static long requeue(struct requeue_case *c)
{
	const struct bench_side *side = c->side;
	uint32_t *from = c->words[c->at], *to = c->words[!c->at];

	c->at = !c->at;
	return side->requeue(side->ctx, from, to, *from);
}

static int requeue_round(void *arg, uint64_t ns, struct bench_sample *sample)
{
	struct requeue_case *c = arg;
	struct bench_watch watch;
	uint64_t start, now, calls = 0;
	long moved = 0;
	int i;

	bench_pin(0);
	bench_watch_begin(&watch);
	start = bench_now();
	do {
		for (i = 0; i < CHUNK; i++)
			moved += requeue(c);
		calls += CHUNK;
		now = bench_now();
	} while (now - start < ns);
	bench_watch_end(&watch, sample);
	bench_unpin();
	sample->ns = (double)(now - start) / calls;
	sample->ops = 1e9 / sample->ns;
	return moved == (long)(calls * c->n) ? 0 : -EIO;
}

static int add_case(struct bench_run *run, struct requeue_case *c,
		    const struct bench_side *side)
{
	if (!bench_add(run, &(struct bench_subject){ .name = side->name,
						     .round = requeue_round,
						     .arg = c }))
		return 0;
	c->side = side;
	c->n = run->options.sleepers ? run->options.sleepers : SLEEPERS;
	c->pool = bench_sleepers_start(side, c->n, true, -1);
	if (!c->pool)
		return -ENOMEM;
	c->words[0] = bench_sleepers_word(c->pool, 0);
	c->words[1] = &c->other.word;
	return bench_sleepers_settle(c->pool);
}

static int run_requeue(struct bench_run *run)
{
	struct requeue_case cases[2] = { 0 };
	int i, err;

	err = add_case(run, &cases[0], &bench_side_ufutex);
	if (!err)
		err = add_case(run, &cases[1], &bench_side_kernel);
	if (!err)
		err = bench_measure(run);
	if (!err) {
		bench_field(run, "sleepers", json_integer(cases[0].n));
		bench_note(run, "sleepers: %u", cases[0].n);
	}
	for (i = 0; i < 2; i++)
		bench_sleepers_stop(cases[i].pool, cases[i].words[1]);
	return err;
}

const struct bench bench_requeue = {
	.name = "requeue",
	.what = "moving all sleepers of one word to another",
	.operation = "one CMP_REQUEUE of all sleepers",
	.seconds = 2,
	.threads = 1,
	.takes_sleepers = true,
	.against = (const char *const[]){ "kernel", NULL },
	.run = run_requeue,
};
