/* SPDX-License-Identifier: MIT */
/* syscall() and vfork() for aarch64; as for x86-64. */
#if defined(__aarch64__)

#define NR_futex 98
#define NR_prctl 167
#define NR_clone 220
#define NR_futex_waitv 449
#define NR_futex_wake 454
#define NR_futex_wait 455
#define NR_futex_requeue 456

#define CLONE_VM 0x100
#define CLONE_VFORK 0x4000
#define SIGCHLD 17

#define BTI_C hint	#34

	.hidden	ufx_preload_futex
	.hidden	ufx_preload_waitv
	.hidden	ufx_preload_wake
	.hidden	ufx_preload_wait
	.hidden	ufx_preload_requeue
	.hidden	ufx_preload_prctl
	.hidden	ufx_preload_fail
	.hidden	ufx_thread_unregistered

	.text

/* long syscall(long number, ...) */
	.globl	syscall
	.type	syscall, %function
	.p2align 6
syscall:
	.cfi_startproc
	BTI_C
	mov	w8, w0
	mov	x0, x1
	mov	x1, x2
	mov	x2, x3
	mov	x3, x4
	mov	x4, x5
	mov	x5, x6
	cmp	w8, #NR_futex
	b.eq	ufx_preload_futex
	cmp	w8, #NR_prctl
	b.eq	ufx_preload_prctl
	cmp	w8, #NR_futex_waitv
	b.eq	ufx_preload_waitv
	cmp	w8, #NR_futex_wake
	b.eq	ufx_preload_wake
	cmp	w8, #NR_futex_wait
	b.eq	ufx_preload_wait
	cmp	w8, #NR_futex_requeue
	b.eq	ufx_preload_requeue
	svc	#0
	cmn	x0, #4095
	b.cs	ufx_preload_fail
	ret
	.cfi_endproc
	.size	syscall, . - syscall

/*
 * pid_t vfork(void): clone without a stack of its own. The return address is
 * in x30, which the child cannot touch for the parent.
 */
	.globl	vfork
	.type	vfork, %function
	.p2align 4
vfork:
	.cfi_startproc
	BTI_C
	mrs	x9, tpidr_el0
	adrp	x10, :gottprel:ufx_thread_unregistered
	ldr	x10, [x10, :gottprel_lo12:ufx_thread_unregistered]
	add	x9, x9, x10
	ldr	w10, [x9]
	add	w10, w10, #1
	str	w10, [x9]
	mov	x0, #(CLONE_VM | CLONE_VFORK | SIGCHLD)
	mov	x1, #0
	mov	x2, #0
	mov	x3, #0
	mov	x4, #0
	mov	w8, #NR_clone
	svc	#0
	cbz	x0, 1f
	ldr	w10, [x9]
	sub	w10, w10, #1
	str	w10, [x9]
	cmn	x0, #4095
	b.cs	ufx_preload_fail
1:
	ret
	.cfi_endproc
	.size	vfork, . - vfork

#endif

	.section .note.GNU-stack, "", %progbits
