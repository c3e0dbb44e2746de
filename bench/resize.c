/* SPDX-License-Identifier: MIT */
/*
 * Replacing the table: both ways of the library, and the kernel's SET_SLOTS.
 * Idle, or with many threads asleep whose waiters have to be carried over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ufutex/domain.h>

#include "bench.h"

#define CHUNK 4 /* replacements between two looks at the clock, even */

struct resize_case {
	struct ufx_domain *domain;
	struct bench_sleepers *sleepers;
	uint32_t sizes[2];
};

static int replace_some(struct resize_case *c)
{
	int i, err = 0;

	for (i = 0; i < CHUNK && !err; i++)
		err = ufx_domain_set_slots(c->domain, c->sizes[i % 2]);
	return err;
}

static int resize_round(void *arg, uint64_t ns, struct bench_sample *sample)
{
	struct resize_case *c = arg;
	struct bench_watch watch;
	uint64_t start, now, n = 0;
	int err;

	bench_watch_begin(&watch);
	start = bench_now();
	do {
		err = replace_some(c);
		n += CHUNK;
		now = bench_now();
	} while (now - start < ns && !err);
	bench_watch_end(&watch, sample);
	sample->ns = (double)(now - start) / n;
	sample->ops = 1e9 / sample->ns;
	return err;
}

static int add_case(struct bench_run *run, struct resize_case *c,
		    const char *name, enum ufx_replace replace)
{
	struct ufx_domain_options options = { .slots = c->sizes[1],
					      .replace = replace };
	struct bench_side side;
	int err;

	if (!bench_add(run, &(struct bench_subject){ .name = name,
						     .round = resize_round,
						     .arg = c }))
		return 0;
	err = ufx_domain_create(&c->domain, &options);
	if (err || !run->options.sleepers)
		return err;
	side = bench_side_domain(name, c->domain);
	c->sleepers = bench_sleepers_start(&side, run->options.sleepers, false,
					   -1);
	return c->sleepers ? bench_sleepers_settle(c->sleepers) : -ENOMEM;
}

/* Before there are threads: a child has only the one that forked it. */
static int start_kernel(struct bench_run *run, struct bench_subject *s,
			const uint32_t sizes[2])
{
	const char *against = run->options.against;

	*s = (struct bench_subject){ .name = "kernel",
				     .round = bench_slots_round,
				     .missing = bench_slots_missing() };
	if (s->missing || (against && strcmp(against, "kernel")))
		return 0;
	s->arg = bench_slots_start(run->options.sleepers, sizes);
	return s->arg ? 0 : -EAGAIN;
}

static void end_case(struct resize_case *c)
{
	bench_sleepers_stop(c->sleepers, NULL);
	if (c->domain)
		ufx_domain_destroy(c->domain);
}

static void describe(struct bench_run *run, const uint32_t sizes[2])
{
	bench_field(run, "sleepers", json_integer(run->options.sleepers));
	bench_field(run, "slots", json_pack("[i, i]", (int)sizes[0],
					    (int)sizes[1]));
	bench_note(run, "slots: %u and %u in turn; sleepers: %u", sizes[0],
		   sizes[1], run->options.sleepers);
}

static int run_resize(struct bench_run *run)
{
	uint32_t big = run->options.sleepers ? 4096 : 64;
	struct resize_case cases[2] = { { .sizes = { 16, big } },
					{ .sizes = { 16, big } } };
	struct bench_subject kernel;
	int err;

	if (run->options.load)
		return bench_resize_load(run);
	err = start_kernel(run, &kernel, cases[0].sizes);
	if (!err)
		err = add_case(run, &cases[0], "ufutex", UFX_REPLACE_MOVING);
	if (!err) {
		bench_add(run, &kernel);
		err = add_case(run, &cases[1], "at-zero", UFX_REPLACE_AT_ZERO);
	}
	if (!err)
		err = bench_measure(run);
	if (!err)
		describe(run, cases[0].sizes);
	end_case(&cases[0]);
	end_case(&cases[1]);
	bench_slots_stop(kernel.arg);
	return err;
}

const struct bench bench_resize = {
	.name = "resize",
	.what = "replacing the table: moving (ufutex), at-zero, SET_SLOTS (kernel)",
	.operation = "one replacement",
	.seconds = 2,
	.load_seconds = 4.2, /* 4,000 of each way over 2 s */
	.threads = 1,
	.takes_sleepers = true,
	.takes_load = true,
	.against = (const char *const[]){ "kernel", "at-zero", NULL },
	.run = run_resize,
};
