/* SPDX-License-Identifier: MIT */
/*
 * Where this process counts: in a section of the file that `ufutex run --stats`
 * gave it, else in memory of its own. A fork wipes the page that says where; so
 * the child finds a section of its own, by its fork handler, or, where that has
 * not run, when it counts for the first time. A child of vfork counts as its
 * parent.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "preload/statistics.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "host/memory.h"
#include "host/syscall.h"
#include "preload/bytes.h"
#include "preload/tables.h"

#define PAGE 4096

struct place {
	struct ufx_description *description;
	struct ufx_live *live;
};

/* Memory of its own: what it counts lies in front of the page that says where. */
static struct place own;
static struct ufx_statistics_file *file; /* or NULL */

struct ufx_statistics_anchor ufx_statistics_anchor
	__attribute__((visibility("hidden"))) = {
	UFX_STATISTICS_MAGIC, UFX_STATISTICS_VERSION, 0, NULL, NULL
};

__asm__(".pushsection .note.ufutex, \"a\", %note\n\t"
	".balign 4\n\t"
	".long 7, 8, 2\n\t" /* UFX_STATISTICS_NOTE_TYPE */
	".asciz \"ufutex\"\n\t"
	".balign 4\n\t"
	".quad ufx_statistics_anchor - .\n\t"
	".popsection");

/* What the anchor says; only we write there. */
static struct ufx_description *described(void)
{
	return (struct ufx_description *)ufx_load(&ufx_statistics_anchor.description);
}

static uint32_t own_pid(void)
{
	return (uint32_t)ufx_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static uint64_t now(void)
{
	struct timespec at = { 0 };

	ufx_syscall(SYS_clock_gettime, CLOCK_BOOTTIME, (long)&at, 0, 0, 0, 0);
	return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

/* ---- a section ---------------------------------------------------------------- */

static bool counted_nothing(const struct ufx_live *live)
{
	const uint64_t *n = live->stripes[0].n;

	for (unsigned int i = 0; i < UFX_STRIPES * UFX_COUNTS; i++)
		if (n[i])
			return false;
	return !live->tables;
}

/* A fork child that has become this program by exec had one, and no use for it. */
static struct ufx_section *find_left(uint32_t pid)
{
	for (uint32_t i = 0; i < UFX_STATISTICS_SECTIONS; i++)
		if (ufx_load(&file->pids[i]) == pid &&
		    counted_nothing(&file->sections[i].live))
			return &file->sections[i];
	return NULL;
}

static struct ufx_section *claim(uint32_t pid)
{
	uint32_t i;

	if (!file)
		return NULL;
	i = ufx_fetch_add(&file->claimed, 1);
	if (i >= UFX_STATISTICS_SECTIONS) {
		ufx_add_relaxed(&file->unseen, 1);
		return NULL;
	}
	ufx_store(&file->pids[i], pid);
	return &file->sections[i];
}

static void give_up(const struct ufx_section *s)
{
	if (s)
		ufx_store(&file->pids[s - file->sections], 0);
}

static void copy_description(struct ufx_description *to, const struct ufx_description *from)
{
	ufx_bytes_copy(to, from, offsetof(struct ufx_description, objects) +
					 from->objects_used * sizeof(*from->objects));
	ufx_bytes_copy(to->text, from->text, from->text_used);
}

static struct place place_of(struct ufx_section *s)
{
	return s ? (struct place){ &s->description, &s->live } : own;
}

/*
 * Begins to count in @s, or in memory of its own. A handler may do it in
 * between: then that holds.
 */
static struct ufx_stripe *begin_in(struct ufx_section *s, uint32_t pid)
{
	struct place p = place_of(s);
	struct ufx_stripe *none = NULL;

	if (described() && described() != p.description)
		copy_description(p.description, described());
	p.live->start = now();
	ufx_store(&p.live->pid, pid);
	if (!ufx_cas(&ufx_counting->stripes, &none, p.live->stripes)) {
		give_up(s);
		return none;
	}
	ufx_store(&ufx_statistics_anchor.description, p.description);
	return p.live->stripes;
}

/* After a fork. */
static struct ufx_stripe *begin(void)
{
	uint32_t pid = own_pid();

	return begin_in(claim(pid), pid);
}

static void begin_in_child(void)
{
	if (!ufx_load(&ufx_counting->stripes))
		begin();
}

/* ---- the file ------------------------------------------------------------------ */

static bool is_ours(const char *path)
{
	static const char wanted[] = "/memfd:" UFX_STATISTICS_FILE " ";
	char target[64];
	long got = ufx_syscall(SYS_readlinkat, AT_FDCWD, (long)path, (long)target,
			       sizeof(target), 0, 0);

	return got >= (long)sizeof(wanted) - 1 &&
	       ufx_bytes_equal(target, wanted, sizeof(wanted) - 1);
}

static void map_file(void)
{
	const char *path = getenv(UFX_STATISTICS_VARIABLE);
	long fd, p;

	if (!path || !*path || !is_ours(path))
		return;
	fd = ufx_syscall(SYS_openat, AT_FDCWD, (long)path, O_RDWR | O_CLOEXEC, 0, 0, 0);
	if (fd < 0)
		return;
	p = ufx_syscall(SYS_mmap, 0, sizeof(*file), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_NORESERVE, fd, 0);
	/* One of another version may be shorter. */
	if (ufx_syscall(SYS_lseek, fd, 0, SEEK_END, 0, 0, 0) == sizeof(*file) &&
	    (p > 0 || p < -4095))
		file = (struct ufx_statistics_file *)p;
	ufx_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
	if (file && (file->magic != UFX_STATISTICS_MAGIC ||
		     file->version != UFX_STATISTICS_VERSION ||
		     file->size != sizeof(*file)))
		file = NULL; /* what is mapped does no harm */
}

/* ---- what it is ----------------------------------------------------------------- */

/* Text is added under the loader's lock, or before there are threads. */
static uint32_t add_text(struct ufx_description *d, const char *text)
{
	uint32_t at = d->text_used ? d->text_used : 1;
	const char *end = d->text + sizeof(d->text) - 1;
	char *to = ufx_text_append(d->text + at, end, text);

	if (to == end) /* it does not fit */
		return 0;
	*to = '\0';
	d->text_used = (uint32_t)(to + 1 - d->text);
	return at;
}

static void name_program(struct ufx_description *d)
{
	char path[PATH_MAX];
	long got = ufx_syscall(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe",
			       (long)path, sizeof(path) - 1, 0, 0);

	if (got <= 0)
		return;
	path[got] = '\0';
	d->program = add_text(d, path);
}

void ufx_statistics_tier(enum ufx_tier tier, const char *reason)
{
	struct ufx_description *d = described();

	if (!d)
		return;
	d->tier = tier;
	d->reason = reason ? add_text(d, reason) : 0;
}

void ufx_statistics_not_all(const char *reason)
{
	struct ufx_description *d = described();

	if (d && !d->reason)
		d->reason = add_text(d, reason);
}

static void count_site(struct ufx_statistics_object *o, const struct ufx_site *s)
{
	o->futex += s->kind == UFX_SITE_FUTEX;
	o->tested += s->kind == UFX_SITE_TESTED;
	o->handler += s->kind == UFX_SITE_HANDLER;
	o->refused += s->refused && s->kind != UFX_SITE_UNLIKELY;
}

static bool same_text(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static bool is_known(const struct ufx_description *d, const char *path)
{
	for (uint32_t i = 0; i < d->objects_used; i++)
		if (same_text(d->text + d->objects[i].path, path))
			return true;
	return false;
}

void ufx_statistics_object(const struct ufx_found_table *found)
{
	struct ufx_description *d = described();
	struct ufx_statistics_object o = { 0 };
	const char *path = found->object.path;

	if (!d || !found->table || found->table->flags & UFX_TABLE_OWN)
		return;
	if (ufx_bytes_equal(path, "/proc/", 6) && d->program) /* the scanner's name */
		path = d->text + d->program;
	for (uint32_t i = 0; i < found->table->count; i++)
		count_site(&o, ufx_table_sites(found->table) + i);
	if (!(o.futex | o.tested | o.handler | o.refused) || is_known(d, path))
		return;
	if (d->objects_used < UFX_STATISTICS_OBJECTS)
		o.path = add_text(d, path);
	if (!o.path) {
		d->objects_lost++;
		return;
	}
	d->objects[d->objects_used] = o;
	ufx_store_release(&d->objects_used, d->objects_used + 1);
}

/* ---- as time goes by -------------------------------------------------------------- */

/* Under the default domain's lock. */
static void note_table(uint32_t slots)
{
	struct ufx_stripe *stripes = ufx_load(&ufx_counting->stripes);
	struct ufx_live *live = (void *)(stripes ? stripes : begin());
	uint32_t n = live->tables;
	struct ufx_statistics_slots *s =
		&live->changes[n ? 1 + (n - 1) % UFX_STATISTICS_CHANGES : 0];

	s->ns = now() - live->start;
	s->slots = slots;
	ufx_store_release(&live->tables, n + 1);
}

/* ---- the start --------------------------------------------------------------------- */

static bool make_own(void)
{
	char *pages = ufx_pages_alloc_wiped(sizeof(struct ufx_live) + PAGE);

	own.description = ufx_pages_alloc(sizeof(struct ufx_description));
	own.live = (struct ufx_live *)(void *)pages;
	if (!pages || !own.description)
		return false; /* it counts where nobody looks */
	ufx_counting_begin = begin;
	ufx_counting = (struct ufx_counting *)(void *)(pages + sizeof(struct ufx_live));
	ufx_statistics_anchor.counting = ufx_counting;
	return true;
}

static void clear(struct ufx_section *s)
{
	if (s)
		ufx_bytes_fill(&s->description, 0,
			       offsetof(struct ufx_description, objects));
}

void ufx_statistics_start(void)
{
	uint32_t pid = own_pid();
	struct ufx_section *s;

	if (!make_own())
		return;
	map_file();
	s = file ? find_left(pid) : NULL;
	clear(s);
	begin_in(s ? s : claim(pid), pid);
	name_program(described());
	ufx_counting_table = note_table;
	pthread_atfork(NULL, NULL, begin_in_child);
}
