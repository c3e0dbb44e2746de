/* SPDX-License-Identifier: MIT */
/*
 * Bytes of other code that look like a jump into a window: some are none, some
 * are one that only decoding at the wrong place hides. Far ones first, in groups
 * that short branches do not reach across; then such as stand in no function.
 */
#include "case.h"

#define APART .skip 300, 0x90

/* A jump to @label in the operand of a movabs, 2 bytes from its beginning. */
#define HIDDEN(label) .byte 0x48, 0xb8, 0xe9; .long label - . - 4; .byte 0x90, 0x90, 0x90

/* expect: by_operand futex 6 0 - usable */
FUNCTION(by_operand)
	BODY(.Lby_operand)
END(by_operand)
	APART
FUNCTION(operand)
	.byte 0x81, 0xe9 /* sub $constant, %ecx */
	.long .Lby_operand - . - 4
	ret
END(operand)
	APART

/* expect: by_operands_lea futex 6 0 - usable */
FUNCTION(by_operands_lea)
	BODY(.Lby_operands_lea)
END(by_operands_lea)
	APART
FUNCTION(operands_lea)
	.byte 0x48, 0xb8, 0x48, 0x8d, 0x05 /* movabs */
	.long .Lby_operands_lea - . - 4
	.byte 0
	ret
END(operands_lea)
	APART

/* expect: by_operands_table futex 6 0 - usable */
FUNCTION(by_operands_table)
	BODY(.Lby_operands_table)
END(by_operands_table)
	APART
FUNCTION(operands_table)
	.byte 0x48, 0xb8, 0x48, 0x8d, 0x05
	.long no_table - . - 4
	.byte 0
	ret
END(operands_table)
	.section .rodata
	.p2align 2
no_table:
	.long .Lby_operands_table - no_table
	.text
	APART

/* expect: by_operand_and_jump futex 2 0 - something may jump into it */
FUNCTION(by_operand_and_jump)
	BODY(.Lby_operand_and_jump)
END(by_operand_and_jump)
	APART
FUNCTION(operand_and_jump)
	.byte 0x81, 0xe9
	.long .Lby_operand_and_jump - . - 4
	bnd jmp .Lby_operand_and_jump
END(operand_and_jump)
	APART

/* expect: by_two_tables futex 2 0 - something may jump into it */
FUNCTION(by_two_tables)
	BODY(.Lby_two_tables)
END(by_two_tables)
	APART
FUNCTION(two_tables)
	.byte 0x48, 0xb8, 0x48, 0x8d, 0x05
	.long a_table - . - 4
	.byte 0
	data16 lea a_table(%rip), %rdi
	ret
END(two_tables)
	.section .rodata
a_table:
	.long .Lby_two_tables - a_table
	.text
	APART

/* ---- what is jumped to in the middle of an instruction ----------------------- */

/* expect: by_own_middle futex 2 0 - something may jump into it */
FUNCTION(by_own_middle)
	BODY(.Lby_own_middle)
END(by_own_middle)
	APART
FUNCTION(own_middle)
	jz 1f + 2
1:	HIDDEN(.Lby_own_middle)
	ret
END(own_middle)
	APART

/* expect: by_called_middle futex 2 0 - something may jump into it */
FUNCTION(by_called_middle)
	BODY(.Lby_called_middle)
END(by_called_middle)
	APART
FUNCTION(called_middle)
.Lcalled_middle:
	HIDDEN(.Lby_called_middle)
	ret
END(called_middle)
	APART
FUNCTION(calls_middle)
	call .Lcalled_middle + 2
	ret
END(calls_middle)
	APART

/* expect: by_pointed_middle futex 2 0 - something may jump into it */
FUNCTION(by_pointed_middle)
	BODY(.Lby_pointed_middle)
END(by_pointed_middle)
	APART
FUNCTION(pointed_middle)
.Lpointed_middle:
	HIDDEN(.Lby_pointed_middle)
	ret
END(pointed_middle)
	.section .data.rel.ro, "aw"
	.p2align 3
	.quad .Lpointed_middle + 2
	.text
	APART

/* expect: by_middle_of_table futex 2 0 - something may jump into it */
FUNCTION(by_middle_of_table)
	BODY(.Lby_middle_of_table)
END(by_middle_of_table)
	APART
FUNCTION(middle_of_table)
	lea table(%rip), %rdx
	movslq (%rdx, %rdi, 4), %rax
	add %rdx, %rax
	jmp *%rax
.Lmiddle_of_table:
	HIDDEN(.Lby_middle_of_table)
	ret
END(middle_of_table)
	.section .rodata
	.p2align 2
table:	.long .Lmiddle_of_table + 2 - table
	.text
	APART

/* ---- what does not decode, or is in no function ------------------------------- */

/* expect: by_data_far futex 2 0 - something may jump into it */
FUNCTION(by_data_far)
	BODY(.Lby_data_far)
END(by_data_far)
	APART
FUNCTION(data_far)
	.byte 0x81, 0xe9
	.long .Lby_data_far - . - 4
	.byte 0x06
	ret
END(data_far)
	APART

/* As what is linked to every program for its beginning. */
FUNCTION(innocent)
	ret
END(innocent)
	.p2align 4
	jz 1f
	call innocent
	/* The displacement looks like a jump. */
	.byte 0xc6, 0x05, 0x75, .Lby_false_stranger - . - 1, 0, 0, 1
1:	ret
	.p2align 4
/* expect: by_false_stranger futex 6 0 - usable */
FUNCTION(by_false_stranger)
	BODY(.Lby_false_stranger)
END(by_false_stranger)
	APART

/* expect: by_false_far_stranger futex 6 0 - usable */
FUNCTION(by_false_far_stranger)
	BODY(.Lby_false_far_stranger)
END(by_false_far_stranger)
	APART
FUNCTION(innocent_far)
	ret
END(innocent_far)
	.byte 0x81, 0xe9
	.long .Lby_false_far_stranger - . - 4
	ret
FUNCTION(innocent_behind)
	ret
END(innocent_behind)
	APART

/* As before, but what looks like its operand is called. */
FUNCTION(innocent_caller)
	call .Lstranger + 2
	ret
END(innocent_caller)
.Lstranger:
	.byte 0xc6, 0x05, 0x75, .Lby_called_stranger - . - 1, 0, 0, 1
	ret
/* expect: by_called_stranger futex 2 0 - something may jump into it */
FUNCTION(by_called_stranger)
	BODY(.Lby_called_stranger)
END(by_called_stranger)
	APART

/* Data, among it what no program executes. */
FUNCTION(innocent_trap)
	ret
END(innocent_trap)
	in %dx, %al
	.byte 0xc6, 0x05, 0x75, .Lby_stranger_with_trap - . - 1, 0, 0, 1
	ret
/* expect: by_stranger_with_trap futex 2 0 - something may jump into it */
FUNCTION(by_stranger_with_trap)
	BODY(.Lby_stranger_with_trap)
END(by_stranger_with_trap)
	APART

FUNCTION(innocent_zeros)
	ret
END(innocent_zeros)
	nop
	.byte 0, 0
	.byte 0xc6, 0x05, 0x75, .Lby_stranger_with_zeros - . - 1, 0, 0, 1
	ret
/* expect: by_stranger_with_zeros futex 2 0 - something may jump into it */
FUNCTION(by_stranger_with_zeros)
	BODY(.Lby_stranger_with_zeros)
END(by_stranger_with_zeros)
	APART

/* Zeros in front are what sections are filled up with. */
FUNCTION(innocent_padding)
	ret
END(innocent_padding)
	.byte 0, 0, 0
	.byte 0xc6, 0x05, 0x75, .Lby_padded_stranger - . - 1, 0, 0, 1
	ret
/* expect: by_padded_stranger futex 6 0 - usable */
FUNCTION(by_padded_stranger)
	BODY(.Lby_padded_stranger)
END(by_padded_stranger)
	APART

FUNCTION(innocent_real)
	ret
END(innocent_real)
	nop
	jz .Lby_real_stranger
	ret
/* expect: by_real_stranger futex 2 0 - something may jump into it */
FUNCTION(by_real_stranger)
	BODY(.Lby_real_stranger)
END(by_real_stranger)
	APART

FUNCTION(innocent_loop)
	ret
END(innocent_loop)
	nop
	loop .Lby_looping_stranger
	ret
/* expect: by_looping_stranger futex 2 0 - something may jump into it */
FUNCTION(by_looping_stranger)
	BODY(.Lby_looping_stranger)
END(by_looping_stranger)
