/* SPDX-License-Identifier: MIT */
/*
 * The calls that end without sleep or wake-up: a mismatching wait, the same
 * by way of the table, and a wake of a word that nobody waits on. Each thread
 * goes round its own words, as `perf bench futex hash` does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ufutex/domain.h>
#include <ufutex/futex.h>

#include "bench.h"
#include "futex/wait.h"

#define OTHER 1234 /* no word has this value */

static uint32_t *words_of(struct bench_worker *worker)
{
	static uint32_t words[BENCH_MAX_THREADS][BENCH_WORDS]
		__attribute__((aligned(BENCH_CACHE_LINE)));

	return words[worker->index];
}

static uint32_t *word_of(uint32_t *words, uint64_t n)
{
	return &words[n % BENCH_WORDS];
}

/* ---- hash ------------------------------------------------------------- */

static void wait_ufutex(struct bench_worker *worker, void *arg, uint64_t n)
{
	uint32_t *words = words_of(worker);

	(void)arg;
	while (n--)
		ufx_futex(word_of(words, n), UFX_FUTEX_WAIT | UFX_FUTEX_PRIVATE,
			  OTHER, NULL, NULL, 0);
}

static void wait_kernel(struct bench_worker *worker, void *arg, uint64_t n)
{
	uint32_t *words = words_of(worker);

	(void)arg;
	while (n--)
		syscall(SYS_futex, word_of(words, n),
			UFX_FUTEX_WAIT | UFX_FUTEX_PRIVATE, OTHER, NULL, NULL, 0);
}

static void wait_call(struct bench_worker *worker, void *arg, uint64_t n)
{
	uint32_t *words = words_of(worker);

	(void)arg;
	while (n--)
		bench_bare_futex(word_of(words, n),
				 UFX_FUTEX_WAIT | UFX_FUTEX_PRIVATE, OTHER,
				 NULL, NULL, 0);
}

/* How much more than a call that only compares: "over". */
static void over_call(struct bench_run *run)
{
	struct bench_subject *own = bench_find(run, "ufutex", NULL);
	struct bench_subject *call = bench_find(run, "call", NULL);
	struct bench_subject *rmw = bench_find(run, "rmw", NULL);
	double over[3], rmws;

	if (!own || !call)
		return;
	bench_difference(run, own, call, over);
	bench_field(run, "over_call_ns",
		    json_pack("{s:f, s:f, s:f}", "median", over[0], "low",
			      over[1], "high", over[2]));
	bench_note(run, "over a bare call: %.1f ns (%.1f .. %.1f)", over[0],
		   over[1], over[2]);
	if (!rmw)
		return;
	rmws = over[0] / bench_median_ns(run, rmw);
	bench_field(run, "over_call_rmws", json_real(rmws));
	bench_note(run, "that is %.2f locked additions", rmws);
}

static int run_hash(struct bench_run *run)
{
	int err;

	bench_add(run, &(struct bench_subject){ .name = "ufutex",
						.loop = wait_ufutex });
	bench_add(run, &(struct bench_subject){ .name = "kernel",
						.loop = wait_kernel });
	bench_add(run, &(struct bench_subject){
			       .name = "call", .loop = wait_call, .always = true });
	err = bench_measure(run);
	if (!err)
		over_call(run);
	return err;
}

const struct bench bench_hash = {
	.name = "hash",
	.what = "a wait that finds another value in the word",
	.operation = "FUTEX_WAIT, mismatch",
	.seconds = 2,
	.threads = 1,
	.takes_threads = true,
	.against = (const char *const[]){ "kernel", "call", NULL },
	.run = run_hash,
};

/* ---- hash-bucket ------------------------------------------------------ */

static void probe_ufutex(struct bench_worker *worker, void *domain, uint64_t n)
{
	uint32_t *words = words_of(worker);

	while (n--)
		ufx_wait_probe(domain, word_of(words, n), OTHER);
}

static void probe_call(struct bench_worker *worker, void *domain, uint64_t n)
{
	uint32_t *words = words_of(worker);

	while (n--)
		bench_bare_probe(domain, word_of(words, n), OTHER);
}

static void add_rmw(struct bench_worker *worker, void *arg, uint64_t n)
{
	uint32_t *words = words_of(worker);

	(void)arg;
	while (n--)
		__atomic_fetch_add(words, 2, __ATOMIC_SEQ_CST);
	*words = 0;
}

static int run_hash_bucket(struct bench_run *run)
{
	struct ufx_domain *domain = ufx_domain_default();
	int err;

	if (!domain)
		return -EOPNOTSUPP;
	bench_add(run, &(struct bench_subject){ .name = "ufutex",
						.loop = probe_ufutex,
						.arg = domain });
	bench_add(run, &(struct bench_subject){ .name = "kernel",
						.loop = wait_kernel });
	bench_add(run, &(struct bench_subject){
			       .name = "call", .loop = probe_call, .always = true });
	bench_add(run, &(struct bench_subject){
			       .name = "rmw", .loop = add_rmw, .always = true });
	err = bench_measure(run);
	if (!err)
		over_call(run);
	return err;
}

const struct bench bench_hash_bucket = {
	.name = "hash-bucket",
	.what = "the same, forced through pin, bucket lock and re-check",
	.operation = "FUTEX_WAIT, mismatch found in the bucket",
	.seconds = 2,
	.threads = 1,
	.takes_threads = true,
	.against = (const char *const[]){ "kernel", "call", "rmw", NULL },
	.run = run_hash_bucket,
};

/* ---- wake-empty ------------------------------------------------------- */

static void wake_ufutex(struct bench_worker *worker, void *arg, uint64_t n)
{
	uint32_t *words = words_of(worker);

	(void)arg;
	while (n--)
		ufx_futex(word_of(words, n), UFX_FUTEX_WAKE | UFX_FUTEX_PRIVATE,
			  1, NULL, NULL, 0);
}

static void wake_kernel(struct bench_worker *worker, void *arg, uint64_t n)
{
	uint32_t *words = words_of(worker);

	(void)arg;
	while (n--)
		syscall(SYS_futex, word_of(words, n),
			UFX_FUTEX_WAKE | UFX_FUTEX_PRIVATE, 1, NULL, NULL, 0);
}

static void wake_call(struct bench_worker *worker, void *arg, uint64_t n)
{
	uint32_t *words = words_of(worker);

	(void)arg;
	while (n--)
		bench_bare_futex(word_of(words, n),
				 UFX_FUTEX_WAKE | UFX_FUTEX_PRIVATE, 1, NULL,
				 NULL, 0);
}

static int run_wake_empty(struct bench_run *run)
{
	int err;

	bench_add(run, &(struct bench_subject){ .name = "ufutex",
						.loop = wake_ufutex });
	bench_add(run, &(struct bench_subject){ .name = "kernel",
						.loop = wake_kernel });
	bench_add(run, &(struct bench_subject){
			       .name = "call", .loop = wake_call, .always = true });
	err = bench_measure(run);
	if (!err)
		over_call(run);
	return err;
}

const struct bench bench_wake_empty = {
	.name = "wake-empty",
	.what = "a wake of a word that nobody waits on",
	.operation = "FUTEX_WAKE, nobody there",
	.seconds = 2,
	.threads = 1,
	.takes_threads = true,
	.against = (const char *const[]){ "kernel", "call", NULL },
	.run = run_wake_empty,
};
