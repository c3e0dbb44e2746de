/* SPDX-License-Identifier: MIT */
#include "preload/slots.h"

#if defined(__x86_64__)

#include <fcntl.h>

#include "host/atomic.h"
#include "host/syscall.h"
#include "preload/bytes.h"
#include "preload/detour.h"

#define NOP 0x90
#define JUMP 0xe9
#define FAR_JUMP_LENGTH 6 /* to an address in memory */

extern const struct ufx_slot ufx_slots[UFX_SLOTS] __attribute__((visibility("hidden")));

extern const char ufx_slot_common[] __attribute__((visibility("hidden")));
extern const char ufx_slot_common_end[] __attribute__((visibility("hidden")));

/* Beside the slots, by number: whose they are, and what was there. */
struct use {
	const void *owner; /* NULL: free */
	uintptr_t window;
	uint8_t length;
	uint8_t bytes[UFX_SITE_BYTES];
};

static struct use uses[UFX_SLOTS];
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

static bool write_text(uintptr_t at, const void *bytes, size_t size)
{
	return ufx_syscall(SYS_pwrite64, text_fd, (long)bytes, (long)size, (long)at, 0,
			   0) == (long)size;
}

/* ---- code -------------------------------------------------------------------- */

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

/* A jump to the address that lies @ahead of its beginning. */
static void put_far_jump(uint8_t *code, unsigned int ahead)
{
	code[0] = 0xff;
	code[1] = 0x25;
	put_distance(code + 2, FAR_JUMP_LENGTH, ahead);
}

static void put_address(uint8_t *field, uintptr_t address)
{
	ufx_bytes_copy(field, &address, sizeof(address));
}

/* A site whose code is to be moved, and the window's address. */
struct moved {
	const struct ufx_site *site;
	uintptr_t window;
};

/*
 * Copies the window's bytes @from to @to into @code, to be executed at @at. A
 * displacement among them still leads to where it did.
 */
static bool put_part(uint8_t *code, uintptr_t at, const struct moved *m,
		     unsigned int from, unsigned int to)
{
	unsigned int field = m->site->relocation;
	int32_t displacement;

	ufx_bytes_copy(code, m->site->bytes + from, to - from);
	if (!(m->site->flags & UFX_SITE_RELATIVE) || field < from || field >= to)
		return true;
	/* It counts from the end of its instruction, which moves along. */
	ufx_bytes_copy(&displacement, m->site->bytes + field, sizeof(displacement));
	return put_distance(code + (field - from), at,
			    m->window + from + (uintptr_t)(intptr_t)displacement);
}

/* What stood before the system call; what stood behind it, and the way back. */
static bool put_before(uint8_t *code, uintptr_t at, const struct moved *m)
{
	return put_part(code, at, m, 0, m->site->syscall);
}

static bool put_behind(uint8_t *code, uintptr_t at, const struct moved *m)
{
	unsigned int from = m->site->syscall + 2u, length = m->site->length;

	return put_part(code, at, m, from, length) &&
	       put_jump(code + (length - from), at + (length - from), m->window + length);
}

/* ---- slots ------------------------------------------------------------------- */

static void start_slot(struct ufx_slot *s, const struct ufx_slot *slot,
		       const struct moved *m)
{
	ufx_bytes_copy(s, slot, sizeof(*s));
	ufx_bytes_fill(s->code, NOP, UFX_SLOT_GAP);
	put_address(s->code + UFX_SLOT_RETURN, m->window + m->site->syscall + 2);
}

/* A window may lie in two pages, and the second refuse. */
static const char *write_both(const struct ufx_slot *slot, const struct ufx_slot *s,
			      const struct moved *m, const uint8_t *patched)
{
	if (write_text((uintptr_t)slot, s, sizeof(*s))) {
		if (write_text(m->window, patched, m->site->length))
			return NULL;
		write_text(m->window, m->site->bytes, m->site->length);
	}
	return "its code cannot be written";
}

static const char *fill_near(const struct ufx_slot *slot, const struct moved *m,
			     uint8_t *patched)
{
	uintptr_t at = (uintptr_t)slot;
	struct ufx_slot s;

	start_slot(&s, slot, m);
	if (!put_before(s.code, at, m) ||
	    !put_behind(s.code + UFX_SLOT_BEHIND, at + UFX_SLOT_BEHIND, m))
		return "it is too far away";
	return write_both(slot, &s, m, patched);
}

/* A detour: what stood before, on to the slot; what stood behind, and back. */
#define DETOUR_BEHIND (UFX_SLOT_GAP + FAR_JUMP_LENGTH)
#define DETOUR_SLOT 56 /* an address */

static const char *fill_far(const struct ufx_slot *slot, const struct moved *m,
			    const void *piece, uint8_t *patched)
{
	uint8_t code[UFX_DETOUR_SIZE];
	uintptr_t at = (uintptr_t)piece;
	struct ufx_slot s;

	start_slot(&s, slot, m);
	put_far_jump(s.code + UFX_SLOT_BEHIND, UFX_SLOT_DETOUR - UFX_SLOT_BEHIND);
	put_address(s.code + UFX_SLOT_DETOUR, at + DETOUR_BEHIND);
	ufx_bytes_fill(code, NOP, sizeof(code));
	put_far_jump(code + UFX_SLOT_GAP, DETOUR_SLOT - UFX_SLOT_GAP);
	put_address(code + DETOUR_SLOT, (uintptr_t)slot);
	if (!put_before(code, at, m) ||
	    !put_behind(code + DETOUR_BEHIND, at + DETOUR_BEHIND, m) ||
	    !put_jump(patched, m->window, at))
		return "it is too far away";
	if (!write_text(at, code, sizeof(code)))
		return "its code cannot be written";
	return write_both(slot, &s, m, patched);
}

static struct use *find_free(void)
{
	for (unsigned int n = 0; n < UFX_SLOTS; n++)
		if (!uses[n].owner)
			return &uses[n];
	return NULL;
}

const char *ufx_slot_give(const struct ufx_site *site, uintptr_t bias, const void *owner)
{
	const struct moved m = { site, bias + (uintptr_t)site->address };
	uint8_t patched[UFX_SITE_BYTES];
	struct use *use = find_free();
	const struct ufx_slot *slot;
	const void *piece;
	const char *why;

	if (!use)
		return "there are too many system calls to replace";
	slot = &ufx_slots[use - uses];
	/* First: another thread may fork, and its child finds what is written. */
	use->window = m.window;
	use->length = site->length;
	ufx_bytes_copy(use->bytes, site->bytes, site->length);
	ufx_store(&use->owner, owner);
	ufx_bytes_fill(patched, NOP, sizeof(patched));
	if (put_jump(patched, m.window, (uintptr_t)slot)) {
		why = fill_near(slot, &m, patched);
	} else {
		piece = ufx_detour_take(m.window, owner);
		why = piece ? fill_far(slot, &m, piece, patched) :
			      "there is no room for code near it";
	}
	if (why)
		use->owner = NULL;
	return why;
}

static void release(const void *owner, bool mapped)
{
	for (unsigned int n = 0; n < UFX_SLOTS; n++) {
		if (uses[n].owner != owner)
			continue;
		if (mapped)
			write_text(uses[n].window, uses[n].bytes, uses[n].length);
		uses[n].owner = NULL;
	}
	ufx_detours_free(owner);
}

void ufx_slots_undo(const void *owner)
{
	release(owner, true);
}

void ufx_slots_forget(const void *owner)
{
	release(owner, false);
}

uintptr_t ufx_slot_origin(uintptr_t pc, bool served)
{
	uintptr_t at = pc - (uintptr_t)ufx_slots, behind;
	unsigned int in_slot = at % UFX_SLOT_SIZE;

	if (at >= sizeof(*ufx_slots) * UFX_SLOTS)
		return 0;
	ufx_bytes_copy(&behind, ufx_slots[at / UFX_SLOT_SIZE].code + UFX_SLOT_RETURN,
		       sizeof(behind));
	/* At a call that goes on, the kernel has left another rcx. */
	if (in_slot == UFX_SLOT_SYSCALL)
		return behind - 2;
	return in_slot > UFX_SLOT_SYSCALL || (in_slot >= UFX_SLOT_ASKED && served) ? behind : behind - 2;
}

bool ufx_slot_is_asking(uintptr_t pc)
{
	return pc - (uintptr_t)ufx_slot_common < (uintptr_t)(ufx_slot_common_end - ufx_slot_common);
}

/* ---- the loader -------------------------------------------------------------- */

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
	       write_text(function, jump, sizeof(jump));
}

#endif
