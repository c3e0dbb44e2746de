/* SPDX-License-Identifier: MIT */
/*
 * Replacing the table while a thread a core hammers on it, at random distances:
 * back to back, all replacements would fit into a few slices of the scheduler
 * and prove nothing.
 *
 * Times under load depend on the scheduler, so what matters is counted: the
 * operations that began after a replacement was asked for and still used the
 * old table, and the replacements that were starved: the load had to be taken
 * away for them to come through.
 */
#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <ufutex/domain.h>

#include "bench.h"
#include "table/domain.h"

#define DISTANCE_MIN_NS 300000 /* between two replacements */
#define DISTANCE_MAX_NS 700000
#define MAX_TIMES 200000
#define CHUNK 1024              /* operations between looks at the others */
#define STARVED_NS 100000000    /* of a hammering thread's own time */
#define GIVE_UP 10              /* a round takes so many times its time at most */

struct hammer {
	uint64_t ops;
	uint64_t late;      /* began after the request, used the old table */
	uint64_t late_most; /* of one replacement */
	uint64_t late_for, late_run;
	uint64_t pending, since; /* request seen last, own time then */
	uint64_t key;
	uint64_t delay;
} __attribute__((aligned(BENCH_CACHE_LINE)));

struct load_case {
	struct ufx_domain *domain;
	unsigned int threads;
	bool warm;
	atomic_bool stop;
	_Atomic uint64_t request; /* counts up; odd while one is pending */
	_Atomic unsigned int starved;
	double *times;
	unsigned int ntimes, asked;
	uint64_t delay, steal, elapsed;
	uint64_t random;
	struct hammer hammers[BENCH_MAX_THREADS];
};

static uint64_t own_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* ---- the load --------------------------------------------------------- */

static void count_late(struct hammer *h, uint64_t requested)
{
	if (h->late_for != requested) {
		h->late_for = requested;
		h->late_run = 0;
	}
	h->late++;
	if (++h->late_run > h->late_most)
		h->late_most = h->late_run;
}

static void hammer_chunk(struct load_case *c, struct hammer *h)
{
	uint64_t requested, used;
	int i;

	for (i = 0; i < CHUNK; i++) {
		h->key += 64;
		requested = ufx_domain_requested(c->domain);
		used = ufx_domain_touch(c->domain, h->key);
		if (__builtin_expect(used < requested, 0))
			count_late(h, requested);
	}
	h->ops += CHUNK;
}

/* Has this thread kept on for long since the pending request came? */
static void let_through(struct load_case *c, struct hammer *h)
{
	uint64_t request = atomic_load(&c->request);
	struct timespec moment = { .tv_nsec = 100000 };

	if (!(request & 1))
		return;
	if (request != h->pending) {
		h->pending = request;
		h->since = own_time();
	}
	if (own_time() - h->since < STARVED_NS)
		return;
	if (h == &c->hammers[0])
		atomic_fetch_add(&c->starved, 1);
	while (atomic_load(&c->request) == request)
		nanosleep(&moment, NULL);
}

static void hammer_body(struct bench_worker *worker, void *arg)
{
	struct load_case *c = arg;
	struct hammer *h = &c->hammers[worker->index];
	uint64_t delay = bench_schedstat_delay(worker->schedstat);

	while (!atomic_load_explicit(&c->stop, memory_order_relaxed)) {
		hammer_chunk(c, h);
		let_through(c, h);
	}
	h->delay += bench_schedstat_delay(worker->schedstat) - delay;
}

/* ---- the replacements ------------------------------------------------- */

static int replace_one(struct load_case *c, double *ns)
{
	uint64_t start, distance;
	struct timespec pause = { 0 };
	int err;

	distance = next_random(&c->random) % (DISTANCE_MAX_NS - DISTANCE_MIN_NS);
	pause.tv_nsec = DISTANCE_MIN_NS + distance;
	nanosleep(&pause, NULL);
	atomic_fetch_add(&c->request, 1);
	start = bench_now();
	err = ufx_domain_set_slots(c->domain, c->asked++ % 2 ? 64 : 16);
	*ns = (double)(bench_now() - start);
	atomic_fetch_add(&c->request, 1);
	return err;
}

/* Replacements for about @ns; the sample is the median of their times. */
static int replace_many(struct load_case *c, uint64_t ns,
			struct bench_sample *sample)
{
	unsigned int n = ns / ((DISTANCE_MIN_NS + DISTANCE_MAX_NS) / 2) + 1, i;
	uint64_t start = bench_now();
	double times[n], median[3];
	int err = 0;

	for (i = 0; i < n && !err && bench_now() - start < ns * GIVE_UP; i++) {
		err = replace_one(c, &times[i]);
		if (c->warm && c->ntimes < MAX_TIMES)
			c->times[c->ntimes++] = times[i];
	}
	bench_median(times, i, median);
	sample->ns = median[0];
	sample->ops = 1e9 / sample->ns;
	return err;
}

/* What the first round, the warm-up, counted is forgotten. */
static void forget(struct load_case *c)
{
	c->warm = true;
	c->delay = c->steal = c->elapsed = 0;
	c->starved = 0;
	memset(c->hammers, 0, sizeof(c->hammers));
}

static int load_round(void *arg, uint64_t ns, struct bench_sample *sample)
{
	struct load_case *c = arg;
	uint64_t steal = bench_steal_ns(), start = bench_now();
	struct bench_watch watch;
	bool warm = c->warm;
	int err;

	atomic_store(&c->stop, false);
	bench_workers_begin(c->threads, hammer_body, c);
	bench_workers_begun();
	bench_watch_begin(&watch);
	err = replace_many(c, ns, sample);
	bench_watch_end(&watch, sample);
	atomic_store(&c->stop, true);
	bench_workers_end();
	c->delay += sample->delay_ns;
	c->steal += bench_steal_ns() - steal;
	c->elapsed += bench_now() - start;
	if (!warm)
		forget(c);
	return err;
}

/* ---- the report ------------------------------------------------------- */

static json_t *report_case(struct bench_run *run, struct load_case *c,
			   const char *name)
{
	uint64_t ops = 0, late = 0, most = 0, delay = 0;
	double p50, p99, max;
	unsigned int i;

	for (i = 0; i < c->threads; i++) {
		ops += c->hammers[i].ops;
		late += c->hammers[i].late;
		delay += c->hammers[i].delay;
		if (c->hammers[i].late_most > most)
			most = c->hammers[i].late_most;
	}
	bench_sort(c->times, c->ntimes);
	p50 = bench_quantile(c->times, c->ntimes, 0.5) / 1000;
	p99 = bench_quantile(c->times, c->ntimes, 0.99) / 1000;
	max = bench_quantile(c->times, c->ntimes, 1) / 1000;
	bench_note(run, "%s: %u replacements over %.1f s, %.0f M operations "
		   "beside them; us: median %.1f, p99 %.0f, max %.0f", name,
		   c->ntimes, c->elapsed / 1e9, ops / 1e6, p50, p99, max);
	bench_note(run, "  began after the request and used the old table: %llu, "
		   "of one thread and replacement at most %llu; starved: %u",
		   (unsigned long long)late, (unsigned long long)most,
		   c->starved);
	bench_note(run, "  meanwhile: run delay %.0f ms of the replacing thread, "
		   "%.0f ms of the others; steal %.0f ms", c->delay / 1e6,
		   delay / 1e6, c->steal / 1e6);
	return json_pack("{s:i, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:i, s:f, "
			 "s:f, s:f}",
			 "replacements", (int)c->ntimes, "seconds",
			 c->elapsed / 1e9, "p50_us", p50, "p99_us", p99,
			 "max_us", max, "operations", (json_int_t)ops, "late",
			 (json_int_t)late, "late_max", (json_int_t)most,
			 "starved", (int)c->starved, "run_delay_ms",
			 c->delay / 1e6, "others_run_delay_ms", delay / 1e6,
			 "steal_ms", c->steal / 1e6);
}

static struct load_case *add_case(struct bench_run *run, const char *name,
				  enum ufx_replace replace)
{
	struct ufx_domain_options options = { .slots = 64, .replace = replace };
	struct load_case *c = aligned_alloc(BENCH_CACHE_LINE, sizeof(*c));

	if (!c)
		return NULL;
	memset(c, 0, sizeof(*c));
	c->threads = run->threads;
	c->random = 88172645463325252ull;
	c->times = calloc(MAX_TIMES, sizeof(*c->times));
	if (!c->times || ufx_domain_create(&c->domain, &options)) {
		free(c->times);
		free(c);
		return NULL;
	}
	bench_add(run, &(struct bench_subject){ .name = name,
						.round = load_round,
						.always = true,
						.threads = run->threads,
						.arg = c });
	return c;
}

static void end_case(struct load_case *c)
{
	if (!c)
		return;
	ufx_domain_destroy(c->domain);
	free(c->times);
	free(c);
}

int bench_resize_load(struct bench_run *run)
{
	struct load_case *moving, *at_zero;
	json_t *load;
	int err = -ENOMEM;

	if (!run->options.threads)
		run->threads = bench_cpus();
	run->no_repeats = true;
	moving = add_case(run, "ufutex", UFX_REPLACE_MOVING);
	at_zero = add_case(run, "at-zero", UFX_REPLACE_AT_ZERO);
	if (moving && at_zero)
		err = bench_measure(run);
	if (!err) {
		load = json_object();
		json_object_set_new(load, "ufutex",
				    report_case(run, moving, "moving"));
		json_object_set_new(load, "at-zero",
				    report_case(run, at_zero, "at-zero"));
		bench_field(run, "load", load);
	}
	end_case(moving);
	end_case(at_zero);
	return err;
}
