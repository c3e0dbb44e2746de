/* SPDX-License-Identifier: MIT */
/*
 * WebAssembly's wait and notify (ufutex/wasm.h) against the table that engines write
 * for themselves (yardstick.h). Both look for traps first. Ours looks at the word, or
 * whether anybody waits, before it takes a lock; those others take theirs for all.
 *
 * One memory for all rows: the whole address space, so that words may lie anywhere.
 */
#include <errno.h>
#include <stdlib.h>

#include <ufutex/wasm.h>

#include "bench.h"
#include "yardstick.h"

#define SLEEPERS 64
#define OTHER 1234 /* no word has this value */
#define EVERYTHING ((uint64_t)1 << 63)

static struct ufx_wasm_memory memory;
static struct yardstick *yardstick;

static uint64_t words_of(const struct bench_worker *worker)
{
	static uint32_t words[BENCH_MAX_THREADS][BENCH_WORDS]
		__attribute__((aligned(BENCH_CACHE_LINE)));

	return (uintptr_t)words[worker->index];
}

static uint64_t word_of(uint64_t words, uint64_t n)
{
	return words + n % BENCH_WORDS * sizeof(uint32_t);
}

/* ---- calls that end at once ----------------------------------------------- */

static void notify_ufutex(struct bench_worker *worker, void *arg, uint64_t n)
{
	uint64_t words = words_of(worker);

	(void)arg;
	while (n--)
		ufx_wasm_notify(&memory, word_of(words, n), 1);
}

static void notify_yardstick(struct bench_worker *worker, void *arg, uint64_t n)
{
	uint64_t words = words_of(worker);

	(void)arg;
	while (n--)
		yardstick_notify(yardstick, word_of(words, n), 1);
}

static void mismatch_ufutex(struct bench_worker *worker, void *arg, uint64_t n)
{
	uint64_t words = words_of(worker);

	(void)arg;
	while (n--)
		ufx_wasm_wait32(&memory, NULL, word_of(words, n), OTHER, -1);
}

static void mismatch_yardstick(struct bench_worker *worker, void *arg, uint64_t n)
{
	uint64_t words = words_of(worker);

	(void)arg;
	while (n--)
		yardstick_wait32(yardstick, word_of(words, n), OTHER, -1);
}

static const struct {
	const char *variant;
	unsigned int threads;
	void (*ufutex)(struct bench_worker *worker, void *arg, uint64_t n);
	void (*yardstick)(struct bench_worker *worker, void *arg, uint64_t n);
} loops[] = {
	{ "notify, 1", 1, notify_ufutex, notify_yardstick },
	{ "notify, 2", 2, notify_ufutex, notify_yardstick },
	{ "mismatch, 1", 1, mismatch_ufutex, mismatch_yardstick },
	{ "mismatch, 2", 2, mismatch_ufutex, mismatch_yardstick },
};

static void add_loops(struct bench_run *run)
{
	for (unsigned int i = 0; i < sizeof(loops) / sizeof(*loops); i++) {
		struct bench_subject s = { .name = "ufutex",
					   .variant = loops[i].variant,
					   .loop = loops[i].ufutex,
					   .threads = loops[i].threads };

		if (s.threads > bench_cpus())
			s.missing = "there is only one CPU";
		bench_add(run, &s);
		s.name = "yardstick";
		s.loop = loops[i].yardstick;
		bench_add(run, &s);
	}
}

/* ---- calls that sleep and wake --------------------------------------------- */

static long ufutex_wait(void *ctx, uint32_t *word, uint32_t val)
{
	return ufx_wasm_wait32(ctx, NULL, (uintptr_t)word, val, -1);
}

static long ufutex_wake(void *ctx, uint32_t *word, int n)
{
	return ufx_wasm_notify(ctx, (uintptr_t)word, (uint32_t)n);
}

static long yardstick_wait(void *ctx, uint32_t *word, uint32_t val)
{
	return yardstick_wait32(ctx, (uintptr_t)word, val, -1);
}

static long yardstick_wake(void *ctx, uint32_t *word, int n)
{
	return yardstick_notify(ctx, (uintptr_t)word, (uint32_t)n);
}

static struct bench_side sides[] = {
	{ .name = "ufutex", .wait = ufutex_wait, .wake = ufutex_wake, .ctx = &memory },
	{ .name = "yardstick", .wait = yardstick_wait, .wake = yardstick_wake },
};

static void add_turns(struct bench_run *run, struct bench_turns turns[2])
{
	for (int i = 0; i < 2; i++) {
		turns[i].side = &sides[i];
		bench_add(run, &(struct bench_subject){
				       .name = sides[i].name,
				       .variant = "ping-pong",
				       .round = bench_turns_round,
				       .missing = bench_cpus() < 2 ?
							  "there is only one CPU" : NULL,
				       .threads = BENCH_TURNS_WORKERS,
				       .arg = &turns[i] });
	}
}

static int add_laps(struct bench_run *run, struct bench_laps laps[2],
		    unsigned int *missed)
{
	for (int i = 0; i < 2; i++) {
		struct bench_laps *l = &laps[i];

		*l = (struct bench_laps){ .side = &sides[i], .n = SLEEPERS,
					  .missed = missed };
		if (!bench_add(run, &(struct bench_subject){ .name = sides[i].name,
							     .variant = "wake of 64",
							     .round = bench_laps_round,
							     .arg = l }))
			continue;
		l->pool = bench_sleepers_start(l->side, l->n, true, -1);
		if (!l->pool)
			return -ENOMEM;
	}
	return 0;
}

/* Both have had a waiter: what they make for the first is there. */
static int start(void)
{
	static uint32_t word;
	int err = ufx_wasm_memory_create(&memory, NULL, EVERYTHING, true, NULL);

	if (err)
		return err;
	yardstick = sides[1].ctx = yardstick_new(NULL, EVERYTHING);
	if (!yardstick)
		return -ENOMEM;
	if (ufx_wasm_wait32(&memory, NULL, (uintptr_t)&word, 0, 1) != UFX_WASM_TIMED_OUT ||
	    yardstick_wait32(yardstick, (uintptr_t)&word, 0, 1) != 2)
		return -EIO;
	return 0;
}

static int run_wasm(struct bench_run *run)
{
	static struct bench_turns turns[2];
	struct bench_laps laps[2] = { 0 };
	unsigned int missed = 0;
	int err = start();

	run->ignore_delay = true; /* locks are slept on, the woken run beside the waker */
	add_loops(run);
	add_turns(run, turns);
	if (!err)
		err = add_laps(run, laps, &missed);
	if (!err)
		err = bench_measure(run);
	if (!err)
		bench_note(run, "laps of the wake that did not find all of them queued, "
				"not counted: %u", missed);
	for (int i = 0; i < 2; i++)
		bench_sleepers_stop(laps[i].pool, NULL);
	ufx_wasm_memory_destroy(&memory);
	yardstick_free(yardstick);
	return err;
}

const struct bench bench_wasm = {
	.name = "wasm",
	.what = "WebAssembly's wait and notify, and a plain one-lock table",
	.operation = "a call; ping-pong: there and back; wake: one thread woken",
	.seconds = 4,
	.threads = 2,
	.against = (const char *const[]){ "yardstick", NULL },
	.run = run_wasm,
};
