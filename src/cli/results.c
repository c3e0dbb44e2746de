/* SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "cli/results.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"

/* ---- where to ------------------------------------------------------------------ */

static int cannot_write(const char *path)
{
	return ufx_cli_error("run", "statistics cannot be written to '%s': %s", path,
			     strerror(errno));
}

/* Files of processes are made when their numbers are known. */
static int check_directory(const char *path)
{
	char copy[PATH_MAX];

	if (strlen(path) >= sizeof(copy) - 16) {
		errno = ENAMETOOLONG;
		return cannot_write(path);
	}
	strcpy(copy, path);
	return access(dirname(copy), W_OK | X_OK) ? cannot_write(path) : 0;
}

int ufx_results_open(struct ufx_results *r, const char *how)
{
	static const char json[] = "json:";

	if (!*how)
		return 0;
	if (strncmp(how, json, strlen(json)))
		return ufx_cli_error("run", "--stats or --stats=json:FILE, not '%s'; "
				     "try ufutex run --help", how);
	r->path = how + strlen(json);
	if (!*r->path)
		return ufx_cli_error("run", "a file is missing behind '--stats=json:'; "
				     "try ufutex run --help");
	r->pid_in_path = strstr(r->path, "%p");
	if (r->pid_in_path)
		return check_directory(r->path);
	r->out = fopen(r->path, "we");
	return r->out ? 0 : cannot_write(r->path);
}

/* ---- who ------------------------------------------------------------------------ */

/* When the process began, in ns since the machine did; 0: there is none. */
static uint64_t began(uint32_t pid)
{
	char path[32], line[1024], state;
	unsigned long long ticks = 0;
	const char *rest;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	rest = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	if (!rest || sscanf(rest + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u"
				      " %*d %*d %*d %*d %*d %*d %llu", &state, &ticks) != 2 ||
	    state == 'Z' || state == 'X')
		return 0;
	return ticks * (1000000000 / (unsigned long)sysconf(_SC_CLK_TCK));
}

/* Not another one with its number. */
static bool is_running(const struct ufx_counted *c)
{
	uint64_t when = began(c->pid);

	return when && when <= c->live->start;
}

static bool is_latest(const struct ufx_results *r, size_t i)
{
	for (size_t other = i + 1; other < r->count; other++)
		if (r->list[other].pid == r->list[i].pid)
			return false;
	return true;
}

static void gather(struct ufx_results *r)
{
	for (unsigned int i = 0; i < UFX_STATISTICS_SECTIONS; i++) {
		const struct ufx_section *s = &r->file->sections[i];

		if (ufx_load_acquire(&r->file->pids[i]) && ufx_load_acquire(&s->live.pid))
			ufx_counted_read(&r->list[r->count++], &s->description, &s->live);
	}
	/* One that becomes another program counts anew, with the same number. */
	for (size_t i = 0; i < r->count; i++)
		r->list[i].running = r->list[i].live && is_latest(r, i) &&
				     is_running(&r->list[i]);
}

void ufx_results_add_unreached(struct ufx_results *r, uint32_t pid, const char *path,
			       const char *reason)
{
	ufx_counted_unreached(&r->list[r->count++], pid, path, reason);
}

/* ---- as JSON --------------------------------------------------------------------- */

static void dump(FILE *out, const char *path, json_t *all)
{
	bool good = !json_dumpf(all, out, JSON_INDENT(1)) && fputc('\n', out) != EOF;

	good = !fclose(out) && good;
	if (!good)
		cannot_write(path);
	json_decref(all);
}

static json_t *command_json(char **command)
{
	json_t *list = json_array();

	for (; *command; command++)
		json_array_append_new(list, ufx_counted_string(*command));
	return list;
}

static void write_one_file(struct ufx_results *r)
{
	json_t *processes = json_array();

	for (size_t i = 0; i < r->count; i++)
		json_array_append_new(processes, ufx_counted_json(&r->list[i]));
	dump(r->out, r->path,
	     json_pack("{s:i, s:o, s:I, s:o}", "version", 1, "command",
		       command_json(r->command), "unseen",
		       (json_int_t)ufx_load(&r->file->unseen), "processes", processes));
}

/* "PID", of one that then became another program by exec "PID-1" and so on. */
static void name_file(const struct ufx_results *r, size_t i, char *path, size_t size)
{
	unsigned int later = 0;
	char number[32];

	for (size_t before = 0; before < i; before++)
		later += r->list[before].pid == r->list[i].pid;
	if (is_latest(r, i))
		snprintf(number, sizeof(number), "%u", r->list[i].pid);
	else
		snprintf(number, sizeof(number), "%u-%u", r->list[i].pid, later + 1);
	snprintf(path, size, "%.*s%s%s", (int)(r->pid_in_path - r->path), r->path, number,
		 r->pid_in_path + 2);
}

static void write_each_file(struct ufx_results *r)
{
	for (size_t i = 0; i < r->count; i++) {
		char path[PATH_MAX];
		FILE *out;

		name_file(r, i, path, sizeof(path));
		out = fopen(path, "we");
		if (out)
			dump(out, path, ufx_counted_json(&r->list[i]));
		else
			cannot_write(path);
	}
}

/* ---- all of it -------------------------------------------------------------------- */

void ufx_results_write(struct ufx_results *r)
{
	uint32_t unseen = ufx_load(&r->file->unseen);

	gather(r);
	if (!r->path) {
		fputs("\nufutex run:\n", stderr);
		ufx_counted_table(stderr, r->list, r->count);
	} else if (r->pid_in_path) {
		write_each_file(r);
	} else {
		write_one_file(r);
	}
	if (unseen)
		ufx_cli_error("run", "%u more processes were not counted, %u at most are",
			      unseen, UFX_STATISTICS_SECTIONS);
}
