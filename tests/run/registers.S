/* SPDX-License-Identifier: MIT */
/*
 * void registers_NAME(struct registers *r): loads every register from the first
 * half of *r, makes one system call, and stores every register in the second.
 * See registers.c for the structure. The site of registers_pair is "mov
 * $202,%eax; syscall"; that of registers_number has its number in a register,
 * that of registers_memory loads it relative to rip.
 */
#define HALF 2496
#define GPR 0
#define FLAGS 128
#define MXCSR 136
#define RED 144
#define MASKS 272
#define VECTORS 384
#define LEVEL (2 * HALF)

	.macro vectors how, base
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	\how \n, \base
	.endr
	.endm
	.macro upper_vectors how, base
	.irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\how \n, \base
	.endr
	.endm
	.macro load_x n, base
	movdqu	VECTORS+64*\n(\base), %xmm\n
	.endm
	.macro load_y n, base
	vmovdqu	VECTORS+64*\n(\base), %ymm\n
	.endm
	.macro load_z n, base
	vmovdqu64 VECTORS+64*\n(\base), %zmm\n
	.endm
	.macro store_x n, base
	movdqu	%xmm\n, HALF+VECTORS+64*\n(\base)
	.endm
	.macro store_y n, base
	vmovdqu	%ymm\n, HALF+VECTORS+64*\n(\base)
	.endm
	.macro store_z n, base
	vmovdqu64 %zmm\n, HALF+VECTORS+64*\n(\base)
	.endm
	.macro masks how
	.irp n, 0,1,2,3,4,5,6,7
	\how \n
	.endr
	.endm
	.macro load_k n
	kmovw	MASKS+8*\n(%rdi), %k\n
	.endm
	.macro store_k n
	kmovw	%k\n, HALF+MASKS+8*\n(%rcx)
	.endm

	.macro push_reg reg
	push	%\reg
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %\reg, 0
	.endm
	.macro pop_reg reg
	pop	%\reg
	.cfi_adjust_cfa_offset -8
	.cfi_restore %\reg
	.endm

	/* Nothing but moves behind popfq: flags and red zone are set. */
	.macro load_all
	push	FLAGS(%rdi)
	popfq
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	mov	RED+8*\n(%rdi), %rax
	mov	%rax, 8*\n-128(%rsp)
	.endr
	mov	GPR(%rdi), %rax
	mov	GPR+8(%rdi), %rbx
	mov	GPR+16(%rdi), %rcx
	mov	GPR+24(%rdi), %rdx
	mov	GPR+32(%rdi), %rsi
	mov	GPR+48(%rdi), %rbp
	mov	GPR+64(%rdi), %r8
	mov	GPR+72(%rdi), %r9
	mov	GPR+80(%rdi), %r10
	mov	GPR+88(%rdi), %r11
	mov	GPR+96(%rdi), %r12
	mov	GPR+104(%rdi), %r13
	mov	GPR+112(%rdi), %r14
	mov	GPR+120(%rdi), %r15
	mov	GPR+40(%rdi), %rdi
	.endm

	/* rcx and r11 are the kernel's to change. */
	.macro store_all
	mov	(%rsp), %rcx
	mov	%rax, HALF+GPR(%rcx)
	mov	%rbx, HALF+GPR+8(%rcx)
	mov	%rdx, HALF+GPR+24(%rcx)
	mov	%rsi, HALF+GPR+32(%rcx)
	mov	%rdi, HALF+GPR+40(%rcx)
	mov	%rbp, HALF+GPR+48(%rcx)
	mov	%rsp, HALF+GPR+56(%rcx)
	mov	%r8, HALF+GPR+64(%rcx)
	mov	%r9, HALF+GPR+72(%rcx)
	mov	%r10, HALF+GPR+80(%rcx)
	mov	%r12, HALF+GPR+96(%rcx)
	mov	%r13, HALF+GPR+104(%rcx)
	mov	%r14, HALF+GPR+112(%rcx)
	mov	%r15, HALF+GPR+120(%rcx)
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	mov	8*\n-128(%rsp), %rax
	mov	%rax, HALF+RED+8*\n(%rcx)
	.endr
	pushfq
	pop	HALF+FLAGS(%rcx)
	cld
	stmxcsr	HALF+MXCSR(%rcx)
	.endm

	.macro begin name
	.globl	\name
	.type	\name, @function
\name:
	.cfi_startproc
	push_reg rbx
	push_reg rbp
	push_reg r12
	push_reg r13
	push_reg r14
	push_reg r15
	push	%rdi
	.cfi_adjust_cfa_offset 8
	ldmxcsr	MXCSR(%rdi)
	cmpl	$1, LEVEL(%rdi)
	jb	1f
	je	2f
	vectors	load_z, %rdi
	upper_vectors load_z, %rdi
	masks	load_k
	jmp	3f
2:	vectors	load_y, %rdi
	jmp	3f
1:	vectors	load_x, %rdi
3:	mov	%rsp, GPR+56(%rdi)
	load_all
	.endm

	.macro end name
	store_all
	cmpl	$1, LEVEL(%rcx)
	jb	1f
	je	2f
	vectors	store_z, %rcx
	upper_vectors store_z, %rcx
	masks	store_k
	vzeroupper
	jmp	3f
2:	vectors	store_y, %rcx
	vzeroupper
	jmp	3f
1:	vectors	store_x, %rcx
3:	pushq	$0x1f80
	ldmxcsr	(%rsp)
	pop	%rax
	pop	%rdi
	.cfi_adjust_cfa_offset -8
	pop_reg r15
	pop_reg r14
	pop_reg r13
	pop_reg r12
	pop_reg rbp
	pop_reg rbx
	ret
	.cfi_endproc
	.size	\name, . - \name
	.endm

	.text
	begin	registers_pair
	mov	$202, %eax
	syscall
	end	registers_pair

	begin	registers_number
	syscall
	end	registers_number

	begin	registers_memory
	mov	number(%rip), %eax
	syscall
	end	registers_memory

	.section .rodata
	.balign	4
number:	.long	202

	.section .note.GNU-stack, "", @progbits
