/* SPDX-License-Identifier: MIT */
#include "preload/slots.h"

#if defined(__x86_64__)

#include <fcntl.h>
#include <stddef.h>

#include "host/atomic.h"
#include "host/syscall.h"
#include "preload/bytes.h"

#define NOP 0x90
#define JUMP 0xe9

static int text_fd = -1;

const char *ufx_text_open(void)
{
	long fd = ufx_syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/mem",
			      O_RDWR | O_CLOEXEC, 0, 0, 0);

	text_fd = (int)fd;
	return fd < 0 ? "/proc/self/mem cannot be opened" : NULL;
}

void ufx_text_close(void)
{
	if (text_fd >= 0)
		ufx_syscall(SYS_close, text_fd, 0, 0, 0, 0, 0);
	text_fd = -1;
}

bool ufx_text_write(uintptr_t at, const void *bytes, size_t size)
{
	return ufx_syscall(SYS_pwrite64, text_fd, (long)bytes, (long)size, (long)at, 0,
			   0) == (long)size;
}

static bool put_distance(uint8_t *field, uintptr_t from, uintptr_t to)
{
	int64_t distance = (int64_t)(to - from);
	int32_t low = (int32_t)distance;

	ufx_bytes_copy(field, &low, sizeof(low));
	return low == distance;
}

/* A jump at @at, which will be executed there, to @to. */
static bool put_jump(uint8_t *code, uintptr_t at, uintptr_t to)
{
	code[0] = JUMP;
	return put_distance(code + 1, at + UFX_JUMP_LENGTH, to);
}

/*
 * Copies bytes @from to @to of the window, whose instructions will be executed
 * at @gap. A displacement among them still leads to where it did.
 */
static bool copy_part(uint8_t *code, uintptr_t gap, const struct ufx_site *site,
		      uintptr_t window, unsigned int from, unsigned int to)
{
	int32_t displacement;
	unsigned int at = site->relocation;

	ufx_bytes_copy(code, site->bytes + from, to - from);
	if (!(site->flags & UFX_SITE_RELATIVE) || at < from || at >= to)
		return true;
	/* Both count from an end of the instruction that moves along. */
	ufx_bytes_copy(&displacement, site->bytes + at, sizeof(displacement));
	return put_distance(code + (at - from), gap, window + from + (uintptr_t)(intptr_t)displacement);
}

/* What @slot has to be for @site. False: something is more than 2 GiB away. */
static bool fill(struct ufx_slot *s, const struct ufx_slot *slot,
		 const struct ufx_site *site, uintptr_t window)
{
	uintptr_t base = (uintptr_t)slot;
	uintptr_t behind = window + site->syscall + 2;
	unsigned int rest = site->length - site->syscall - 2;
	uint8_t *jump = s->code + UFX_SLOT_BEHIND + rest;

	ufx_bytes_copy(s, slot, sizeof(*s));
	ufx_bytes_fill(s->code, NOP, UFX_SLOT_GAP);
	ufx_bytes_copy(s->code + UFX_SLOT_RETURN, &behind, sizeof(behind));
	return copy_part(s->code, base, site, window, 0, site->syscall) &&
	       copy_part(s->code + UFX_SLOT_BEHIND, base + UFX_SLOT_BEHIND, site,
			 window, site->syscall + 2u, site->length) &&
	       put_jump(jump, base + UFX_SLOT_BEHIND + rest, window + site->length);
}

static struct ufx_slot_use *find_free(const struct ufx_slot_area *a)
{
	for (unsigned int n = 0; n < a->count; n++)
		if (!a->uses[n].owner)
			return &a->uses[n];
	return NULL;
}

const char *ufx_slot_give(const struct ufx_site *site, uintptr_t bias, const void *owner)
{
	uintptr_t window = bias + (uintptr_t)site->address;
	struct ufx_slot_area *area = ufx_slot_area(window);
	uint8_t patched[UFX_SITE_BYTES];
	const struct ufx_slot *slot;
	struct ufx_slot_use *use;
	struct ufx_slot s;

	if (!area)
		return "there is no room near it for what replaces its system calls";
	use = find_free(area);
	slot = &area->slots[use - area->uses];
	ufx_bytes_fill(patched, NOP, sizeof(patched));
	if (!fill(&s, slot, site, window) || !put_jump(patched, window, (uintptr_t)slot))
		return "it is too far away";
	if (!ufx_text_write((uintptr_t)slot, &s, sizeof(s)) ||
	    !ufx_text_write(window, patched, site->length))
		return "its code cannot be written";
	use->owner = owner;
	use->window = window;
	use->length = site->length;
	ufx_bytes_copy(use->bytes, site->bytes, site->length);
	return NULL;
}

/* ret, perhaps behind endbr64; then what fills up to the next function. */
static bool only_returns(const uint8_t *code)
{
	static const uint8_t landing[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	unsigned int at = ufx_bytes_equal(code, landing, sizeof(landing)) ? 4 : 0;

	if ((uintptr_t)code % 16 || code[at] != 0xc3)
		return false;
	while (++at < UFX_JUMP_LENGTH)
		if (code[at] != NOP && code[at] != 0xcc && code[at] != 0x66 &&
		    code[at] != 0x0f && code[at] != 0x1f && code[at] != 0x2e &&
		    code[at] != 0)
			return false;
	return true;
}

bool ufx_slots_lead(uintptr_t function, void (*to)(void))
{
	uint8_t jump[UFX_JUMP_LENGTH];

	return only_returns((const uint8_t *)function) &&
	       put_jump(jump, function, (uintptr_t)to) &&
	       ufx_text_write(function, jump, sizeof(jump));
}

static void release(const void *owner, bool mapped)
{
	for (struct ufx_slot_area *a = ufx_slot_areas(); a; a = a->next)
		for (unsigned int n = 0; n < a->count; n++) {
			struct ufx_slot_use *use = &a->uses[n];

			if (use->owner != owner)
				continue;
			if (mapped)
				ufx_text_write(use->window, use->bytes, use->length);
			use->owner = NULL;
		}
}

void ufx_slots_undo(const void *owner)
{
	release(owner, true);
}

void ufx_slots_forget(const void *owner)
{
	release(owner, false);
}

uintptr_t ufx_slot_origin(uintptr_t pc)
{
	for (const struct ufx_slot_area *a = ufx_slot_areas(); a; a = a->next) {
		uintptr_t at = pc - (uintptr_t)a->slots, behind;

		if (!a->slots || at >= a->count * sizeof(*a->slots))
			continue;
		ufx_bytes_copy(&behind, a->slots[at / UFX_SLOT_SIZE].code + UFX_SLOT_RETURN,
			       sizeof(behind));
		return behind - 2;
	}
	return 0;
}

#endif
