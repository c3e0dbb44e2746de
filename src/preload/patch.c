/* SPDX-License-Identifier: MIT */
#include <link.h>

#include "host/guard.h"
#include "host/memory.h"
#include "host/thread.h"
#include "preload/bytes.h"
#include "preload/objects.h"
#include "preload/patch.h"
#include "preload/preload.h"
#include "preload/slots.h"
#include "preload/statistics.h"
#include "preload/tables.h"

/* What has been looked at, so that each object is only once. */
struct known {
	const void *id;
	uintptr_t bias;
};

#define KNOWN_MAX 4096

static struct known known[KNOWN_MAX];
static unsigned int known_count;

static char reason[512];

static const char *because(const char *path, const char *why)
{
	const char *end = reason + sizeof(reason) - 1;
	char *at = ufx_text_append(reason, end, path);

	at = ufx_text_append(at, end, ": ");
	*ufx_text_append(at, end, why) = '\0';
	return reason;
}

static const char *refused(enum ufx_site_refused why)
{
	static char text[128];
	const char *end = text + sizeof(text) - 1;
	char *at = ufx_text_append(text, end, "a system call in it cannot be replaced: ");

	*ufx_text_append(at, end, ufx_site_reason(why)) = '\0';
	return text;
}

/* ---- one object -------------------------------------------------------------- */

/* @site is usable: 5 bytes or more. */
static bool same_bytes(const struct ufx_site *site, uintptr_t bias)
{
	uintptr_t at = bias + (uintptr_t)site->address;

	for (unsigned int i = 0; i < site->length; i += 4) {
		uintptr_t from = i + 4 <= site->length ? at + i : at + site->length - 4;
		uint32_t value;

		if (ufx_guarded_load_any((const uint32_t *)from, &value) ||
		    !ufx_bytes_equal(&value, site->bytes + (from - at), 4))
			return false;
	}
	return true;
}

/* It has translated some code already, and goes on with that. */
static bool is_of_valgrind(const struct ufx_loaded *o)
{
	const char *name = o->path;

	for (const char *at = o->path; *at; at++)
		if (*at == '/')
			name = at + 1;
	return ufx_bytes_equal(name, "vgpreload_", 10);
}

static const char *judge(const struct ufx_found_table *f)
{
	const struct ufx_site *sites;

	if (is_of_valgrind(&f->object))
		return "under valgrind its code cannot be changed";
	if (!f->table)
		return "its system calls are not known";
	if (f->table->flags & UFX_TABLE_OWN)
		return NULL;
	sites = ufx_table_sites(f->table);
	for (uint32_t i = 0; i < f->table->count; i++) {
		if (sites[i].kind == UFX_SITE_UNLIKELY)
			continue;
		if (sites[i].refused)
			return refused(sites[i].refused);
		if (!same_bytes(&sites[i], f->object.bias))
			return "its code is not as in its file";
	}
	return NULL;
}

static const char *cover(const struct ufx_found_table *f)
{
	const struct ufx_site *sites = ufx_table_sites(f->table);
	const char *why = NULL;

	for (uint32_t i = 0; i < f->table->count && !why; i++)
		if (!sites[i].refused)
			why = ufx_slot_give(&sites[i], f->object.bias, f->object.id);
	if (why)
		ufx_slots_undo(f->object.id);
	return why;
}

/* ---- all that are new ---------------------------------------------------------- */

struct news {
	struct ufx_found_table *list;
	size_t count, room;
};

/* The loader is one object, but has a record in each namespace. */
static const void *dynamic(const void *id)
{
	return ((const struct link_map *)id)->l_ld;
}

static bool is_known(const struct ufx_loaded *o)
{
	for (unsigned int i = 0; i < known_count; i++)
		if (known[i].bias == o->bias &&
		    (known[i].id == o->id || dynamic(known[i].id) == dynamic(o->id)))
			return true;
	return false;
}

static bool count_new(void *context, const struct ufx_loaded *o)
{
	struct news *n = context;

	n->room += !is_known(o);
	return true;
}

static bool add_new(void *context, const struct ufx_loaded *o)
{
	struct news *n = context;

	if (!is_known(o) && n->count < n->room)
		n->list[n->count++].object = *o;
	return true;
}

static bool find_news(struct news *n)
{
	ufx_objects_each(count_new, n);
	if (!n->room)
		return true;
	n->list = ufx_pages_alloc(n->room * sizeof(*n->list));
	if (!n->list)
		return false;
	ufx_objects_each(add_new, n);
	ufx_tables_find(n->list, n->count);
	for (size_t i = 0; i < n->count; i++)
		ufx_statistics_object(&n->list[i]);
	return true;
}

static void forget_news(struct news *n)
{
	if (!n->list)
		return;
	ufx_tables_free(n->list, n->count);
	ufx_pages_free(n->list, n->room * sizeof(*n->list));
}

static void remember(const struct ufx_loaded *o)
{
	if (known_count < KNOWN_MAX)
		known[known_count++] = (struct known){ o->id, o->bias };
}

static void remember_all(const struct news *n)
{
	for (size_t i = 0; i < n->count; i++)
		remember(&n->list[i].object);
}

static const char *judge_all(const struct news *n)
{
	for (size_t i = 0; i < n->count; i++) {
		const char *why = judge(&n->list[i]);

		if (why)
			return because(n->list[i].object.path, why);
	}
	return NULL;
}

/* Covers those that can be; the first that cannot be is the reason. */
static const char *cover_each(const struct news *n)
{
	const char *first = NULL;

	for (size_t i = 0; i < n->count; i++) {
		const char *why = judge(&n->list[i]);

		if (!why)
			why = cover(&n->list[i]);
		if (why && !first)
			first = because(n->list[i].object.path, why);
		remember(&n->list[i].object);
	}
	return first;
}

static void uncover_all(const struct news *n)
{
	for (size_t i = 0; i < n->count; i++)
		ufx_slots_undo(n->list[i].object.id);
}

static const char *cover_all(const struct news *n, bool partly)
{
	const char *why = partly ? NULL : judge_all(n);

	if (why)
		return why;
	why = cover_each(n);
	if (why && !partly)
		uncover_all(n);
	return why;
}

/* ---- later ------------------------------------------------------------------- */

static void forget_gone(void)
{
	for (unsigned int i = 0; i < known_count; i++) {
		if (ufx_objects_have(known[i].id, known[i].bias))
			continue;
		ufx_slots_forget(known[i].id);
		known[i--] = known[--known_count];
	}
}

/*
 * The loader has mapped or unmapped something; nothing of it runs before we
 * return. What cannot be covered now stays on the kernel: it is too late to
 * take everything back.
 */
static void objects_changed(void)
{
	struct news news = { 0 };
	const char *why;

	ufx_enter_inside(); /* a handler must not come in between */
	forget_gone();
	if (find_news(&news) && news.count) {
		why = ufx_text_open();
		if (why)
			remember_all(&news);
		else
			why = cover_each(&news);
		if (why)
			ufx_preload_say("an object that was loaded later is not served",
					why);
		if (why)
			ufx_statistics_not_all(why);
		ufx_text_close();
	}
	forget_news(&news);
	ufx_leave_inside();
}

const char *ufx_patch_all(bool partly)
{
	struct news news = { 0 };
	const char *why;

	if (ufx_threads_count() > 1)
		return "it has threads already";
	why = ufx_text_open();
	if (why)
		return why;
	if (!find_news(&news))
		why = "there is no memory";
	if (!why)
		why = cover_all(&news, partly);
	if (!why || partly) {
		const char *unwatched = ufx_objects_watch(objects_changed);

		if (unwatched && !partly)
			uncover_all(&news);
		why = why ? why : unwatched;
	}
	forget_news(&news);
	ufx_text_close();
	return why;
}
