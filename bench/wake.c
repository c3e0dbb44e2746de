/* SPDX-License-Identifier: MIT */
/*
 * Waking sleeping threads: all of one word by one call, or each on a word of
 * its own by as many calls. The time is the waker's, on the clock.
 *
 * Threads run where the scheduler puts them, and those that are woken take
 * their part of the waker's CPU meanwhile. "apart" is one call by a waker that
 * has a CPU of its own, where it keeps waking a CPU that has gone idle.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "bench.h"

#define SLEEPERS 64

static long wake_all(struct bench_laps *c)
{
	const struct bench_side *side = c->side;
	unsigned int i;
	long woken = 0;

	if (!c->many)
		return side->wake(side->ctx, bench_sleepers_word(c->pool, 0),
				  INT_MAX);
	for (i = 0; i < c->n; i++)
		woken += side->wake(side->ctx, bench_sleepers_word(c->pool, i),
				    1);
	return woken;
}

/* One lap: all asleep, change the words, wake. 0 if somebody was missed. */
static int lap(struct bench_laps *c, uint64_t *ns)
{
	uint64_t start;
	long woken;
	int err;

	err = bench_sleepers_settle(c->pool);
	if (err)
		return err;
	bench_sleepers_advance(c->pool);
	start = bench_now();
	woken = wake_all(c);
	*ns = bench_now() - start;
	return woken == (long)c->n;
}

int bench_laps_round(void *arg, uint64_t ns, struct bench_sample *sample)
{
	struct bench_laps *c = arg;
	uint64_t start = bench_now(), one = 0, sum = 0, laps = 0;
	int ok;

	if (c->apart)
		bench_pin(0);
	do {
		ok = lap(c, &one);
		if (ok < 0)
			return ok;
		sum += ok ? one : 0;
		laps += ok;
		*c->missed += !ok;
	} while (bench_now() - start < ns || (!laps && *c->missed < 1000));
	bench_unpin();
	if (!laps)
		return -EIO;
	sample->ns = (double)sum / (laps * c->n);
	sample->ops = 1e9 / sample->ns;
	return 0;
}

static const struct {
	const char *variant;
	bool many, apart;
} variants[] = {
	{ "one call", false, false },
	{ "many calls", true, false },
	{ "one, apart", false, true },
};

#define NCASES (2 * sizeof(variants) / sizeof(variants[0]))

static unsigned int missed;

/* Even cases are the library's, odd ones the kernel's. */
static int add_case(struct bench_run *run, struct bench_laps *c, unsigned int i)
{
	struct bench_subject s = { .variant = variants[i / 2].variant,
				   .round = bench_laps_round,
				   .arg = c };

	c->side = i % 2 ? &bench_side_kernel : &bench_side_ufutex;
	c->many = variants[i / 2].many;
	c->apart = variants[i / 2].apart;
	c->missed = &missed;
	c->n = run->options.sleepers ? run->options.sleepers : SLEEPERS;
	s.name = c->side->name;
	if (c->apart && bench_cpus() < 2)
		s.missing = "there is only one CPU";
	if (!bench_add(run, &s) || s.missing)
		return 0;
	c->pool = bench_sleepers_start(c->side, c->n, !c->many,
				       c->apart ? 1 : -1);
	return c->pool ? 0 : -ENOMEM;
}

static int run_wake(struct bench_run *run)
{
	struct bench_laps cases[NCASES] = { 0 };
	unsigned int i;
	int err = 0;

	run->ignore_delay = true; /* the woken threads' part is in it */
	for (i = 0; i < NCASES && !err; i++)
		err = add_case(run, &cases[i], i);
	if (!err)
		err = bench_measure(run);
	if (!err) {
		bench_field(run, "sleepers", json_integer(cases[0].n));
		bench_field(run, "laps_missed", json_integer(missed));
		bench_note(run, "sleepers: %u; laps that did not find all of "
			   "them queued, not counted: %u", cases[0].n, missed);
	}
	for (i = 0; i < NCASES; i++)
		bench_sleepers_stop(cases[i].pool, NULL);
	return err;
}

const struct bench bench_wake = {
	.name = "wake",
	.what = "waking sleeping threads: one call for all, or a call for each",
	.operation = "one thread woken",
	.seconds = 4,
	.threads = 1,
	.takes_sleepers = true,
	.against = (const char *const[]){ "kernel", NULL },
	.run = run_wake,
};
