/* SPDX-License-Identifier: MIT */
/* Where slots lie. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <sys/mman.h>

#include "host/memory.h"
#include "host/syscall.h"
#include "preload/bytes.h"
#include "preload/objects.h"
#include "preload/slots.h"

#define REACH 0x7ff00000ul /* of a jump, less what an area takes */
#define FAR_SIZE ((UFX_FAR_SLOTS + 1ul) * UFX_SLOT_SIZE)
#define STEP 0x100000ul
#define STEPS 1024ul

extern const struct ufx_slot ufx_slots[] __attribute__((visibility("hidden")));
extern const char ufx_slot_common[] __attribute__((visibility("hidden")));

static struct ufx_slot_use uses[UFX_SLOTS];
static struct ufx_slot_area ours = { .count = UFX_SLOTS, .uses = uses };

struct ufx_slot_area *ufx_slot_areas(void)
{
	return &ours;
}

static bool reaches(const struct ufx_slot_area *a, uintptr_t address)
{
	uintptr_t at = (uintptr_t)a->slots;

	return (at > address ? at - address : address - at) < REACH;
}

/* The way out of all slots of the area that begins at @pages. */
static bool lead_out(struct ufx_slot_area *a, const struct ufx_slot *pages)
{
	uintptr_t common = (uintptr_t)ufx_slot_common;

	a->slots = pages + 1;
	return ufx_text_write((uintptr_t)pages + UFX_SLOT_RETURN, &common,
			      sizeof(common));
}

/* Never over anything else. */
static const struct ufx_slot *map_at(uintptr_t at, int fd, uint64_t offset)
{
	long p = ufx_syscall(SYS_mmap, (long)at, FAR_SIZE, PROT_READ | PROT_EXEC,
			     MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, (long)offset);

	if (p < 0 && p > -4096)
		return NULL;
	if ((uintptr_t)p == at)
		return (const struct ufx_slot *)p;
	ufx_syscall(SYS_munmap, p, FAR_SIZE, 0, 0, 0, 0); /* by an old kernel */
	return NULL;
}

/* Below first: above a program is its heap, which grows. */
static const struct ufx_slot *map_near(uintptr_t address, int fd, uint64_t offset)
{
	const struct ufx_slot *p = NULL;

	address &= ~(STEP - 1);
	for (uintptr_t i = 1; i < STEPS && !p && address > i * STEP; i++)
		p = map_at(address - i * STEP, fd, offset);
	for (uintptr_t i = STEPS; i > STEPS / 2 && !p; i--)
		p = map_at(address + i * STEP, fd, offset);
	return p;
}

/* It must be the code that we are. */
static bool is_copy(const struct ufx_slot *pages)
{
	return ufx_bytes_equal(pages[1].code + UFX_SLOT_GAP, ufx_slots[1].code + UFX_SLOT_GAP,
			       UFX_SLOT_BEHIND - UFX_SLOT_GAP);
}

static const struct ufx_slot *map_copy(uintptr_t address)
{
	const struct ufx_slot *pages;
	uint64_t offset;
	const char *path = ufx_objects_own(ufx_slots, &offset);
	long fd;

	if (!path)
		return NULL;
	fd = ufx_syscall(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
	if (fd < 0)
		return NULL;
	pages = map_near(address, (int)fd, offset);
	ufx_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
	if (!pages || is_copy(pages))
		return pages;
	ufx_syscall(SYS_munmap, (long)pages, FAR_SIZE, 0, 0, 0, 0);
	return NULL;
}

static struct ufx_slot_area *make_near(uintptr_t address)
{
	struct ufx_slot_area *a =
		ufx_pages_alloc(sizeof(*a) + UFX_FAR_SLOTS * sizeof(*a->uses));
	const struct ufx_slot *pages = a ? map_copy(address) : NULL;

	if (!pages || !lead_out(a, pages))
		return NULL; /* what remains is harmless */
	a->count = UFX_FAR_SLOTS;
	a->uses = (struct ufx_slot_use *)(a + 1);
	a->next = ours.next;
	ours.next = a;
	return a;
}

static bool has_room(const struct ufx_slot_area *a)
{
	for (unsigned int n = 0; n < a->count; n++)
		if (!a->uses[n].owner)
			return true;
	return false;
}

struct ufx_slot_area *ufx_slot_area(uintptr_t address)
{
	if (!ours.slots && !lead_out(&ours, ufx_slots))
		return NULL;
	for (struct ufx_slot_area *a = &ours; a; a = a->next)
		if (reaches(a, address) && has_room(a))
			return a;
	return make_near(address);
}
