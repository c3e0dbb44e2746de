// SPDX-License-Identifier: MIT
/*
 * The memory that calls are made on: two blocks of pages of the same layout,
 * one for each side. They lie far below where a process has its mappings, so
 * that the holes in them stay holes.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum page {
	WORDS,	   /* two pages, writable */
	NEXT,
	HOLE,
	READONLY,  /* touched */
	ZERO,	   /* read-only, never touched */
	NONE,
	WRITE,     /* PROT_WRITE alone */
	FILE_RW,   /* of a file that is shared */
	FILE_RO,
	BEYOND,	   /* behind the file's end */
	EDGE,	   /* writable, nothing behind it */
	EDGE_HOLE,
	TIMES,	   /* timeouts; nothing behind them */
	TIMES_HOLE,
	LISTS,	   /* lists of words */
	LISTS_END,
	LISTS_HOLE,
	PAGES
};

#define BASE 0x20000000ul
#define APART 0x10000000ul
/* Words of pages that are only read: no thread has such a number. */
#define READONLY_VALUE 0x00c0ffeeu

/* README: user-end. */
#if defined(__x86_64__)
#define USER_END ((1ul << 47) - 4096)
#else
#define USER_END (1ul << 52)
#endif

static size_t page_size;

static char *page(enum fuzz_side side, enum page number)
{
	return (char *)(BASE + side * APART + (size_t)number * page_size);
}

/* ---- places of words ---- */

enum kind { FIRM, NOTHING, ABSOLUTE };

#define FROM_END 0x10000 /* the offset counts back from the page's end */

static const struct {
	const char *name;
	enum kind kind;
	enum page page;
	uint64_t offset; /* or the address */
} places[] = {
	{ "a", FIRM, WORDS, 0 },
	{ "a+4", FIRM, WORDS, 4 },
	{ "b", FIRM, WORDS, 64 },
	{ "c (other page)", FIRM, NEXT, 0 },
	{ "last word before c", FIRM, WORDS, FROM_END + 4 },
	{ "read-only", FIRM, READONLY, 8 },
	{ "read-only zeros", FIRM, ZERO, 8 },
	{ "PROT_NONE", NOTHING, NONE, 0 },
	{ "write-only", FIRM, WRITE, 16 },
	{ "file", FIRM, FILE_RW, 0 },
	{ "file+8", FIRM, FILE_RW, 8 },
	{ "read-only file", FIRM, FILE_RO, 0 },
	{ "beyond the file's end", NOTHING, BEYOND, 0 },
	{ "last word before a hole", FIRM, EDGE, FROM_END + 4 },
	{ "last but one before a hole", FIRM, EDGE, FROM_END + 8 },
	{ "hole", NOTHING, HOLE, 0 },
	{ "NULL", ABSOLUTE, 0, 0 },
	{ "0x1000", ABSOLUTE, 0, 0x1000 },
	{ "last page of all", ABSOLUTE, 0, -4096ul },
	{ "last word of all", ABSOLUTE, 0, -4ul },
	{ "last user word", ABSOLUTE, 0, USER_END - 4 },
	{ "behind user addresses", ABSOLUTE, 0, USER_END + 4096 },
	{ "first kernel word", ABSOLUTE, 0, 1ul << 63 },
	{ "no address at all", ABSOLUTE, 0, 0x00f0ffffffff0000 },
};

unsigned int fuzz_places(void)
{
	return sizeof(places) / sizeof(places[0]);
}

bool fuzz_place_is_behind_user(struct fuzz_place place)
{
	return places[place.where].kind == ABSOLUTE &&
	       places[place.where].offset > USER_END &&
	       places[place.where].offset < 1ul << 63;
}

const char *fuzz_place_name(struct fuzz_place place)
{
	return places[place.where].name;
}

void *fuzz_place_address(struct fuzz_place place, enum fuzz_side side)
{
	uint64_t offset = places[place.where].offset;

	if (places[place.where].kind == ABSOLUTE)
		return (void *)(offset + place.off);
	if (offset >= FROM_END)
		offset = FROM_END + page_size - offset;
	return page(side, places[place.where].page) + offset + place.off;
}

/* Is there memory behind all four bytes? */
static bool readable(struct fuzz_place place)
{
	if (places[place.where].kind != FIRM)
		return false;
	/* The next page of EDGE is a hole; that of WORDS is not. */
	return places[place.where].page != EDGE ||
	       places[place.where].offset - place.off >= FROM_END + 4;
}

bool fuzz_word_get(struct fuzz_place place, uint32_t *value)
{
	if (!readable(place))
		return false;
	memcpy(value, fuzz_place_address(place, FUZZ_KERNEL), 4);
	return true;
}

void fuzz_word_set(struct fuzz_place place, uint32_t value)
{
	enum page number = places[place.where].page;

	if (!readable(place) || number == READONLY || number == ZERO ||
	    number == FILE_RO)
		return;
	for (int side = 0; side < FUZZ_SIDES; side++)
		memcpy(fuzz_place_address(place, side), &value, 4);
}

/* ---- places of structures ---- */

static const char *const spot_names[FUZZ_SPOTS] = {
	"in memory", "NULL", "at an odd address", "moved by 4", "before a hole",
	"8 bytes in a hole", "4 bytes in a hole", "read-only zeros",
	"in PROT_NONE", "in a hole", "beyond the file's end", "at 1",
	"at a kernel address", "at -1",
};

bool fuzz_spot_good(enum fuzz_spot spot)
{
	return spot == FUZZ_SPOT_GOOD || spot == FUZZ_SPOT_ODD ||
	       spot == FUZZ_SPOT_HALF || spot == FUZZ_SPOT_END ||
	       spot == FUZZ_SPOT_READONLY;
}

const char *fuzz_spot_name(enum fuzz_spot spot)
{
	return spot_names[spot];
}

/* Where a structure is that ends in memory; NULL: it does not. */
static char *spot_in_memory(enum fuzz_spot spot, char *start, char *end, size_t size)
{
	switch (spot) {
	case FUZZ_SPOT_GOOD:
		return start;
	case FUZZ_SPOT_ODD:
		return start + 1;
	case FUZZ_SPOT_HALF:
		return start + 4;
	case FUZZ_SPOT_END:
		return end - size;
	case FUZZ_SPOT_OVER_END:
		return end - size + 8;
	case FUZZ_SPOT_OVER_END4:
		return end - size + 4;
	default:
		return NULL;
	}
}

static void *spot_elsewhere(enum fuzz_spot spot, enum fuzz_side side)
{
	switch (spot) {
	case FUZZ_SPOT_READONLY:
		return page(side, ZERO);
	case FUZZ_SPOT_NONE:
		return page(side, NONE);
	case FUZZ_SPOT_HOLE:
		return page(side, HOLE);
	case FUZZ_SPOT_BEYOND:
		return page(side, BEYOND);
	case FUZZ_SPOT_ONE:
		return (void *)1ul;
	case FUZZ_SPOT_KERNEL:
		return (void *)-4096ul;
	case FUZZ_SPOT_LAST:
		return (void *)-1ul;
	default:
		return NULL;
	}
}

void *fuzz_spot_put(enum fuzz_spot spot, bool list, const void *data, size_t size,
		    enum fuzz_side side)
{
	char *end = page(side, list ? LISTS_HOLE : TIMES_HOLE);
	char *to = spot_in_memory(spot, page(side, list ? LISTS : TIMES), end, size);

	if (!to)
		return spot_elsewhere(spot, side);
	memcpy(to, data, size < (size_t)(end - to) ? size : (size_t)(end - to));
	return to;
}

/* ---- both copies ---- */

static bool map(enum fuzz_side side, enum page first, int pages, int protection,
		int fd)
{
	int flags = MAP_FIXED_NOREPLACE;

	flags |= fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	if (mmap(page(side, first), (size_t)pages * page_size, protection, flags,
		 fd, first == BEYOND ? (off_t)(4 * page_size) : 0) ==
	    page(side, first))
		return true;
	perror("the memory to make calls on");
	return false;
}

static bool map_side(enum fuzz_side side)
{
	const int rw = PROT_READ | PROT_WRITE;
	int fd = memfd_create("words", MFD_CLOEXEC);
	bool good = fd >= 0 && !ftruncate(fd, (off_t)page_size) &&
		    map(side, WORDS, 2, rw, -1) && map(side, READONLY, 1, rw, -1) &&
		    map(side, ZERO, 1, PROT_READ, -1) &&
		    map(side, NONE, 1, PROT_NONE, -1) &&
		    map(side, WRITE, 1, PROT_WRITE, -1) &&
		    map(side, FILE_RW, 1, rw, fd) &&
		    map(side, FILE_RO, 1, PROT_READ, fd) &&
		    map(side, BEYOND, 1, rw, fd) && map(side, EDGE, 1, rw, -1) &&
		    map(side, TIMES, 1, rw, -1) && map(side, LISTS, 2, rw, -1);

	if (!good)
		return false;
	close(fd);
	for (size_t i = 0; i < page_size; i += 4)
		*(uint32_t *)(void *)(page(side, READONLY) + i) = READONLY_VALUE;
	return !mprotect(page(side, READONLY), page_size, PROT_READ);
}

bool fuzz_memory_start(void)
{
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	return map_side(FUZZ_KERNEL) && map_side(FUZZ_ENGINE);
}

static const enum page writable[] = { WORDS, NEXT, WRITE, FILE_RW, EDGE, TIMES };

void fuzz_memory_reset(void)
{
	for (int side = 0; side < FUZZ_SIDES; side++)
		for (size_t i = 0; i < sizeof(writable) / sizeof(writable[0]); i++)
			memset(page(side, writable[i]), 0, page_size);
}

bool fuzz_memory_same(char *text, size_t size)
{
	static const char *const names[PAGES] = {
		[WORDS] = "a", [NEXT] = "c", [WRITE] = "write-only",
		[FILE_RW] = "file", [EDGE] = "edge", [TIMES] = "the timeout",
	};

	for (size_t i = 0; i < sizeof(writable) / sizeof(writable[0]); i++) {
		const char *k = page(FUZZ_KERNEL, writable[i]);
		const char *e = page(FUZZ_ENGINE, writable[i]);
		uint32_t value[2];
		size_t at = 0;

		if (!memcmp(k, e, page_size))
			continue;
		while (!memcmp(k + at, e + at, 4))
			at += 4;
		memcpy(&value[0], k + at, 4);
		memcpy(&value[1], e + at, 4);
		snprintf(text, size, "page of %s, +%zu: kernel 0x%x, engine 0x%x",
			 names[writable[i]], at, value[0], value[1]);
		return false;
	}
	return true;
}
