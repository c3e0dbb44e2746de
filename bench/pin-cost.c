/* SPDX-License-Identifier: MIT */
/*
 * What it costs that a table can be replaced: the same operation, pin, bucket
 * lock and re-check, on a domain that is resizable and on one that is fixed
 * and takes no pin. Timed, and counted in instructions.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ufutex/domain.h>

#include "bench.h"
#include "futex/wait.h"

#define OTHER 1234
#define SLOTS 64

static const struct ufx_domain_options resizable = { .slots = SLOTS },
				       fixed = { .slots = SLOTS,
						 .fixed = true };

static uint32_t word_of[BENCH_MAX_THREADS][BENCH_WORDS]
	__attribute__((aligned(BENCH_CACHE_LINE)));

static void probe(struct bench_worker *worker, void *domain, uint64_t n)
{
	uint32_t *words = word_of[worker->index];

	while (n--)
		ufx_wait_probe(domain, &words[n % BENCH_WORDS], OTHER);
}

/* In the child that is counted: it starts with domains of its own. */
static void *make_domain(void *options)
{
	struct ufx_domain *domain;

	return ufx_domain_create(&domain, options) ? NULL : domain;
}

static void probe_one(void *domain)
{
	ufx_wait_probe(domain, &word_of[0][0], OTHER);
}

static void count_instructions(struct bench_run *run)
{
	long with = bench_count_instructions(make_domain, probe_one,
					     (void *)&resizable);
	long without = bench_count_instructions(make_domain, probe_one,
						(void *)&fixed);

	if (with < 0 || without <= 0) {
		bench_field(run, "instructions", json_null());
		bench_note(run, "instructions: not counted: %s",
			   strerror(with < 0 ? -with : -without));
		return;
	}
	bench_field(run, "instructions",
		    json_pack("{s:i, s:i, s:f}", "ufutex", (int)with, "fixed",
			      (int)without, "ratio", (double)without / with));
	bench_note(run, "instructions of one operation: resizable %ld, fixed "
		   "%ld (%+.0f %%)", with, without,
		   100.0 * (with - without) / without);
}

static int run_pin_cost(struct bench_run *run)
{
	struct ufx_domain *domains[2] = { NULL, NULL };
	int err;

	err = ufx_domain_create(&domains[0], &resizable);
	if (!err)
		err = ufx_domain_create(&domains[1], &fixed);
	if (!err) {
		count_instructions(run); /* forks: before there are threads */
		bench_add(run, &(struct bench_subject){ .name = "ufutex",
							.loop = probe,
							.arg = domains[0] });
		bench_add(run, &(struct bench_subject){ .name = "fixed",
							.loop = probe,
							.arg = domains[1] });
		err = bench_measure(run);
	}
	if (domains[0])
		ufx_domain_destroy(domains[0]);
	if (domains[1])
		ufx_domain_destroy(domains[1]);
	return err;
}

const struct bench bench_pin_cost = {
	.name = "pin-cost",
	.what = "a resizable table (ufutex) against a fixed one, without pins",
	.operation = "pin, lock the bucket, compare, unlock",
	.seconds = 2,
	.threads = 1,
	.takes_threads = true,
	.against = (const char *const[]){ "fixed", NULL },
	.run = run_pin_cost,
};
