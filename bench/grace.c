/* SPDX-License-Identifier: MIT */
/*
 * One grace period, asked for and waited for: while nobody else runs, and
 * beside a thread that is busy with references on another CPU.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ufutex/grace.h>
#include <ufutex/ref.h>

#include "bench.h"

#define CHUNK 16 /* grace periods between two looks at the clock */

struct grace_case {
	int (*synchronize)(void);
	bool urcu; /* the busy thread is a reader of liburcu as well */
	bool busy;
	atomic_bool stop;
};

static struct ufx_ref ref;

static int synchronize_ufutex(void)
{
	return ufx_grace_synchronize();
}

static int synchronize_membarrier(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0))
		return -errno;
	return 0;
}

static int synchronize_urcu(void)
{
	bench_urcu_synchronize();
	return 0;
}

/* The other thread: works, or only exists, until it is told to stop. */
static void other_body(struct bench_worker *worker, void *arg)
{
	struct grace_case *c = arg;

	bench_pin(1);
	if (c->urcu)
		bench_urcu_enter(worker);
	while (c->busy && !atomic_load_explicit(&c->stop, memory_order_relaxed)) {
		if (c->urcu)
			bench_urcu_loop(worker, NULL, 100);
		else
			ufx_ref_get_inline(&ref), ufx_ref_put_inline(&ref);
	}
	if (c->urcu)
		bench_urcu_leave(worker);
}

static int measure_periods(struct grace_case *c, uint64_t ns,
			   struct bench_sample *sample)
{
	uint64_t start = bench_now(), now, n = 0;
	int i, err = 0;

	do {
		for (i = 0; i < CHUNK && !err; i++)
			err = c->synchronize();
		n += CHUNK;
		now = bench_now();
	} while (now - start < ns && !err);
	sample->ns = (double)(now - start) / n;
	sample->ops = 1e9 / sample->ns;
	return err;
}

static int grace_round(void *arg, uint64_t ns, struct bench_sample *sample)
{
	struct grace_case *c = arg;
	struct bench_watch watch;
	int err;

	atomic_store(&c->stop, false);
	if (c->busy) {
		bench_workers_begin(1, other_body, c);
		bench_workers_begun();
	}
	bench_pin(0);
	bench_watch_begin(&watch);
	err = measure_periods(c, ns, sample);
	bench_watch_end(&watch, sample);
	bench_unpin();
	atomic_store(&c->stop, true);
	if (c->busy)
		bench_workers_end();
	return err;
}

static void ref_gone(struct ufx_ref *r)
{
	(void)r;
}

static const char *membarrier_missing(void)
{
	if (syscall(SYS_membarrier,
		    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0) ||
	    synchronize_membarrier())
		return "the kernel refuses membarrier for rseq";
	return NULL;
}

static void add_cases(struct bench_run *run, struct grace_case *cases, bool busy)
{
	const struct bench_subject subjects[3] = {
		{ .name = "ufutex" },
		{ .name = "membarrier", .missing = membarrier_missing() },
		{ .name = "liburcu-memb", .missing = bench_urcu_missing },
	};
	struct bench_subject s;
	int i;

	cases[0].synchronize = synchronize_ufutex;
	cases[1].synchronize = synchronize_membarrier;
	cases[2].synchronize = synchronize_urcu;
	cases[2].urcu = true;
	for (i = 0; i < 3; i++) {
		cases[i].busy = busy;
		s = subjects[i];
		s.variant = busy ? "busy" : "idle";
		s.round = grace_round;
		s.arg = &cases[i];
		if (busy && bench_cpus() < 2)
			s.missing = "there is only one CPU";
		bench_add(run, &s);
	}
}

static int run_grace(struct bench_run *run)
{
	static struct grace_case cases[6];
	int err;

	err = ufx_ref_init(&ref, ref_gone);
	if (err)
		return err;
	/* Without a registered thread liburcu would have nobody to wait for. */
	bench_urcu_enter(NULL);
	add_cases(run, &cases[0], false);
	add_cases(run, &cases[3], true);
	err = bench_measure(run);
	bench_urcu_leave(NULL);
	ufx_ref_exit(&ref);
	return err;
}

const struct bench bench_grace = {
	.name = "grace",
	.what = "one grace period: while idle, and beside a busy thread",
	.operation = "one grace period",
	.seconds = 2,
	.threads = 1,
	.against = (const char *const[]){ "membarrier", "liburcu-memb", NULL },
	.run = run_grace,
};
