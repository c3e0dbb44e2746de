/* SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include "host/guard.h"
#include "host/syscall.h"
#include "preload/bytes.h"
#include "preload/objects.h"
#include "preload/preload.h"
#include "preload/slots.h"

/* musl has not got it. Of later versions its list goes on in another namespace. */
extern struct r_debug _r_debug __attribute__((weak));
extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

#define BREAKPOINT 0xcc
#define NAMESPACES_FROM 2 /* version of r_debug */

struct namespace {
	struct r_debug base;
	struct namespace *next;
};

struct headers {
	const ElfW(Phdr) *list;
	unsigned int count;
};

/* ---- identity ------------------------------------------------------------ */

static bool find_headers(const struct link_map *map, bool program, struct headers *h)
{
	const ElfW(Ehdr) *elf = (const ElfW(Ehdr) *)map->l_addr;
	uint32_t magic;

	if (program) {
		h->list = (const ElfW(Phdr) *)getauxval(AT_PHDR);
		h->count = (unsigned int)getauxval(AT_PHNUM);
		return h->list;
	}
	if (!elf || ufx_guarded_load((const uint32_t *)elf, &magic) ||
	    !ufx_bytes_equal(elf->e_ident, ELFMAG, SELFMAG))
		return false;
	h->list = (const ElfW(Phdr) *)(map->l_addr + elf->e_phoff);
	h->count = elf->e_phnum;
	return true;
}

static size_t aligned(size_t size, size_t alignment)
{
	return alignment == 8 ? (size + 7) & ~(size_t)7 : (size + 3) & ~(size_t)3;
}

static bool find_in_notes(struct ufx_loaded *o, const char *at, const ElfW(Phdr) *notes)
{
	const char *end = at + notes->p_filesz;

	while (at + sizeof(ElfW(Nhdr)) <= end) {
		const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)(const void *)at;
		const char *name = at + sizeof(*note);
		const char *id = name + aligned(note->n_namesz, notes->p_align);

		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
		    ufx_bytes_equal(name, "GNU", 4) &&
		    note->n_descsz <= sizeof(o->build_id)) {
			ufx_bytes_copy(o->build_id, id, note->n_descsz);
			o->build_id_size = note->n_descsz;
			return true;
		}
		at = id + aligned(note->n_descsz, notes->p_align);
	}
	return false;
}

static void identify(struct ufx_loaded *o, const struct link_map *map, bool program)
{
	struct headers h;

	if (!find_headers(map, program, &h))
		return;
	for (unsigned int i = 0; i < h.count; i++)
		if (h.list[i].p_type == PT_NOTE &&
		    find_in_notes(o, (const char *)(o->bias + h.list[i].p_vaddr),
				  &h.list[i]))
			return;
}

/* ---- the list -------------------------------------------------------------- */

/*
 * The scanner is another process, so not /proc/self. As long as we live the
 * number is ours.
 */
static const char *path_of_program(void)
{
	static char path[32];
	char digits[12], *at = path;
	unsigned int n = 0;

	for (uint32_t pid = (uint32_t)ufx_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);
	     pid || !n; pid /= 10)
		digits[n++] = (char)('0' + pid % 10);
	at = ufx_text_append(at, path + 31, "/proc/");
	while (n)
		*at++ = digits[--n];
	*ufx_text_append(at, path + 31, "/exe") = '\0';
	return path;
}

static bool visit(const struct link_map *map, bool program, ufx_object_seen *seen,
		  void *context)
{
	struct ufx_loaded o = { .id = map, .bias = map->l_addr, .path = map->l_name };

	if (map->l_ld == _DYNAMIC ||
	    (map->l_addr && map->l_addr == getauxval(AT_SYSINFO_EHDR)))
		return true;
	if (program)
		o.path = path_of_program();
	identify(&o, map, program);
	return seen(context, &o);
}

static const struct namespace *next_of(const struct namespace *space)
{
	return space->base.r_version >= NAMESPACES_FROM ? space->next : NULL;
}

static const struct namespace *first(void)
{
	const void *space = &_r_debug;

	__asm__("" : "+r"(space)); /* the header may know the older structure only */
	return space;
}

bool ufx_objects_each(ufx_object_seen *seen, void *context)
{
	for (const struct namespace *s = first(); s; s = next_of(s))
		for (const struct link_map *map = s->base.r_map; map; map = map->l_next)
			if (!visit(map, s == first() && map == s->base.r_map, seen,
				   context))
				return false;
	return true;
}

const char *ufx_objects_own(uint64_t *offset)
{
	const struct link_map *map = _r_debug.r_map;
	struct headers h;

	while (map && map->l_ld != _DYNAMIC)
		map = map->l_next;
	if (!map || !find_headers(map, false, &h))
		return NULL;
	for (unsigned int i = 0; i < h.count; i++)
		if (h.list[i].p_type == PT_LOAD && (h.list[i].p_flags & PF_X)) {
			*offset = h.list[i].p_offset & ~(uint64_t)4095;
			return map->l_name;
		}
	return NULL;
}

bool ufx_objects_have(const void *id, uintptr_t bias)
{
	for (const struct namespace *s = first(); s; s = next_of(s))
		for (const struct link_map *map = s->base.r_map; map; map = map->l_next)
			if (map == id && map->l_addr == bias)
				return true;
	return false;
}

/* ---- changes --------------------------------------------------------------- */

/*
 * The function that the loader calls for debuggers does nothing: it is
 * replaced by a jump to ours. Not if a debugger has been there before: it would
 * put back what it found.
 */
const char *ufx_objects_watch(void (*hook)(void))
{
	if (!&_r_debug || !_r_debug.r_brk)
		return "the loader tells nobody of new objects";
	if (*(const uint8_t *)_r_debug.r_brk == BREAKPOINT) {
		ufx_preload_say("a debugger watches the loader",
				"objects that are loaded later are not served");
		return NULL;
	}
	if (!ufx_slots_lead((uintptr_t)_r_debug.r_brk, hook))
		return "the loader's code is not as expected";
	return NULL;
}
