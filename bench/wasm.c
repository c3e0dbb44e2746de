/* SPDX-License-Identifier: MIT */
/*
 * WebAssembly's wait and notify (ufutex/wasm.h) against the table that engines write
 * for themselves (yardstick.h). Both look for traps first. Ours looks at the word, or
 * whether anybody waits, before it takes a lock; those others take theirs for all.
 *
 * A memory is the whole address space here, so that words may lie anywhere. The
 * sleepers wait on one of their own: "without waiters" means none.
 */
#include <errno.h>
#include <stdlib.h>

#include <ufutex/wasm.h>

#include "bench.h"
#include "yardstick.h"

#define SLEEPERS 64
#define OTHER 1234 /* no word has this value */
#define EVERYTHING ((uint64_t)1 << 63)

static struct ufx_wasm_memory memory, slept_on;
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
	{ .name = "ufutex", .wait = ufutex_wait, .wake = ufutex_wake, .ctx = &slept_on },
	{ .name = "yardstick", .wait = yardstick_wait, .wake = yardstick_wake },
};

static void add_turns(struct bench_run *run, struct bench_turns turns[4])
{
	for (int i = 0; i < 4; i++) {
		struct bench_turns *t = &turns[i];

		t->side = &sides[i % 2];
		t->one_cpu = i / 2;
		bench_add(run, &(struct bench_subject){
				       .name = t->side->name,
				       .variant = t->one_cpu ? "ping-pong, 1 CPU" :
							       "ping-pong, 2 CPUs",
				       .round = bench_turns_round,
				       .missing = !t->one_cpu && bench_cpus() < 2 ?
							  "there is only one CPU" : NULL,
				       .threads = BENCH_TURNS_WORKERS,
				       .arg = t });
	}
}

static int add_laps(struct bench_run *run, struct bench_laps laps[2],
		    unsigned int *missed)
{
	for (int i = 0; i < 2; i++) {
		struct bench_laps *l = &laps[i];

		*l = (struct bench_laps){ .side = &sides[2 + i], .n = SLEEPERS,
					  .missed = missed };
		if (!bench_add(run, &(struct bench_subject){ .name = l->side->name,
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

/* Each has had a waiter: what it makes for the first is there. */
static int start_side(struct bench_side *side, struct ufx_wasm_memory *m)
{
	static uint32_t word;

	if (m)
		return ufx_wasm_wait32(m, NULL, (uintptr_t)&word, 0, 1) ==
				       UFX_WASM_TIMED_OUT ? 0 : -EIO;
	side->ctx = yardstick_new(NULL, EVERYTHING);
	if (!side->ctx)
		return -ENOMEM;
	return yardstick_wait32(side->ctx, (uintptr_t)&word, 0, 1) == 2 ? 0 : -EIO;
}

static int start(void)
{
	int err = ufx_wasm_memory_create(&memory, NULL, EVERYTHING, true, NULL);

	if (!err)
		err = ufx_wasm_memory_create(&slept_on, NULL, EVERYTHING, true, NULL);
	if (!err)
		err = start_side(&sides[0], &memory);
	if (!err)
		err = start_side(&sides[1], NULL);
	if (!err)
		err = start_side(&sides[2], &slept_on);
	if (!err)
		err = start_side(&sides[3], NULL);
	yardstick = sides[1].ctx;
	return err;
}

static int run_wasm(struct bench_run *run)
{
	static struct bench_turns turns[4];
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
	ufx_wasm_memory_destroy(&slept_on);
	yardstick_free(sides[1].ctx);
	yardstick_free(sides[3].ctx);
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
