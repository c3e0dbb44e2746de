/* SPDX-License-Identifier: MIT */
/* What a run found: a table for people, one JSON object for scripts. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ufutex/caps.h>

#include "bench.h"

void bench_note(struct bench_run *run, const char *format, ...)
{
	va_list args;
	char *line;

	if (run->nnotes == BENCH_MAX_NOTES)
		abort();
	va_start(args, format);
	if (vasprintf(&line, format, args) >= 0)
		run->notes[run->nnotes++] = line;
	va_end(args);
}

void bench_field(struct bench_run *run, const char *name, json_t *value)
{
	if (!run->extra)
		run->extra = json_object();
	json_object_set_new(run->extra, name, value ? value : json_null());
}

static double syscall_ns(const struct bench_run *run)
{
	struct bench_subject bare = { .samples = run->syscall };

	return run->syscall ? bench_median_ns(run, &bare) : NAN;
}

/* ---- JSON ------------------------------------------------------------- */

/* JSON knows no NaN; four significant digits after any useful one. */
static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *subject_json(const struct bench_run *run,
			    const struct bench_subject *s)
{
	json_t *o = json_object();

	json_object_set_new(o, "subject", json_string(s->name));
	if (s->variant)
		json_object_set_new(o, "variant", json_string(s->variant));
	if (s->missing) {
		json_object_set_new(o, "missing", json_string(s->missing));
		return o;
	}
	json_object_set_new(o, "ns_per_op", number(bench_median_ns(run, s)));
	json_object_set_new(o, "ops_per_s", number(bench_median_ops(run, s)));
	if (s->loop)
		json_object_set_new(o, "threads", json_integer(s->threads));
	return o;
}

static json_t *comparison_json(const struct bench_run *run,
			       const struct bench_comparison *c)
{
	json_t *o = json_object();

	json_object_set_new(o, "of", json_string(c->of->name));
	json_object_set_new(o, "against", json_string(c->against->name));
	if (c->of->variant)
		json_object_set_new(o, "variant", json_string(c->of->variant));
	json_object_set_new(o, "ratio", number(c->ratio));
	json_object_set_new(o, "low", number(c->low));
	json_object_set_new(o, "high", number(c->high));
	json_object_set_new(o, "pairs", json_integer(run->turns));
	return o;
}

/*
 * "ratio": of the library against each subject by its name. Where a benchmark
 * has variants, the plain name is the first variant's, and each has its own
 * under "name/variant". Comparisons of another subject ("inline") are under
 * "inline:name".
 */
static json_t *ratio_json(const struct bench_run *run)
{
	const struct bench_comparison *c;
	json_t *o = json_object();
	char key[128];
	unsigned int i;

	for (i = 0; i < run->ncomparisons; i++) {
		bool own;

		c = &run->comparisons[i];
		own = !strcmp(c->of->name, "ufutex");
		snprintf(key, sizeof(key), "%s%s%s%s%s",
			 own ? "" : c->of->name, own ? "" : ":",
			 c->against->name, c->of->variant ? "/" : "",
			 c->of->variant ? c->of->variant : "");
		json_object_set_new(o, key, number(c->ratio));
		if (own && !json_object_get(o, c->against->name))
			json_object_set_new(o, c->against->name,
					    number(c->ratio));
	}
	return o;
}

static int report_json(struct bench_run *run)
{
	struct ufx_capabilities caps;
	json_t *o = json_object(), *results = json_array(),
	       *ratios = json_array();
	unsigned int i;

	ufx_caps(&caps);
	for (i = 0; i < run->nsubjects; i++)
		json_array_append_new(results,
				      subject_json(run, &run->subjects[i]));
	for (i = 0; i < run->ncomparisons; i++)
		json_array_append_new(ratios,
				      comparison_json(run, &run->comparisons[i]));
	json_object_set_new(o, "bench", json_string(run->bench->name));
	json_object_set_new(o, "threads", json_integer(run->threads));
	json_object_set_new(o, "mode", json_string(ufx_mode_name(caps.mode)));
	json_object_set_new(o, "operation",
			    json_string(run->bench->operation));
	json_object_set_new(o, "syscall_ns", number(syscall_ns(run)));
	json_object_set_new(o, "results", results);
	json_object_set_new(o, "ratio", ratio_json(run));
	json_object_set_new(o, "ratios", ratios);
	json_object_set_new(o, "pairs", json_integer(run->turns));
	json_object_set_new(o, "repeated_rounds", json_integer(run->repeated));
	json_object_set_new(o, "disturbed_rounds_kept",
			    json_integer(run->kept));
	if (run->extra)
		json_object_update(o, run->extra);
	i = json_dumpf(o, stdout, JSON_REAL_PRECISION(6) | JSON_COMPACT) ? 1 : 0;
	json_decref(o);
	putchar('\n');
	return i || fflush(stdout) ? -EIO : 0;
}

/* ---- the table -------------------------------------------------------- */

static void print_rate(double ops)
{
	static const char units[] = " kMG";
	int unit = 0;

	while (ops >= 1000 && unit < 3) {
		ops /= 1000;
		unit++;
	}
	printf(" %9.1f %c", ops, units[unit]);
}

/* Four significant digits, never an exponent. */
static void print_digits(int width, double value)
{
	int digits = 3;
	double rest = value;

	while (rest >= 10 && digits > 0) {
		rest /= 10;
		digits--;
	}
	printf("%*.*f", width, digits, value);
}

static void print_subject(const struct bench_run *run,
			  const struct bench_subject *s)
{
	printf("%-14s %-11s", s->name, s->variant ? s->variant : "");
	if (s->missing) {
		printf("  not measured: %s\n", s->missing);
		return;
	}
	putchar(' ');
	print_digits(12, bench_median_ns(run, s));
	print_rate(bench_median_ops(run, s));
	putchar('\n');
}

static void print_comparison(const struct bench_run *run,
			     const struct bench_comparison *c)
{
	char of[64];

	snprintf(of, sizeof(of), "%s%s%s", c->of->name,
		 c->of->variant ? ", " : "",
		 c->of->variant ? c->of->variant : "");
	printf("%-26s %-14s", of, c->against->name);
	print_digits(9, c->ratio);
	print_digits(10, c->low);
	printf(" ..");
	print_digits(8, c->high);
	printf(" %6u\n", run->turns);
}

static void report_table(const struct bench_run *run)
{
	struct ufx_capabilities caps;
	unsigned int i;

	ufx_caps(&caps);
	printf("%s: %s\n", run->bench->name, run->bench->what);
	printf("one operation: %s; threads: %u; mode: %s; bare system call: "
	       "%.0f ns\n\n", run->bench->operation, run->threads,
	       ufx_mode_name(caps.mode), syscall_ns(run));
	printf("%-26s %12s %11s\n", "subject", "ns/op", "ops/s");
	for (i = 0; i < run->nsubjects; i++)
		print_subject(run, &run->subjects[i]);
	if (run->ncomparisons)
		printf("\n%-26s %-14s%9s%21s %6s\n", "how many times faster is",
		       "than", "ratio", "95 % interval", "pairs");
	for (i = 0; i < run->ncomparisons; i++)
		print_comparison(run, &run->comparisons[i]);
	putchar('\n');
	for (i = 0; i < run->nnotes; i++)
		printf("%s\n", run->notes[i]);
	printf("rounds measured again, disturbed by others: %u", run->repeated);
	if (run->kept)
		printf("; then given up: %u disturbed rounds count", run->kept);
	putchar('\n');
}

int bench_report(struct bench_run *run)
{
	if (run->options.json)
		return report_json(run);
	report_table(run);
	return fflush(stdout) ? -EIO : 0;
}
