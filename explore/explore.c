/* SPDX-License-Identifier: MIT */
/* Schedules of a scenario, one after the other. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "explore.h"
#include "grace/mode.h"
#include "host/memory.h"
#include "ref/counted.h"
#include "state.h"

double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void claim_failed(const char *condition, const char *file, int line)
{
	const char *name = strrchr(file, '/');

	if (!model->exploring) { /* set-up, or the check at the end */
		model->found = true;
		snprintf(model->message, sizeof(model->message), "%s:%d: not so: %s",
			 name ? name + 1 : file, line, condition);
		return;
	}
	finding("%s:%d: not so: %s", name ? name + 1 : file, line, condition);
}

void *scene_memory(size_t size)
{
	return ufx_pages_alloc(size);
}

bool scene_at_zero(void)
{
	return model->scenario->at_zero;
}

unsigned int model_fiber(void)
{
	return model->now;
}

void scenario_take_signals(void)
{
	take_all_signals();
}

void scenario_pause(void)
{
	point_yield();
}

void scenario_migrate(void)
{
	fiber_now()->cpu = (fiber_now()->cpu + 1) % CPUS;
}

void scenario_free(void *memory)
{
	ufx_pages_free_stable(memory, 0);
}

bool scenario_fork(void)
{
	bool child;

	if (!model->exploring || model->forked)
		return false;
	child = choose(CHOICE_OTHER, 2, 2);
	if (child) {
		trace_note("-- fork: on in the child --");
		only_this_fiber();
	}
	return child;
}

static void give_up(const char *what)
{
	fprintf(stderr, "explore: %s: %s %s\n", model->scenario->name, what, model->message);
	exit(2);
}

void explore_set_up(const struct scenario *s, const char *mode, bool weak)
{
	snprintf(model->mode, sizeof(model->mode), "%s", mode);
	model->scenario = s;
	model->exploring = false;
	model->found = false;
	model->memory.weak = weak;
	model->statistics = (struct statistics){ 0 };
	model->now = 0;
	image_pristine();
	model->recycles = s->recycles;
	if (ufx_ref_start())
		give_up("the engine does not start in this mode");
	if (s->setup)
		s->setup();
	if (model->found)
		give_up("set-up failed:");
	threads_forget();
	image_keep();
}

/* A mutant may follow a wild pointer: that is a finding as well. */
static void on_crash(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (!model->exploring)
		_exit(2);
	finding("it crashes by signal %d at %p", sig, info->si_addr);
}

void explore_catch_crashes(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	stack_t stack = { .ss_size = STACK_SIZE, .ss_sp = malloc(STACK_SIZE) };

	action.sa_sigaction = on_crash;
	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

void explore_learn(void)
{
	struct choices *c = &model->choices;

	memset(model->memory.shared, 0, sizeof(model->memory.shared));
	c->strategy = CHANCE;
	for (uint64_t i = 1; i < 300; i++) {
		c->random = i * 0x9e3779b97f4a7c15u;
		run_schedule();
		if (model->found)
			break;
	}
	if (!model->found)
		model->statistics = (struct statistics){ .deepest = model->statistics.deepest };
}

/* Hashes of the sequences of choices that were seen. */
struct set {
	uint64_t *slots;
	uint64_t size, used;
};

static void grow(struct set *set);

static void add(struct set *set, uint64_t hash)
{
	uint64_t i;

	if (set->used * 2 >= set->size)
		grow(set);
	hash |= 1;
	for (i = hash * 0x9e3779b97f4a7c15u >> 20;; i++) {
		i &= set->size - 1;
		if (set->slots[i] == hash)
			return;
		if (!set->slots[i])
			break;
	}
	set->slots[i] = hash;
	set->used++;
}

static void grow(struct set *set)
{
	struct set old = *set;

	set->size = old.size ? 2 * old.size : 1 << 16;
	set->used = 0;
	set->slots = calloc(set->size, sizeof(*set->slots));
	if (!set->slots)
		abort();
	for (uint64_t i = 0; i < old.size; i++)
		if (old.slots[i])
			add(set, old.slots[i]);
	free(old.slots);
}

static void write_replay(char *text, size_t size)
{
	size_t used = 0;

	text[0] = 0;
	for (uint32_t i = 0; i < model->choices.used && used < size - 20; i++) {
		const struct record *r = &model->choices.records[i];

		if (r->chosen)
			used += (size_t)snprintf(text + used, size - used, "%s%u:%u",
						 used ? "," : "", r->call, r->chosen);
	}
}

static bool enough(const struct request *r, const struct result *result, double start)
{
	if (result->schedules >= r->count)
		return true;
	return r->seconds > 0 && !(result->schedules & 63) &&
	       cpu_seconds() - start >= r->seconds;
}

static void search(const struct request *r, struct result *result, double start)
{
	struct choices *c = &model->choices;

	c->strategy = SEARCH;
	c->bound = r->bound;
	c->given = 0;
	while (!enough(r, result, start)) {
		run_schedule();
		result->schedules++;
		result->distinct++;
		if (model->found)
			return;
		if (model->memory.newly_shared) { /* more points than we knew: again */
			model->memory.newly_shared = false;
			result->distinct = 0;
			c->given = 0;
		} else if (!choose_next()) {
			result->complete = true;
			return;
		}
	}
}

static void by_chance(const struct request *r, struct result *result, double start)
{
	struct choices *c = &model->choices;
	struct set seen = { NULL, 0, 0 };

	c->strategy = CHANCE;
	while (!enough(r, result, start)) {
		result->seed = r->seed + result->schedules;
		c->random = (result->seed + 1) * 0x9e3779b97f4a7c15u;
		run_schedule();
		result->schedules++;
		add(&seen, c->hash);
		if (model->found)
			break;
	}
	result->distinct = seen.used;
	free(seen.slots);
}

struct result explore(const struct request *r)
{
	struct result result = { .seed = r->seed };
	double start = cpu_seconds();

	explore_set_up(r->scenario, r->mode, r->weak);
	explore_learn();
	if (!model->found) {
		model->memory.newly_shared = false;
		if (r->chance)
			by_chance(r, &result, start);
		else
			search(r, &result, start);
	} else {
		result.schedules = model->statistics.schedules;
	}
	result.found = model->found;
	result.steps = model->statistics.steps;
	result.deepest = model->statistics.deepest;
	result.seconds = cpu_seconds() - start;
	if (result.found)
		write_replay(result.replay, sizeof(result.replay));
	return result;
}

/* False if @text is not what a finding prints. */
static bool read_replay(const char *text)
{
	struct choices *c = &model->choices;
	unsigned int call, chosen;
	int length;

	c->given = 0;
	while (c->given < RECORDS &&
	       sscanf(text, "%u:%3u%n", &call, &chosen, &length) == 2 && chosen < 32) {
		c->records[c->given++] = (struct record){ call, 0, 0, (uint8_t)chosen };
		text += length;
		if (!*text)
			return true;
		if (*text++ != ',')
			break;
	}
	return false;
}

bool explore_show(const char *replay)
{
	model->choices.strategy = REPLAY;
	if (!read_replay(replay))
		return false;
	model->tracing = true;
	run_schedule();
	model->tracing = false;
	trace_print();
	return true;
}
