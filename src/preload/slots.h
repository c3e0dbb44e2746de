/* SPDX-License-Identifier: MIT */
/*
 * Slots: pieces of code in the preload's own text, one for each system call of
 * the program that was replaced by a jump (slots-x86_64.S has the code).
 *
 * They lie in a file's mapping and have static unwind information, so whoever
 * walks stacks finds them as any other code, and no memory is ever both
 * writable and executable: what differs from slot to slot is written through
 * /proc/self/mem.
 */
#ifndef UFX_PRELOAD_SLOTS_H
#define UFX_PRELOAD_SLOTS_H

#define UFX_SLOTS 1024
#define UFX_SLOT_SIZE 128
#define UFX_SLOT_GAP 16      /* for a window's instructions before, or behind */
#define UFX_SLOT_ASKED 26    /* the C code has answered */
#define UFX_SLOT_SYSCALL 76
#define UFX_SLOT_BEHIND 78
#define UFX_SLOT_DETOUR 112  /* an address, where there is a detour */
#define UFX_SLOT_RETURN 120  /* an address; the unwind information knows */
#define UFX_JUMP_LENGTH 5

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sites/site.h"

struct ufx_slot {
	uint8_t code[UFX_SLOT_SIZE];
};

/* Opens /proc/self/mem. NULL, or why not, as the end of "runs on the kernel: ". */
const char *ufx_text_open(void);
void ufx_text_close(void);

/*
 * Replaces the window of @site, in the object that was loaded at @bias, by a
 * jump to a slot; @owner is remembered. The bytes have been compared. No thread
 * may be executing the window; others may run elsewhere. Returns NULL or why
 * not; then nothing has changed in the program.
 */
const char *ufx_slot_give(const struct ufx_site *site, uintptr_t bias,
			  const void *owner);

/*
 * Makes the function at @function, which does nothing but return, go on to
 * @to. False if it looks otherwise, or cannot be written.
 */
bool ufx_slots_lead(uintptr_t function, void (*to)(void));

/* Puts back what was there, and frees the slots; no thread may be in them. */
void ufx_slots_undo(const void *owner);

/* Frees the slots of an object that is not mapped any more. */
void ufx_slots_forget(const void *owner);

/*
 * Where is a thread in the program that is at @pc, which is in a slot: at the
 * system call that was replaced, or behind it? @served: ecx, once the slot has
 * asked. 0: @pc is not in a slot.
 */
uintptr_t ufx_slot_origin(uintptr_t pc, bool served);

/* Between the slot and the C code that it asks? */
bool ufx_slot_is_asking(uintptr_t pc);

#endif
#endif
