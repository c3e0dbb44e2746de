/* SPDX-License-Identifier: MIT */
/*
 * syscall() and vfork() for x86-64.
 *
 * syscall() has no frame: a child that clone started on a stack of its own
 * returns by popping from that stack, as from libc's.
 */
#if defined(__x86_64__)

#if defined(__CET__)
#include <cet.h>
#else
#define _CET_ENDBR
#endif

#define NR_rt_sigaction 13
#define NR_futex 202
#define NR_prctl 157
#define NR_vfork 58
#define NR_seccomp 317
#define NR_futex_waitv 449
#define NR_futex_wake 454
#define NR_futex_wait 455
#define NR_futex_requeue 456

	.hidden	ufx_preload_futex
	.hidden	ufx_preload_waitv
	.hidden	ufx_preload_wake
	.hidden	ufx_preload_wait
	.hidden	ufx_preload_requeue
	.hidden	ufx_preload_prctl
	.hidden	ufx_preload_sigaction
	.hidden	ufx_preload_seccomp
	.hidden	ufx_preload_fail
	.hidden	ufx_thread_unregistered

	.text

/*
 * long syscall(long number, ...). The kernel looks at the low half of the
 * number only.
 */
	.globl	syscall
	.type	syscall, @function
	.p2align 6
syscall:
	.cfi_startproc
	_CET_ENDBR
	cmpl	$NR_futex, %edi
	jne	1f
	movq	%rsi, %rdi
	movl	%edx, %esi
	movl	%ecx, %edx
	movq	%r8, %rcx
	movq	%r9, %r8
	movl	8(%rsp), %r9d
	jmp	ufx_preload_futex
1:
	leal	-NR_futex_waitv(%rdi), %eax
	cmpl	$(NR_futex_requeue - NR_futex_waitv), %eax
	jbe	3f
	cmpl	$NR_prctl, %edi
	je	5f
	cmpl	$NR_rt_sigaction, %edi
	je	9f
	cmpl	$NR_seccomp, %edi
	je	10f
2:
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	movq	%r9, %r8
	movq	8(%rsp), %r9
	syscall
	cmpq	$-4095, %rax
	jae	4f
	ret
3:
	cmpl	$NR_futex_waitv, %edi
	je	6f
	cmpl	$NR_futex_wake, %edi
	jb	2b
	je	7f
	cmpl	$NR_futex_wait, %edi
	je	8f
	movq	%rsi, %rdi
	movl	%edx, %esi
	movl	%ecx, %edx
	movl	%r8d, %ecx
	jmp	ufx_preload_requeue
4:
	movq	%rax, %rdi
	jmp	ufx_preload_fail
5:
	movl	%esi, %edi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %rcx
	movq	%r9, %r8
	jmp	ufx_preload_prctl
6:
	movq	%rsi, %rdi
	movl	%edx, %esi
	movl	%ecx, %edx
	movq	%r8, %rcx
	movl	%r9d, %r8d
	jmp	ufx_preload_waitv
7:
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movl	%ecx, %edx
	movl	%r8d, %ecx
	jmp	ufx_preload_wake
8:
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movl	%r8d, %ecx
	movq	%r9, %r8
	movl	8(%rsp), %r9d
	jmp	ufx_preload_wait
9:
	movl	%esi, %edi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %rcx
	jmp	ufx_preload_sigaction
10:
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	jmp	ufx_preload_seccomp
	.cfi_endproc
	.size	syscall, . - syscall

/*
 * pid_t vfork(void). Parent and child use the same stack, one after the other,
 * so the return address waits in a register. The child leaves by a jump: under
 * a shadow stack, which they share too, the parent's entry stays in place.
 */
	.globl	vfork
	.type	vfork, @function
	.p2align 4
vfork:
	.cfi_startproc
	_CET_ENDBR
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	.cfi_register %rip, %rdi
	movq	ufx_thread_unregistered@gottpoff(%rip), %rsi
	addl	$1, %fs:(%rsi)
	movl	$NR_vfork, %eax
	syscall
	testq	%rax, %rax
	jz	1f
	subl	$1, %fs:(%rsi)
	pushq	%rdi
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rip, 0
	cmpq	$-4095, %rax
	jae	2f
	ret
	.cfi_adjust_cfa_offset -8
	.cfi_register %rip, %rdi
1:
	jmp	*%rdi
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rip, 0
2:
	movq	%rax, %rdi
	jmp	ufx_preload_fail
	.cfi_endproc
	.size	vfork, . - vfork

#endif

	.section .note.GNU-stack, "", %progbits
