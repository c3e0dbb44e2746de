/* SPDX-License-Identifier: MIT */
/*
 * One get and one put of a reference that all threads share, and what others
 * pay to keep an object alive.
 *
 *   ufutex, inline   ufx_ref by call, and compiled into the caller
 *   slot             ufx_slot: the pointer is loaded and its object pinned
 *   object           the same, compiled into the caller: counters of its own
 *   table            the pin that keeps a table of the engine, counted alike
 *   thousand         1,024 refs in turn, inline: what many counters cost
 *   shared           a slot with one atomic counter beside the pointer, taken
 *                    before the pointer is loaded: what per-CPU counts replace
 *   atomic           the counter alone
 *   liburcu-memb     a read side of liburcu, inlined: protects everything, for
 *                    as long as nobody waits for a grace period
 */
#include <errno.h>
#include <stdlib.h>

#include <ufutex/ref.h>

#include "bench.h"
#include "ref/counted.h"
#include "table/domain.h"

#define MANY 1024

static struct {
	struct ufx_ref ref;
	struct ufx_slot slot;
	struct ufx_object object;
	struct {
		uint64_t count;
		void *pointer;
	} shared __attribute__((aligned(BENCH_CACHE_LINE)));
	struct {
		uint64_t count;
	} atomic __attribute__((aligned(BENCH_CACHE_LINE)));
	struct ufx_ref many[MANY];
	struct ufx_domain *domain;
} objects __attribute__((aligned(BENCH_CACHE_LINE)));

static void loop_ref(struct bench_worker *worker, void *arg, uint64_t n)
{
	struct ufx_ref *ref = arg;

	(void)worker;
	while (n--) {
		ufx_ref_get(ref);
		ufx_ref_put(ref);
	}
}

static void loop_inline(struct bench_worker *worker, void *arg, uint64_t n)
{
	struct ufx_ref *ref = arg;

	(void)worker;
	while (n--) {
		ufx_ref_get_inline(ref);
		ufx_ref_put_inline(ref);
	}
}

static void loop_slot(struct bench_worker *worker, void *arg, uint64_t n)
{
	struct ufx_slot *slot = arg;

	(void)worker;
	while (n--)
		ufx_slot_put(slot, ufx_slot_get(slot));
}

static void loop_object(struct bench_worker *worker, void *arg, uint64_t n)
{
	struct ufx_slot *slot = arg;

	(void)worker;
	while (n--)
		ufx_slot_put_inline(slot, ufx_slot_get_inline(slot));
}

/* As pin_table and ufx_place_unpin: nobody replaces it here. */
static void loop_table(struct bench_worker *worker, void *arg, uint64_t n)
{
	struct ufx_domain *domain = arg;
	void *table;

	(void)worker;
	while (n--) {
		if (!ufx_pin((void *const *)&domain->table, &table) ||
		    ufx_unpin(&((struct ufx_table *)table)->counted))
			abort();
	}
}

static void loop_many(struct bench_worker *worker, void *arg, uint64_t n)
{
	struct ufx_ref *refs = arg;

	(void)worker;
	while (n--) {
		ufx_ref_get_inline(&refs[n % MANY]);
		ufx_ref_put_inline(&refs[n % MANY]);
	}
}

static void loop_shared(struct bench_worker *worker, void *arg, uint64_t n)
{
	void *object;

	(void)worker, (void)arg;
	while (n--) {
		__atomic_fetch_add(&objects.shared.count, 1, __ATOMIC_SEQ_CST);
		object = __atomic_load_n(&objects.shared.pointer,
					 __ATOMIC_ACQUIRE);
		__asm__ volatile("" ::"r"(object)); /* it is used */
		__atomic_fetch_sub(&objects.shared.count, 1, __ATOMIC_RELEASE);
	}
}

static void loop_atomic(struct bench_worker *worker, void *arg, uint64_t n)
{
	(void)worker, (void)arg;
	while (n--) {
		__atomic_fetch_add(&objects.atomic.count, 1, __ATOMIC_RELAXED);
		__atomic_fetch_sub(&objects.atomic.count, 1, __ATOMIC_RELEASE);
	}
}

static void ref_gone(struct ufx_ref *ref)
{
	(void)ref;
}

static void object_gone(struct ufx_object *object)
{
	(void)object;
}

static int make_domain(void)
{
	static const struct ufx_domain_options options = {
		.slots = 64, .replace = UFX_REPLACE_AT_ZERO
	};
	int err = ufx_domain_create(&objects.domain, &options);

	return err ? err : ufx_domain_start(objects.domain);
}

static int make_many(void)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < MANY; i++)
		err = ufx_ref_init(&objects.many[i], ref_gone);
	return err;
}

static int make_objects(void)
{
	int err = make_domain();

	if (!err)
		err = make_many();
	if (!err)
		err = ufx_ref_init(&objects.ref, ref_gone);
	if (!err)
		err = ufx_object_init(&objects.object, UFX_SLOT_PUBLISH_FIRST,
				      object_gone);
	if (!err)
		err = ufx_slot_init(&objects.slot, UFX_SLOT_PUBLISH_FIRST,
				    &objects.object);
	return err;
}

static void add_subjects(struct bench_run *run, const char *variant,
			 unsigned int threads)
{
	const struct bench_subject all[] = {
		{ .name = "ufutex", .loop = loop_ref, .arg = &objects.ref },
		{ .name = "inline", .loop = loop_inline, .arg = &objects.ref,
		  .always = true, .own = true },
		{ .name = "slot", .loop = loop_slot, .arg = &objects.slot,
		  .always = true, .own = true },
		{ .name = "object", .loop = loop_object, .arg = &objects.slot,
		  .always = true, .own = true },
		{ .name = "table", .loop = loop_table, .arg = objects.domain,
		  .always = true, .own = true },
		{ .name = "thousand", .loop = loop_many, .arg = objects.many,
		  .always = true, .own = true },
		{ .name = "shared", .loop = loop_shared },
		{ .name = "atomic", .loop = loop_atomic },
		{ .name = "liburcu-memb", .loop = bench_urcu_loop,
		  .enter = bench_urcu_enter, .leave = bench_urcu_leave,
		  .missing = bench_urcu_missing },
	};
	struct bench_subject s;
	unsigned int i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		s = all[i];
		s.variant = variant;
		s.threads = threads;
		bench_add(run, &s);
	}
}

/* The inline form against all others but the library's own. */
static void compare_inline(struct bench_run *run)
{
	static const char *const others[] = { "shared", "atomic",
					      "liburcu-memb" };
	unsigned int i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		bench_compare(run, bench_find(run, "inline", NULL),
			      bench_find(run, others[i], NULL));
}

/* How much more work all threads do than one does alone: pairs, as ever. */
static json_t *scaling_of(struct bench_run *run, const char *name)
{
	struct bench_subject *all = bench_find(run, name, NULL);
	struct bench_subject *one = bench_find(run, name, "one thread");
	double values[BENCH_MAX_PAIRS], median[3];
	unsigned int i;

	if (!all || !one)
		return NULL;
	for (i = 0; i < run->turns; i++)
		values[i] = all->samples[i].ops / one->samples[i].ops;
	bench_median(values, run->turns, median);
	bench_note(run, "%u threads do %.2f times the work of one (%.2f .. "
		   "%.2f): %s", run->threads, median[0], median[1], median[2],
		   name);
	return json_pack("{s:f, s:f, s:f}", "median", median[0], "low",
			 median[1], "high", median[2]);
}

static void report_scaling(struct bench_run *run)
{
	static const char *const names[] = { "ufutex", "inline", "slot",
					     "object", "table", "thousand",
					     "shared", "atomic",
					     "liburcu-memb" };
	json_t *all = json_object(), *one;
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		one = scaling_of(run, names[i]);
		if (one)
			json_object_set_new(all, names[i], one);
	}
	bench_field(run, "scaling", all);
}

static int run_ref(struct bench_run *run)
{
	int err;

	err = make_objects();
	if (err)
		return err;
	add_subjects(run, NULL, 0);
	if (run->threads > 1)
		add_subjects(run, "one thread", 1);
	err = bench_measure(run);
	if (!err) {
		compare_inline(run);
		bench_compare(run, bench_find(run, "object", NULL),
			      bench_find(run, "table", NULL));
		if (run->threads > 1)
			report_scaling(run);
	}
	ufx_slot_exit(&objects.slot);
	ufx_ref_exit(&objects.ref);
	for (unsigned int i = 0; i < MANY; i++)
		ufx_ref_exit(&objects.many[i]);
	ufx_domain_destroy(objects.domain);
	return err;
}

const struct bench bench_ref = {
	.name = "ref",
	.what = "a get and a put of one reference",
	.operation = "get and put",
	.seconds = 3,
	.threads = 2,
	.takes_threads = true,
	.against = (const char *const[]){ "shared", "atomic", "liburcu-memb",
					  NULL },
	.run = run_ref,
};
