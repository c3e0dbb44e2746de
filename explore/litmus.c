/* SPDX-License-Identifier: MIT */
/* The command litmus: is the model of memory what it says? */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "litmus.h"
#include "options.h"
#include "state.h"
#include "scenarios/litmus.h"

#define BOUND 4

static bool expected(const struct litmus *l, bool weak)
{
	return l->expected == LITMUS_ALWAYS || (l->expected == LITMUS_WEAK && weak);
}

/* Found and of that kind; or not found, and nothing left to try. */
static bool as_expected(const struct litmus *l, const struct result *r, bool weak)
{
	if (!expected(l, weak))
		return !r->found && r->complete;
	return r->found && strstr(model->message, l->finding);
}

static bool try(const struct options *o, const struct litmus *l)
{
	const struct request request = { .scenario = &l->scenario, .mode = "rseq",
					 .bound = BOUND, .count = o->count,
					 .weak = o->weak };
	struct result r = explore(&request);
	bool good = as_expected(l, &r, o->weak);
	json_t *line = json_pack("{ss ss sb sb sb sb sI ss}", "name", l->scenario.name,
		"what", l->scenario.what, "ok", good, "expected", expected(l, o->weak),
		"found", r.found, "all", r.complete, "schedules", (json_int_t)r.schedules,
		"message", r.found ? model->message : "");

	json_dumpf(line, stdout, 0);
	putchar('\n');
	json_decref(line);
	return good;
}

int run_litmus(const struct options *o)
{
	bool good = true;

	for (const struct litmus *l = litmus; l->scenario.name; l++)
		good &= try(o, l);
	return good ? 0 : 1;
}
