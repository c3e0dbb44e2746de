// SPDX-License-Identifier: MIT
/*
 * One process with one configuration of the engine: makes and runs programs,
 * and tells main about each.
 */
#include <string.h>

#include "program.h"
#include "report.h"

#define SPREAD 8 /* one block of so many is not bound to one CPU */

static void count(const struct program *p, const struct outcome *o,
		  struct report *report)
{
	report->steps = (uint32_t)p->steps;
	for (int i = 0; i < p->steps; i++) {
		report->calls += p->step[i].kind == STEP_CALL;
		report->signals += p->step[i].kind == STEP_SIGNAL;
		report->expiries += p->step[i].kind == STEP_EXPIRE;
		report->sleeps += p->step[i].kind == STEP_CALL &&
				  o->seen[i].asleep & 1u << p->step[i].thread;
	}
}

/* Shows the smallest one that differs, or else what was seen this once. */
static void show_smallest(const struct program *found, const char *what,
			  const struct outcome *kernel, const struct outcome *engine)
{
	static struct outcome again[2];
	struct program p = *found;

	printf("difference: seed %llu: %s\n", (unsigned long long)p.seed, what);
	if (shrink(&p) && run_both(&p, &again[0], &again[1])) {
		puts("the smallest program that differs:");
		show(stdout, &p, &again[0], &again[1]);
	} else {
		puts("and not always:");
		show(stdout, found, kernel, engine);
	}
}

/* False: the threads are lost. */
static bool one(uint64_t seed, const struct options *o)
{
	static struct outcome kernel, engine;
	struct report report = { .seed = seed };
	static struct program p;
	const char *what;

	generate(&p, seed);
	what = run_both(&p, &kernel, &engine);
	count(&p, &kernel, &report);
	report.late = kernel.late || engine.late;
	if (o->show || kernel.stuck || engine.stuck)
		show(stdout, &p, &kernel, &engine);
	if (what && !kernel.stuck && !engine.stuck)
		show_smallest(&p, what, &kernel, &engine);
	if (what)
		strncpy(report.what, what, sizeof(report.what) - 1);
	fflush(stdout);
	return write(o->out, &report, sizeof(report)) == sizeof(report) &&
	       !kernel.stuck && !engine.stuck;
}

int runner_main(const struct options *o)
{
	const char *fault = getenv("UFX_TEST_FAULT");

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGALRM, SIG_DFL); /* see run_both */
	if (fault && *fault && !fault_choose(fault)) {
		fprintf(stderr, "differential: no fault is called %s\n", fault);
		return 2;
	}
	run_start(o->shard % SPREAD != 0);
	for (uint64_t i = 0; i < o->count; i++)
		if (!one(o->seed + i, o))
			return 1;
	return 0;
}
