/* SPDX-License-Identifier: MIT */
/* ufutex sites: where the code of an object calls futex(2). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "sites/cache.h"
#include "sites/find.h"
#include "sites/text.h"

static const char usage[] =
	"usage: ufutex sites [OPTIONS] [--] FILE...\n"
	"\n"
	"Finds the places in the code of programs and shared objects where futex(2) or\n"
	"rt_sigaction(2) is called, and the instructions at each that a jump of 5 bytes\n"
	"could replace.\n"
	"\n"
	"  --all        one line a place: address, function, kind, the replaced bytes,\n"
	"               their instructions\n"
	"  --json       all that as one JSON object\n"
	"  --tables FD  their tables (docs/sites.rst), one behind the other, to the file\n"
	"               descriptor FD\n"
	"  --no-cache   search anew, and keep nothing\n"
	"  --help       this text\n"
	"\n"
	"Kinds: futex, a system call with its number, or that of futex_waitv, futex_wait,\n"
	"futex_wake or futex_requeue, as a constant; handler, the same of rt_sigaction;\n"
	"tested, one whose number is known only when it is made. Others are not listed.\n"
	"Refused are those where no such instructions are found, with the reason; apart\n"
	"from these, unlikely are bytes that look like a system call, but in data, within\n"
	"an instruction, or with another's number.\n"
	"\n"
	"Results are kept in $XDG_CACHE_HOME/ufutex/sites, or ~/.cache/ufutex/sites, by\n"
	"the build-id of the object; one without a build-id is always searched.\n"
	"\n"
	"Exit status: 0; 1 an object cannot be read; 2 bad usage.\n";

struct request {
	bool all, json, no_cache, help;
	int tables; /* a file descriptor, or -1 */
	char **files;
};

/* One object's answer. */
struct found {
	const char *path;
	struct ufx_object object;
	struct ufx_site_list sites;
	bool cached;
};

static const char *const kinds[] = {
	[UFX_SITE_FUTEX] = "futex",
	[UFX_SITE_TESTED] = "tested",
	[UFX_SITE_HANDLER] = "handler",
	[UFX_SITE_UNLIKELY] = "unlikely",
};

/* ---- options ---------------------------------------------------------------- */

static bool *flag(struct request *r, const char *word)
{
	if (!strcmp(word, "--all"))
		return &r->all;
	if (!strcmp(word, "--json"))
		return &r->json;
	if (!strcmp(word, "--no-cache"))
		return &r->no_cache;
	if (!strcmp(word, "--help") || !strcmp(word, "-h"))
		return &r->help;
	return NULL;
}

static int parse_tables(struct request *r, const char *word)
{
	char *end;
	long fd;

	if (!word)
		return ufx_cli_error("sites", "--tables needs a file descriptor");
	errno = 0;
	fd = strtol(word, &end, 10);
	if (*word < '0' || *word > '9' || *end || errno || fd > INT_MAX)
		return ufx_cli_error("sites", "'%s' is no file descriptor", word);
	if (fcntl((int)fd, F_GETFD) < 0)
		return ufx_cli_error("sites", "file descriptor %s is not open", word);
	r->tables = (int)fd;
	return 0;
}

static int parse(struct request *r, char **arg)
{
	for (arg++; *arg && **arg == '-'; arg++) {
		bool *option;
		int status;

		if (!strcmp(*arg, "--")) {
			arg++;
			break;
		}
		if (!strcmp(*arg, "--tables")) {
			status = parse_tables(r, *++arg);
			if (status)
				return status;
			continue;
		}
		option = flag(r, *arg);
		if (!option)
			return ufx_cli_error("sites", "unknown option '%s'; try "
					     "ufutex sites --help", *arg);
		*option = true;
	}
	r->files = arg;
	if (r->tables >= 0 && (r->all || r->json))
		return ufx_cli_error("sites", "--tables goes without --all and --json");
	return *arg || r->help ? 0 :
		ufx_cli_error("sites", "a file is missing; try ufutex sites --help");
}

/* ---- an object -------------------------------------------------------------- */

static const char *search(struct found *f, bool no_cache)
{
	struct ufx_sites_cache cache;
	enum ufx_cache_answer answer = UFX_CACHE_MISS;
	const char *why;

	if (f->object.own)
		return NULL;
	ufx_cache_find(&cache, &f->object);
	if (!no_cache)
		answer = ufx_cache_read(&cache, &f->object, &f->sites, &why);
	f->cached = answer == UFX_CACHE_HIT;
	if (f->cached)
		return NULL;
	if (answer == UFX_CACHE_BAD)
		ufx_cli_error("sites", "%s is not used, it %s", cache.path, why);
	why = ufx_sites_find(&f->object, &f->sites);
	if (!why && !no_cache)
		ufx_cache_write(&cache, &f->object, &f->sites);
	return why;
}

static void build_id_text(const struct ufx_object *o, char *text)
{
	*text = '\0';
	for (size_t i = 0; i < o->build_id_size; i++)
		sprintf(text + 2 * i, "%02x", o->build_id[i]);
}

static void bytes_text(const struct ufx_site *site, char *text)
{
	for (int i = 0; i < site->length; i++)
		sprintf(text + 3 * i, i + 1 < site->length ? "%02x " : "%02x",
			site->bytes[i]);
}

/* "name+0x12"; without a name, the address where the function begins. */
static void place_text(const struct ufx_object *o, uint64_t address, char *text,
		       size_t size)
{
	size_t n = ufx_object_function(o, address);
	uint64_t offset = 0;
	const char *name = ufx_object_name(o, address, &offset);

	if (name)
		snprintf(text, size, "%s+0x%llx", name, (unsigned long long)offset);
	else if (n < o->function_count && o->functions[n].start <= address)
		snprintf(text, size, "0x%llx+0x%llx",
			 (unsigned long long)o->functions[n].start,
			 (unsigned long long)(address - o->functions[n].start));
	else
		snprintf(text, size, "0x%llx", (unsigned long long)address);
}

/* ---- counts ----------------------------------------------------------------- */

struct counts {
	unsigned int kind[UFX_SITE_KINDS]; /* refused ones, too */
	unsigned int functions[UFX_SITE_KINDS]; /* that these are in */
	unsigned int refused[UFX_REFUSED_REASONS]; /* without unlikely ones */
	unsigned int all_refused;
};

static struct counts count(const struct found *f)
{
	size_t last[UFX_SITE_KINDS];
	struct counts c = { 0 };

	memset(last, 0xff, sizeof(last));
	for (size_t i = 0; i < f->sites.count; i++) {
		const struct ufx_site *s = &f->sites.list[i];
		size_t n = ufx_object_function(&f->object, s->address);

		c.kind[s->kind]++;
		c.functions[s->kind] += n != last[s->kind];
		last[s->kind] = n;
		if (s->refused && s->kind != UFX_SITE_UNLIKELY) {
			c.refused[s->refused]++;
			c.all_refused++;
		}
	}
	return c;
}

/* ---- as text ---------------------------------------------------------------- */

static void print_site(const struct found *f, const struct ufx_site *s)
{
	char place[256], bytes[3 * UFX_SITE_BYTES], text[UFX_SITE_TEXT];

	place_text(&f->object, s->address, place, sizeof(place));
	bytes_text(s, bytes);
	ufx_site_text(s, text);
	printf("  0x%-8llx %-40s %-8s  %-38s  %s%s%s\n",
	       (unsigned long long)s->address, place, kinds[s->kind], bytes, text,
	       s->refused ? "  refused: " : "",
	       s->refused ? ufx_site_reason(s->refused) : "");
}

static void print_found(const struct found *f, bool all)
{
	char id[2 * UFX_BUILD_ID_MAX + 1];
	struct counts c = count(f);

	build_id_text(&f->object, id);
	if (f->object.own) {
		printf("%s\n  build-id  %s\n  left alone, it has the engine in it\n",
		       f->path, *id ? id : "none");
		return;
	}
	printf("%s\n"
	       "  build-id  %s\n"
	       "  sites     %u futex in %u functions, %u tested in %u, %u handler in %u\n"
	       "  refused   %u\n",
	       f->path, *id ? id : "none", c.kind[UFX_SITE_FUTEX],
	       c.functions[UFX_SITE_FUTEX], c.kind[UFX_SITE_TESTED],
	       c.functions[UFX_SITE_TESTED], c.kind[UFX_SITE_HANDLER],
	       c.functions[UFX_SITE_HANDLER], c.all_refused);
	for (int why = 1; why < UFX_REFUSED_REASONS; why++)
		if (c.refused[why])
			printf("    %u: %s\n", c.refused[why],
			       ufx_site_reason((enum ufx_site_refused)why));
	if (c.kind[UFX_SITE_UNLIKELY])
		printf("  unlikely  %u\n", c.kind[UFX_SITE_UNLIKELY]);
	for (size_t i = 0; all && i < f->sites.count; i++)
		print_site(f, &f->sites.list[i]);
}

/* ---- as JSON ---------------------------------------------------------------- */

static json_t *site_json(const struct found *f, const struct ufx_site *s)
{
	char place[256], bytes[3 * UFX_SITE_BYTES], text[UFX_SITE_TEXT];

	place_text(&f->object, s->address, place, sizeof(place));
	bytes_text(s, bytes);
	ufx_site_text(s, text);
	return json_pack("{s:I, s:i, s:i, s:s, s:s, s:s, s:s, s:o, s:o}",
			 "address", (json_int_t)s->address, "length", s->length,
			 "syscall", s->syscall, "function", place,
			 "kind", kinds[s->kind], "bytes", bytes,
			 "instructions", text, "relocation",
			 s->flags & UFX_SITE_RELATIVE ? json_integer(s->relocation) :
							json_null(),
			 "refused", s->refused ?
				 json_string(ufx_site_reason(s->refused)) :
				 json_null());
}

static json_t *found_json(const struct found *f)
{
	char id[2 * UFX_BUILD_ID_MAX + 1];
	struct counts c = count(f);
	json_t *list = json_array();

	build_id_text(&f->object, id);
	for (size_t i = 0; i < f->sites.count; i++)
		json_array_append_new(list, site_json(f, &f->sites.list[i]));
	return json_pack("{s:s, s:o, s:I, s:b, s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o}",
			 "path", f->path, "build_id",
			 *id ? json_string(id) : json_null(),
			 "text_size", (json_int_t)f->object.text_size,
			 "own", f->object.own, "cached", f->cached, "futex", (int)c.kind[UFX_SITE_FUTEX],
			 "futex_functions", (int)c.functions[UFX_SITE_FUTEX],
			 "tested", (int)c.kind[UFX_SITE_TESTED],
			 "tested_functions", (int)c.functions[UFX_SITE_TESTED],
			 "handler", (int)c.kind[UFX_SITE_HANDLER],
			 "handler_functions", (int)c.functions[UFX_SITE_HANDLER],
			 "refused", (int)c.all_refused,
			 "unlikely", (int)c.kind[UFX_SITE_UNLIKELY], "sites", list);
}

/* ---- as tables -------------------------------------------------------------- */

/*
 * Each file has its table, if only one that tells of an error: the reader takes
 * them in order. Returns false if it cannot be written.
 */
static bool send_table(const struct request *r, const char *path, int *status)
{
	struct found f = { .path = path };
	const char *why = ufx_object_open(&f.object, path);
	size_t size;
	void *table;
	bool sent;

	if (!why)
		why = search(&f, r->no_cache);
	if (why)
		ufx_cli_error("sites", "%s: it %s", path, why);
	table = ufx_cache_table(&f.object, why ? NULL : &f.sites, &size);
	sent = ufx_cache_write_all(r->tables, table, size);
	if (!sent)
		ufx_cli_error("sites", "the table of %s cannot be written", path);
	if (why || !sent)
		*status = 1;
	free(table);
	ufx_sites_free(&f.sites);
	ufx_object_close(&f.object);
	return sent;
}

static int send_tables(const struct request *r)
{
	int status = 0;

	for (char **file = r->files; *file && send_table(r, *file, &status);)
		file++;
	return status;
}

/* ---- all of it -------------------------------------------------------------- */

/* Prints, or appends to @objects if that is not NULL. Returns 1 if it cannot. */
static int show(const struct request *r, const char *path, json_t *objects)
{
	struct found f = { .path = path };
	const char *why = ufx_object_open(&f.object, path);

	if (!why)
		why = search(&f, r->no_cache);
	if (!why)
		why = ufx_object_functions(&f.object);
	if (why)
		ufx_cli_error("sites", "%s: it %s", path, why);
	else if (objects)
		json_array_append_new(objects, found_json(&f));
	else
		print_found(&f, r->all);
	ufx_sites_free(&f.sites);
	ufx_object_close(&f.object);
	return why ? 1 : 0;
}

int ufx_cmd_sites(int argc, char **argv)
{
	struct request r = { .tables = -1 };
	json_t *objects, *all;
	int status = parse(&r, argv);

	(void)argc;
	if (status)
		return status;
	if (r.help) {
		fputs(usage, stdout);
		return 0;
	}
	if (r.tables >= 0)
		return send_tables(&r);
	objects = r.json ? json_array() : NULL;
	for (char **file = r.files; *file; file++)
		status |= show(&r, *file, objects);
	if (r.json) {
		all = json_pack("{s:o}", "objects", objects);
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(all);
	}
	return status;
}
