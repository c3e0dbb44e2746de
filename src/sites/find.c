/* SPDX-License-Identifier: MIT */
#include "sites/find.h"

#include <string.h>

#include "sites/array.h"
#include "sites/likely.h"
#include "sites/number.h"
#include "sites/set.h"
#include "sites/window.h"

static const uint8_t syscall_bytes[] = { 0x0f, 0x05 };

static struct ufx_site *add_site(struct ufx_site_list *sites)
{
	struct ufx_site *site;

	sites->list = UFX_SITES_ROOM(sites->list, sites->count);
	site = &sites->list[sites->count++];
	memset(site, 0, sizeof(*site));
	return site;
}

/* What may be a system call, or the bytes of one in something else. */
static void add_bytes(struct ufx_site_list *sites, uint64_t address, bool likely,
		      enum ufx_site_refused why)
{
	struct ufx_site *site = add_site(sites);

	site->address = address;
	site->length = sizeof(syscall_bytes);
	site->kind = likely ? UFX_SITE_TESTED : UFX_SITE_UNLIKELY;
	site->refused = (uint8_t)why;
	memcpy(site->bytes, syscall_bytes, sizeof(syscall_bytes));
}

/* ---- which functions --------------------------------------------------------- */

static const struct ufx_function *function_at(const struct ufx_object *o,
					      const struct ufx_segment *s,
					      uint64_t address, size_t *from)
{
	const struct ufx_function *f;

	while (*from < o->function_count && o->functions[*from].end <= address)
		++*from;
	if (*from == o->function_count)
		return NULL;
	f = &o->functions[*from];
	return f->start > address || f->start < s->address ||
	       f->end > s->address + s->size ? NULL : f;
}

static void add_code(struct ufx_code_set *set, const struct ufx_function *f)
{
	set->list = UFX_SITES_ROOM(set->list, set->count);
	ufx_code_decode(&set->list[set->count++], set->object, f);
}

/*
 * Behind the end of a function, as where the description of clone's stack ends
 * because its child has another: what precedes it may tell that its number is
 * not ours. Only one a function.
 */
static bool add_behind(struct ufx_code_set *set, const struct ufx_segment *s,
		       uint64_t address, size_t next)
{
	struct ufx_function f;

	if (!next || set->object->functions[next - 1].start < s->address)
		return false;
	f = set->object->functions[next - 1];
	if (set->count && set->list[set->count - 1].range.end > f.start)
		return false;
	f.end = address + sizeof(syscall_bytes);
	add_code(set, &f);
	set->list[set->count - 1].outside = true;
	return true;
}

/* Where no function is known, only what leads to the bytes is of interest. */
static void add_gap(struct ufx_code_set *set, const struct ufx_segment *s,
		    uint64_t address, size_t next)
{
	struct ufx_function f = { .end = address + sizeof(syscall_bytes) };

	f.start = address - s->address > UFX_LIKELY_REACH ?
			  address - UFX_LIKELY_REACH : s->address;
	if (next && set->object->functions[next - 1].end > f.start)
		f.start = set->object->functions[next - 1].end;
	if (set->count && set->list[set->count - 1].range.end > f.start)
		f.start = set->list[set->count - 1].range.end;
	if (f.start > address)
		f.start = address; /* segments that lie over one another */
	set->list = UFX_SITES_ROOM(set->list, set->count);
	ufx_code_begin(&set->list[set->count++], set->object, &f);
	set->list[set->count - 1].gap = true;
}

/* Every place with these bytes gets into @set, in a function or in a gap. */
static void search(struct ufx_code_set *set, const struct ufx_segment *s)
{
	const uint8_t *at = s->bytes, *end = s->bytes + s->size;
	size_t from = 0;

	while ((at = memmem(at, (size_t)(end - at), syscall_bytes, 2))) {
		uint64_t address = s->address + (uint64_t)(at - s->bytes);
		const struct ufx_function *f =
			function_at(set->object, s, address, &from);

		if (f) {
			add_code(set, f);
			at = s->bytes + (f->end - s->address);
		} else {
			if (ufx_object_is_code(set->object, address) &&
			    !add_behind(set, s, address, from))
				add_gap(set, s, address, from);
			at += sizeof(syscall_bytes);
		}
	}
}

/* ---- which sites ------------------------------------------------------------- */

static enum ufx_site_refused refused_whole(const struct ufx_code *code)
{
	if (code->outside)
		return UFX_REFUSED_OUTSIDE;
	if (code->range.signal)
		return UFX_REFUSED_SIGNAL;
	if (ufx_code_split(code, UFX_MARK_TARGET))
		return UFX_REFUSED_SPLIT;
	return code->indirect && code->labels ? UFX_REFUSED_COMPUTED :
						UFX_SITE_USABLE;
}

/* First the best windows, then what they leave to the others. */
static void choose(struct ufx_code *code, struct ufx_site_list *sites, bool pairs)
{
	for (size_t n = 0; n < code->count; n++) {
		struct ufx_site site = { .kind = code->list[n].kind };

		if (!code->list[n].matters ||
		    (code->marks[code->list[n].at] & UFX_MARK_TAKEN))
			continue;
		if (!pairs)
			ufx_window_choose(code, n, &site);
		else if (!ufx_window_pair(code, n, &site))
			continue;
		*add_site(sites) = site;
	}
}

static void refuse(const struct ufx_code *code, struct ufx_site_list *sites,
		   enum ufx_site_refused why)
{
	for (size_t n = 0; n < code->count; n++) {
		struct ufx_site site = { .kind = code->list[n].kind };

		if (!code->list[n].matters)
			continue;
		ufx_window_refuse(code, n, why, &site);
		*add_site(sites) = site;
	}
}

/* Where the code ends that is known, of which @address is none. */
static uint64_t beginning(const struct ufx_code_set *set, uint64_t address)
{
	const struct ufx_object *o = set->object;
	size_t n = ufx_object_function(o, address);

	if (n < o->function_count && o->functions[n].start <= address)
		return o->functions[n].start;
	if (n && o->functions[n - 1].end > ufx_object_segment(o, address)->address)
		return o->functions[n - 1].end;
	return ufx_object_segment(o, address)->address;
}

static void refuse_bytes(const struct ufx_code_set *set, const struct ufx_code *code,
			 struct ufx_site_list *sites, enum ufx_site_refused why)
{
	const uint8_t *at = code->bytes, *end = code->bytes + code->size;

	while ((at = memmem(at, (size_t)(end - at), syscall_bytes, 2))) {
		uint64_t address = code->range.start + (uint64_t)(at - code->bytes);

		add_bytes(sites, address,
			  ufx_code_likely(set, beginning(set, address), address), why);
		at += sizeof(syscall_bytes);
	}
}

static void find_in(const struct ufx_code_set *set, struct ufx_code *code,
		    struct ufx_site_list *sites)
{
	enum ufx_site_refused why = refused_whole(code);

	if (!code->whole) {
		refuse_bytes(set, code, sites, code->outside || code->gap ?
			     UFX_REFUSED_OUTSIDE : UFX_REFUSED_UNDECODED);
	} else if (why != UFX_SITE_USABLE) {
		refuse(code, sites, why);
	} else {
		choose(code, sites, true);
		choose(code, sites, false);
	}
}

static int by_address(const void *a, const void *b)
{
	const struct ufx_site *one = a, *other = b;

	return one->address < other->address ? -1 : one->address > other->address;
}

const char *ufx_sites_find(struct ufx_object *object, struct ufx_site_list *sites)
{
	struct ufx_code_set set = { .object = object };
	const char *why;

	memset(sites, 0, sizeof(*sites));
	if (object->own)
		return NULL;
	why = ufx_object_functions(object);
	if (why)
		return why;
	for (size_t n = 0; n < object->segment_count; n++)
		if (object->segments[n].executable)
			search(&set, &object->segments[n]);
	ufx_code_targets(&set);
	for (size_t n = 0; n < set.count; n++) {
		ufx_numbers_find(&set.list[n]);
		find_in(&set, &set.list[n], sites);
	}
	for (size_t n = 0; n < set.count; n++)
		ufx_code_free(&set.list[n]);
	free(set.list);
	if (sites->count)
		qsort(sites->list, sites->count, sizeof(*sites->list), by_address);
	return NULL;
}

void ufx_sites_free(struct ufx_site_list *sites)
{
	free(sites->list);
	memset(sites, 0, sizeof(*sites));
}
