/* SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "preload/detour.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "host/memory.h"
#include "host/syscall.h"
#include "preload/objects.h"
#include "preload/slots.h"

#define REACH 0x7ff00000ul /* of a jump, less what an area takes */
#define COUNT 256u
#define SIZE ((size_t)COUNT * UFX_DETOUR_SIZE)
#define STEP 0x100000ul
#define STEPS 1024ul

/* Pages with pieces, and whose each is; NULL: nobody's. */
struct area {
	struct area *next;
	const char *pieces;
	const void *owners[COUNT];
};

static struct area *areas;

/* Never over anything else. */
static const char *map_at(uintptr_t at, int fd, uint64_t offset)
{
	long p = ufx_syscall(SYS_mmap, (long)at, SIZE, PROT_READ | PROT_EXEC,
			     MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, (long)offset);

	if (p < 0 && p > -4096)
		return NULL;
	if ((uintptr_t)p == at)
		return (const char *)p;
	ufx_syscall(SYS_munmap, p, SIZE, 0, 0, 0, 0); /* by an old kernel */
	return NULL;
}

/* Below first: above a program is its heap, which grows. */
static const char *map_near(uintptr_t address, int fd, uint64_t offset)
{
	const char *p = NULL;

	address &= ~(STEP - 1);
	for (uintptr_t i = 1; i < STEPS && !p && address > i * STEP; i++)
		p = map_at(address - i * STEP, fd, offset);
	for (uintptr_t i = STEPS; i > STEPS / 2 && !p; i--)
		p = map_at(address + i * STEP, fd, offset);
	return p;
}

/* Any pages of this library's text will do: each piece is written before use. */
static struct area *make_near(uintptr_t address)
{
	struct area *a = ufx_pages_alloc(sizeof(*a));
	uint64_t offset;
	const char *path = ufx_objects_own(&offset);
	long fd = -1;

	if (a && path)
		fd = ufx_syscall(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC,
				 0, 0, 0);
	if (fd < 0)
		return NULL;
	a->pieces = map_near(address, (int)fd, offset);
	ufx_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
	if (!a->pieces)
		return NULL;
	a->next = areas;
	areas = a;
	return a;
}

static bool reaches(const struct area *a, uintptr_t address)
{
	uintptr_t at = (uintptr_t)a->pieces;

	return (at > address ? at - address : address - at) < REACH;
}

static const void *take_from(struct area *a, const void *owner)
{
	for (unsigned int n = 0; n < COUNT; n++)
		if (!a->owners[n]) {
			a->owners[n] = owner;
			return a->pieces + (size_t)n * UFX_DETOUR_SIZE;
		}
	return NULL;
}

const void *ufx_detour_take(uintptr_t address, const void *owner)
{
	const void *piece = NULL;
	struct area *a;

	for (a = areas; a && !piece; a = a->next)
		if (reaches(a, address))
			piece = take_from(a, owner);
	if (piece)
		return piece;
	a = make_near(address);
	return a ? take_from(a, owner) : NULL;
}

void ufx_detours_free(const void *owner)
{
	for (struct area *a = areas; a; a = a->next)
		for (unsigned int n = 0; n < COUNT; n++)
			if (a->owners[n] == owner)
				a->owners[n] = NULL;
}
