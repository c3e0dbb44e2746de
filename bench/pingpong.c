/* SPDX-License-Identifier: MIT */
/*
 * Two threads hand a word to each other by WAIT and WAKE: both on one CPU,
 * where every turn is a switch of threads; and each on its own, where the one
 * that waits may as well look at the word for a while. Each case has two
 * threads of its own: how long they look is what they have learned.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench.h"

#define CHUNK 8 /* round trips between two looks at the clock */
#define OVER 2  /* neither's turn: the end */

/* Returns false at the end. */
static bool wait_turn(struct bench_turns *c, uint32_t me)
{
	const struct bench_side *side = c->side;
	uint32_t turn;

	while ((turn = __atomic_load_n(&c->word.turn, __ATOMIC_SEQ_CST)) == !me)
		side->wait(side->ctx, &c->word.turn, turn);
	return turn == me;
}

static void give_turn(struct bench_turns *c, uint32_t to)
{
	const struct bench_side *side = c->side;

	__atomic_store_n(&c->word.turn, to, __ATOMIC_SEQ_CST);
	side->wake(side->ctx, &c->word.turn, 1);
}

/* The one that keeps the time. */
static void serve(struct bench_turns *c)
{
	uint64_t start = bench_now(), now, trips = 0;
	int i;

	do {
		for (i = 0; i < CHUNK; i++) {
			give_turn(c, 1);
			wait_turn(c, 0);
		}
		trips += CHUNK;
		now = bench_now();
	} while (now - start < c->ns);
	give_turn(c, OVER);
	c->sample->ns = (double)(now - start) / trips;
	c->sample->ops = 1e9 / c->sample->ns;
}

/* Workers 0 and 1 are each on a CPU; 2 and 3 share one. */
static void pingpong_body(struct bench_worker *worker, void *arg)
{
	struct bench_turns *c = arg;

	if (c->one_cpu != (worker->index >= 2))
		return;
	if (c->one_cpu)
		bench_pin(0);
	if (worker->index % 2 == 0) {
		serve(c);
		return;
	}
	while (wait_turn(c, 1))
		give_turn(c, 0);
}

int bench_turns_round(void *arg, uint64_t ns, struct bench_sample *sample)
{
	struct bench_turns *c = arg;

	c->ns = ns;
	c->sample = sample;
	__atomic_store_n(&c->word.turn, 0, __ATOMIC_SEQ_CST);
	bench_workers_begin(BENCH_TURNS_WORKERS, pingpong_body, c);
	bench_workers_end();
	return 0;
}

static void add_case(struct bench_run *run, struct bench_turns *c,
		     const struct bench_side *side, bool one_cpu)
{
	c->side = side;
	c->one_cpu = one_cpu;
	bench_add(run, &(struct bench_subject){
			       .name = side->name,
			       .variant = one_cpu ? "one CPU" : "two CPUs",
			       .round = bench_turns_round,
			       .missing = !one_cpu && bench_cpus() < 2
						  ? "there is only one CPU"
						  : NULL,
			       .threads = BENCH_TURNS_WORKERS,
			       .arg = c });
}

static int run_pingpong(struct bench_run *run)
{
	static struct bench_turns cases[4];

	/* On one CPU the other is always runnable: the run delay is the work. */
	run->ignore_delay = true;
	add_case(run, &cases[0], &bench_side_ufutex, true);
	add_case(run, &cases[1], &bench_side_kernel, true);
	add_case(run, &cases[2], &bench_side_ufutex, false);
	add_case(run, &cases[3], &bench_side_kernel, false);
	return bench_measure(run);
}

const struct bench bench_pingpong = {
	.name = "pingpong",
	.what = "two threads hand a word over: on one CPU, on two",
	.operation = "there and back",
	.seconds = 3,
	.threads = 2,
	.against = (const char *const[]){ "kernel", NULL },
	.run = run_pingpong,
};
