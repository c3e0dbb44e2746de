/* SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "cli/statistics.h"

#include <inttypes.h>
#include <string.h>

static const char *const kinds[UFX_OPERATIONS] = {
	[UFX_OPERATION_WAIT] = "wait",
	[UFX_OPERATION_WAKE] = "wake",
	[UFX_OPERATION_REQUEUE] = "requeue",
	[UFX_OPERATION_WAKE_OP] = "wake_op",
	[UFX_OPERATION_WAITV] = "waitv",
	[UFX_OPERATION_PI] = "pi",
	[UFX_OPERATION_OTHER] = "other",
};

static const char *const tiers[] = {
	[UFX_TIER_NONE] = "none",
	[UFX_TIER_OBSERVE] = "observe",
	[UFX_TIER_PATCH] = "patch",
};

/* ---- reading ---------------------------------------------------------------- */

/* The program itself may have written over it. */
static const char *text_of(const struct ufx_description *d, uint32_t at)
{
	if (at >= UFX_STATISTICS_TEXT || !memchr(d->text + at, 0, UFX_STATISTICS_TEXT - at))
		return "";
	return d->text + at;
}

static void sum(struct ufx_counted *c)
{
	for (unsigned int i = 0; i < UFX_STRIPES; i++)
		for (unsigned int k = 0; k < UFX_COUNTS; k++)
			c->n[k] += ufx_load(&c->live->stripes[i].n[k]);
	for (unsigned int k = 0; k < UFX_OPERATIONS; k++) {
		c->served += c->n[UFX_COUNT_SERVED + k];
		c->passed += c->n[UFX_COUNT_PASSED + k];
	}
}

void ufx_counted_read(struct ufx_counted *c, const struct ufx_description *description,
		      const struct ufx_live *live)
{
	uint32_t tier = ufx_load(&description->tier);

	memset(c, 0, sizeof(*c));
	c->description = description;
	c->live = live;
	c->pid = ufx_load(&live->pid);
	c->program = text_of(description, description->program);
	c->reason = description->reason ? text_of(description, description->reason) : NULL;
	c->tier = tiers[tier <= UFX_TIER_PATCH ? tier : 0];
	sum(c);
}

void ufx_counted_unreached(struct ufx_counted *c, uint32_t pid, const char *program,
			   const char *reason)
{
	memset(c, 0, sizeof(*c));
	c->pid = pid;
	c->program = program;
	c->tier = tiers[UFX_TIER_NONE];
	c->reason = reason;
}

/* The difference may be off by those that are just beginning. */
static uint64_t without_kernel(const struct ufx_counted *c)
{
	uint64_t calling = c->n[UFX_COUNT_CALLING];

	return c->served > calling ? c->served - calling : 0;
}

static uint32_t tables(const struct ufx_counted *c)
{
	return c->live ? ufx_load_acquire(&c->live->tables) : 0;
}

static uint32_t replacements(const struct ufx_counted *c)
{
	uint32_t n = tables(c);

	return n ? n - 1 : 0;
}

/* ---- as JSON ------------------------------------------------------------------ */

json_t *ufx_counted_string(const char *text)
{
	json_t *string = json_string(text);
	char copy[UFX_STATISTICS_TEXT];

	if (string)
		return string;
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *at = copy; *at; at++)
		if ((unsigned char)*at >= 128)
			*at = '?';
	return json_string(copy);
}

static json_t *sites_json(const struct ufx_description *d)
{
	json_t *list = json_array();

	for (uint32_t i = 0; d && i < ufx_load_acquire(&d->objects_used) &&
			     i < UFX_STATISTICS_OBJECTS; i++) {
		const struct ufx_statistics_object *o = &d->objects[i];

		json_array_append_new(list, json_pack("{s:o, s:I, s:I, s:I, s:I}",
			"object", ufx_counted_string(text_of(d, o->path)),
			"futex", (json_int_t)o->futex, "tested", (json_int_t)o->tested,
			"handler", (json_int_t)o->handler,
			"refused", (json_int_t)o->refused));
	}
	return list;
}

static json_t *operations_json(const struct ufx_counted *c)
{
	json_t *all = json_object();

	for (unsigned int k = 0; k < UFX_OPERATIONS; k++)
		json_object_set_new(all, kinds[k], json_pack("{s:I, s:I}",
			"served", (json_int_t)c->n[UFX_COUNT_SERVED + k],
			"passed", (json_int_t)c->n[UFX_COUNT_PASSED + k]));
	return all;
}

static const struct ufx_statistics_slots *change(const struct ufx_counted *c, uint32_t n)
{
	return &c->live->changes[n ? 1 + (n - 1) % UFX_STATISTICS_CHANGES : 0];
}

static json_t *slots_json(const struct ufx_counted *c)
{
	uint32_t n = tables(c), i = 0;
	json_t *list = json_array();

	while (i < n) {
		const struct ufx_statistics_slots *s = change(c, i);

		json_array_append_new(list, json_pack("{s:I, s:I}",
			"ns", (json_int_t)s->ns, "slots", (json_int_t)s->slots));
		/* Those between the first and the last ones are not kept. */
		i++;
		if (i == 1 && n > UFX_STATISTICS_CHANGES + 1)
			i = n - UFX_STATISTICS_CHANGES;
	}
	return list;
}

json_t *ufx_counted_json(const struct ufx_counted *c)
{
	return json_pack("{s:I, s:o, s:s, s:o, s:b, s:o, s:o, s:I, s:I, s:I, s:I, s:I,"
			 " s:I, s:I, s:I, s:o}",
			 "pid", (json_int_t)c->pid, "program", ufx_counted_string(c->program),
			 "tier", c->tier,
			 "reason", c->reason ? ufx_counted_string(c->reason) : json_null(),
			 "running", c->running,
			 "sites", sites_json(c->description),
			 "operations", operations_json(c),
			 "served", (json_int_t)c->served, "passed", (json_int_t)c->passed,
			 "without_kernel", (json_int_t)without_kernel(c),
			 "sleeps", (json_int_t)c->n[UFX_COUNT_SLEPT],
			 "futex_calls", (json_int_t)c->n[UFX_COUNT_FUTEX],
			 "waitv_calls", (json_int_t)c->n[UFX_COUNT_WAITV],
			 "watchdog", (json_int_t)c->n[UFX_COUNT_FOREIGN],
			 "replacements", (json_int_t)replacements(c),
			 "slots", slots_json(c));
}

/* ---- as a table ----------------------------------------------------------------- */

static uint64_t slots_now(const struct ufx_counted *c)
{
	uint32_t n = tables(c);

	return n ? change(c, n - 1)->slots : 0;
}

static void print_process(FILE *out, const struct ufx_counted *c)
{
	char share[8] = "-";

	if (c->served)
		snprintf(share, sizeof(share), "%.1f%%",
			 100.0 * (double)without_kernel(c) / (double)c->served);
	fprintf(out, "%8u  %-7s %11" PRIu64 " %9" PRIu64 " %7s %9" PRIu64 " %9" PRIu64
		     " %9" PRIu64 " %7" PRIu64 "  %s%s\n",
		c->pid, c->tier, c->served, c->passed, share, c->n[UFX_COUNT_SLEPT],
		c->n[UFX_COUNT_FUTEX], c->n[UFX_COUNT_WAITV], slots_now(c), c->program,
		c->running ? " (still running)" : "");
	if (c->reason)
		fprintf(out, "          not served: %s\n", c->reason);
	if (c->n[UFX_COUNT_FOREIGN])
		fprintf(out, "          woken by calls from elsewhere: %" PRIu64 "\n",
			c->n[UFX_COUNT_FOREIGN]);
}

static void print_kinds(FILE *out, const uint64_t n[UFX_COUNTS])
{
	fprintf(out, "\n%17s %11s %9s\n", "operation", "served", "passed");
	for (unsigned int k = 0; k < UFX_OPERATIONS; k++)
		if (n[UFX_COUNT_SERVED + k] || n[UFX_COUNT_PASSED + k])
			fprintf(out, "%17s %11" PRIu64 " %9" PRIu64 "\n", kinds[k],
				n[UFX_COUNT_SERVED + k], n[UFX_COUNT_PASSED + k]);
}

/* Children that became something else, or did nothing. */
static bool is_idle(const struct ufx_counted *c)
{
	return !c->served && !c->passed && !c->reason;
}

void ufx_counted_table(FILE *out, const struct ufx_counted *list, size_t count)
{
	uint64_t all[UFX_COUNTS] = { 0 };
	size_t idle = 0;

	fprintf(out, "%8s  %-7s %11s %9s %7s %9s %9s %9s %7s  %s\n", "pid", "tier",
		"served", "passed", "no call", "sleeps", "futex(2)", "waitv(2)", "slots",
		"program");
	for (size_t i = 0; i < count; i++) {
		if (count > 1 && is_idle(&list[i]))
			idle++;
		else
			print_process(out, &list[i]);
		for (unsigned int k = 0; k < UFX_COUNTS; k++)
			all[k] += list[i].n[k];
	}
	if (idle)
		fprintf(out, "          and %zu that called nothing\n", idle);
	print_kinds(out, all);
}
