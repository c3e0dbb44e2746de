/* SPDX-License-Identifier: MIT */
/*
 * Slots: what a patched system call jumps to. All are the same code but for
 * what the patcher (slots.c) copies into the two gaps, the jump at the end, and
 * the last word, which is the address behind the system call in the program:
 *
 *	gap     instructions that stood before the system call
 *	        ufx_slot_common, past the red zone; ecx is 0 if the call is to be made
 *	        the system call itself, or not
 *	gap     instructions that stood behind it
 *	        jump to what follows
 *
 * If the program is too far away for that, both gaps are near the program, in
 * a detour (detour.c), and what is here in the second one is a jump there.
 *
 * rcx, which the kernel destroys, is the only register that changes besides
 * rax; flags stay. The program's stack pointer is back in place at the system
 * call and in the gaps, so that a child on a stack of its own may be made here.
 *
 * To whoever walks the stack a slot is a function that was called by the
 * system call: its frame is empty, and its return address is the slot's last
 * word, wherever in the slot the program is.
 */
#if defined(__x86_64__)

#include "preload/slots.h"

#define EINTR 4
#define NOP 0x90
#define TRAP 0xcc

/* DW_CFA_expression for rip: (rip & -SLOT_SIZE) + UFX_SLOT_RETURN. */
#define RETURN_IN_SLOT                                                         \
	.cfi_escape 0x10, 16, 7, 0x80, 0, 0x09, 0x80, 0x1a, 0x23, UFX_SLOT_RETURN

	.hidden	ufx_thread_hurried

	.section .text.ufx_slots, "ax", @progbits
	.p2align 12
	.globl	ufx_slots
	.hidden	ufx_slots
	.type	ufx_slots, @function
ufx_slots:
	.rept	UFX_SLOTS
	.cfi_startproc
	.cfi_def_cfa_offset 0
	RETURN_IN_SLOT
9:
	.fill	UFX_SLOT_GAP, 1, NOP
	leaq	-128(%rsp), %rsp
	.cfi_def_cfa_offset 128
	call	ufx_slot_common
	.org	9b + UFX_SLOT_ASKED, NOP
	leaq	128(%rsp), %rsp
	.cfi_def_cfa_offset 0
	jecxz	1f
	jmp	2f
1:
	/* A cancellation while it was asked: not to be made any more. */
	movq	ufx_thread_hurried@gottpoff(%rip), %rcx
	movl	%fs:(%rcx), %ecx
	jecxz	3f
	movq	ufx_thread_hurried@gottpoff(%rip), %rcx
	movl	$0, %fs:(%rcx)
	movq	$-EINTR, %rax
	jmp	2f
	.org	9b + UFX_SLOT_SYSCALL, NOP
3:
	syscall
2:
	.org	9b + UFX_SLOT_BEHIND, NOP
	.fill	UFX_SLOT_GAP, 1, NOP
	.fill	UFX_JUMP_LENGTH, 1, TRAP
	.org	9b + UFX_SLOT_RETURN, TRAP
	.quad	0
	.cfi_endproc
	.endr
	.size	ufx_slots, . - ufx_slots

/*
 * With the system call's registers, below the red zone. Saves all that C may
 * change but the kernel would not; vector registers C code here leaves alone
 * (-mgeneral-regs-only).
 */
	.text
	.globl	ufx_slot_common
	.globl	ufx_slot_common_end
	.hidden	ufx_slot_common
	.hidden	ufx_slot_common_end
	.type	ufx_slot_common, @function
	.p2align 6
ufx_slot_common:
	.cfi_startproc
	pushfq
	.cfi_adjust_cfa_offset 8
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	andq	$-16, %rsp
	pushq	16(%rbp)	/* where in the slot */
	pushq	%r9
	pushq	%r8
	pushq	%r10
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%rax
	movq	%rsp, %rdi
	cld
	call	ufx_preload_site
	movzbl	%al, %ecx
	popq	%rax
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%r10
	popq	%r8
	popq	%r9
	movq	%rbp, %rsp
	popq	%rbp
	.cfi_def_cfa %rsp, 16
	.cfi_restore %rbp
	popfq
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size	ufx_slot_common, . - ufx_slot_common
ufx_slot_common_end:
	.hidden	ufx_preload_site

#endif

	.section .note.GNU-stack, "", %progbits
