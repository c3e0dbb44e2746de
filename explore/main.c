/* SPDX-License-Identifier: MIT */
/* The command: ufutex-explore run|replay|hunt|list|sites|faults|litmus. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "host/fault.h"
#include "litmus.h"
#include "options.h"
#include "state.h"

struct totals {
	uint64_t schedules, distinct, findings, runs;
	double seconds;
};

/* The next mode in a list such as "rseq fence", copied out; NULL at its end. */
static const char *next_mode(const char **list, char *mode)
{
	int length;

	if (sscanf(*list, "%15s%n", mode, &length) != 1)
		return NULL;
	*list += length;
	return mode;
}

static void append(const struct options *o, json_t *object)
{
	FILE *f = o->json ? fopen(o->json, "a") : NULL;

	if (o->json && !f) {
		fprintf(stderr, "explore: cannot write %s\n", o->json);
		exit(2);
	}
	if (f) {
		json_dumpf(object, f, JSON_COMPACT);
		fputc('\n', f);
		fclose(f);
	}
	json_decref(object);
}

static void print_found(const struct options *o, const struct request *r,
			const struct result *result)
{
	char command[REPLAY_SIZE + 4096]; /* static data are the schedule's */
	const char *choices = *result->replay ? result->replay : "0:0";

	snprintf(command, sizeof(command),
		 "%s replay %s --mode %s --memory %s%s%s --choices %s",
		 o->program, r->scenario->name, r->mode, r->weak ? "weak" : "sc",
		 o->mutant ? " --mutant " : "", o->mutant ? o->mutant : "",
		 choices);
	printf("%s: %s\n", r->scenario->name, model->message);
	explore_show(choices);
	printf("again: %s\n", command);
	append(o, json_pack("{ss ss sI ss ss}", "kind", "finding", "tool", "explore",
			    "seed", (json_int_t)result->seed, "what", model->message,
			    "replay", command));
}

static void print_line(const struct request *r, const struct result *result)
{
	printf("%-26s %-10s %-6s %9lu schedules, %lu steps at most%s\n",
	       r->scenario->name, r->mode, r->chance ? "chance" : "search",
	       result->distinct, result->deepest,
	       r->chance       ? "" :
	       result->complete ? ", all" :
				  ", not all");
	fflush(stdout);
}

/* Searches and draws as asked for; true if something was found. */
static bool run_one(const struct options *o, struct request *r, struct totals *t)
{
	for (int chance = 0; chance < 2; chance++) {
		struct result result;

		if (!(chance ? o->chance : o->search))
			continue;
		r->chance = chance;
		result = explore(r);
		t->schedules += result.schedules;
		t->distinct += result.distinct;
		t->seconds += result.seconds;
		t->runs++;
		if (result.found) {
			t->findings++;
			print_found(o, r, &result);
			return true;
		}
		if (!o->quiet)
			print_line(r, &result);
	}
	return false;
}

static struct request request_of(const struct options *o)
{
	return (struct request){ .bound = o->bound, .count = o->count,
				 .seconds = o->seconds, .weak = o->weak,
				 .seed = o->seed };
}

/* A shard takes every Nth pair of a scenario and a mode. */
static unsigned int run_all(const struct options *o, struct totals *t)
{
	unsigned int turn = 0; /* how many pairs there are, of all shards */

	for (unsigned int i = 0; scenarios[i]; i++) {
		const char *list = scenarios[i]->modes ? scenarios[i]->modes : "rseq";
		char mode[16];

		if (!options_select(o, scenarios[i]))
			continue;
		while (next_mode(&list, mode)) {
			struct request r = request_of(o);

			if ((o->mode && strcmp(o->mode, mode)) ||
			    turn++ % o->shards != o->shard - 1)
				continue;
			r.scenario = scenarios[i];
			r.mode = mode;
			run_one(o, &r, t);
		}
	}
	return turn;
}

static int run(const struct options *o)
{
	struct totals t = { 0 };
	char shard[32];

	if (!run_all(o, &t)) {
		fprintf(stderr, "explore: none of these scenarios has the mode '%s'\n",
			o->mode);
		return 2;
	}
	printf("%lu schedules, %lu of them distinct within their run; %lu findings; "
	       "%.1f s of CPU time, %.0f distinct schedules a minute\n",
	       t.schedules, t.distinct, t.findings, t.seconds,
	       t.seconds > 0 ? (double)t.distinct * 60 / t.seconds : 0);
	snprintf(shard, sizeof(shard), "%u/%u", o->shard, o->shards);
	append(o, json_pack("{ss ss ss sI sf sI s{sI sI sI}}", "kind", "summary", "tool",
			    "explore", "shard", shard, "seed", (json_int_t)o->seed,
			    "seconds", t.seconds, "findings", (json_int_t)t.findings,
			    "counts", "schedules", (json_int_t)t.schedules, "distinct",
			    (json_int_t)t.distinct, "runs", (json_int_t)t.runs));
	return t.findings ? 1 : 0;
}

static int replay(const struct options *o)
{
	const struct scenario *s = NULL;
	unsigned int selected = 0;

	for (unsigned int i = 0; scenarios[i]; i++)
		if (options_select(o, scenarios[i])) {
			selected++;
			s = scenarios[i];
		}
	if (selected != 1 || !o->choices) {
		fprintf(stderr, "explore: replay needs one scenario and --choices\n");
		return 2;
	}
	explore_set_up(s, o->mode ? o->mode : "rseq", o->weak);
	explore_learn();
	if (!explore_show(o->choices)) {
		fprintf(stderr, "explore: not what a finding printed: --choices '%s'\n",
			o->choices);
		return 2;
	}
	printf("%s\n", model->found ? model->message : "nothing found");
	return model->found ? 1 : 0;
}

/* ---- hunting a mutant ---- */

static const struct {
	bool chance;
	unsigned int bound;
	uint64_t count;
} rounds[] = {
	{ false, 1, 2000 },  { true, 0, 1000 },   { false, 2, 20000 },
	{ true, 0, 10000 },  { false, 2, 100000 }, { true, 0, 50000 },
};

static bool shares_a_rule(const char *a, const char *b)
{
	char rule[32];
	int length;

	while (sscanf(a, "%31s%n", rule, &length) == 1) {
		const char *at = strstr(b, rule);
		size_t n = strlen(rule);

		if (at && (at[n] == ' ' || !at[n]))
			return true;
		a += length;
	}
	return false;
}

#define RULES(name, rules, text) rules,
static const char *const fault_rules[] = { "", UFX_FAULT_LIST(RULES) };

#define PAIRS 1024 /* of a scenario and a mode: room for 4 modes each */

/* Where a weakened access is never met it is not looked for any longer. */
static bool hopeless(const bool *met, unsigned int round)
{
	return model->weakened_used && round > 1 && !*met;
}

static bool hunt_in(const struct options *o, const struct scenario *s, unsigned int round,
		    uint64_t *schedules, bool *met)
{
	const char *list = s->modes ? s->modes : "rseq";
	char mode[16];

	for (; next_mode(&list, mode); met++) {
		struct request r = request_of(o);
		struct result result;

		if ((o->mode && strcmp(o->mode, mode)) || hopeless(met, round))
			continue;
		model->weakened_met = false;
		r.scenario = s;
		r.mode = mode;
		r.chance = rounds[round].chance;
		r.bound = rounds[round].bound;
		r.count = rounds[round].count < o->count ? rounds[round].count : o->count;
		result = explore(&r);
		*schedules += result.schedules;
		*met |= model->weakened_met;
		if (!result.found)
			continue;
		printf("%s\n", json_dumps(json_pack("{ss ss ss sI ss ss}", "scenario", s->name,
			"mode", mode, "how", r.chance ? "chance" : "search", "schedules",
			(json_int_t)*schedules, "what", model->message, "choices",
			*result.replay ? result.replay : "0:0"), JSON_COMPACT));
		return true;
	}
	return false;
}

/* First the scenarios that are for the fault's rules, then all, then longer. */
static int hunt(const struct options *o)
{
	const char *rules = fault_rules[ufx_fault_chosen];
	bool *met = calloc(PAIRS, sizeof(*met));
	uint64_t schedules = 0;

	for (unsigned int round = 0; round < sizeof(rounds) / sizeof(rounds[0]); round++)
		for (int related = 1; related >= 0; related--)
			for (unsigned int i = 0; scenarios[i]; i++)
				if (options_select(o, scenarios[i]) &&
				    shares_a_rule(rules, scenarios[i]->rules) == related &&
				    hunt_in(o, scenarios[i], round, &schedules,
					    met + 4 * i))
					return 1;
	printf("{\"scenario\":null,\"schedules\":%lu}\n", schedules);
	return 0;
}

/* ---- lists ---- */

static int list(const struct options *o)
{
	json_t *all = json_array();

	for (unsigned int i = 0; scenarios[i]; i++) {
		const struct scenario *s = scenarios[i];

		if (options_select(o, s))
			json_array_append_new(all, json_pack("{ss ss ss ss}", "name", s->name,
				"what", s->what, "rules", s->rules, "modes",
				s->modes ? s->modes : "rseq"));
	}
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	return 0;
}

/* What any scenario comes by: run each for a while, and look. */
static int sites(const struct options *o)
{
	struct options short_run = *o;
	struct totals t = { 0 };
	json_t *all = json_array();

	model->sites = calloc(SITES, 1);
	short_run.count = short_run.count == UINT64_MAX ? 2000 : short_run.count;
	short_run.quiet = true;
	run_all(&short_run, &t);
	for (uintptr_t pc = 0; pc < SITES; pc++)
		if (model->sites[pc])
			json_array_append_new(all, json_pack("{sI si}", "pc", (json_int_t)pc,
							     "order", model->sites[pc]));
	json_dumpf(all, stdout, 0);
	putchar('\n');
	return t.findings ? 1 : 0;
}

#define ENTRY(name, rules, text)                                               \
	json_array_append_new(all, json_pack("{ss ss ss}", "name", #name, "rules", \
					     rules, "text", text));

static int faults(const struct options *o)
{
	json_t *all = json_array();

	(void)o;
	UFX_FAULT_LIST(ENTRY)
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	return 0;
}

static const struct {
	const char *name;
	int (*run)(const struct options *o);
} commands[] = {
	{ "run", run }, { "replay", replay }, { "hunt", hunt },
	{ "list", list }, { "sites", sites }, { "faults", faults },
	{ "litmus", run_litmus },
};

int main(int argc, char **argv)
{
	struct options o = options_parse(argc, argv);

	explore_catch_crashes();
	if (o.mutant)
		mutant_put_in(o.mutant);
	for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, o.command))
			return commands[i].run(&o);
	fprintf(stderr, "explore: no command '%s'; see --help\n", o.command);
	return 2;
}
