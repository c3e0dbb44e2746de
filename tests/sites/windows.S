/* SPDX-License-Identifier: MIT */
/* What is around the system call. */
#include "case.h"

/* The loop ends the straight line; its target is the window's beginning. */
/* expect: target_at_begin tested 8 0 - usable */
FUNCTION(target_at_begin)
	mov $202, %eax
1:	syscall
	cmp $-4096, %rax
	jae 1b
	ret
END(target_at_begin)

/* expect: target_behind futex 5 3 - usable */
FUNCTION(target_behind)
	mov $202, %eax
	mov %rsi, %rdx
	syscall
1:	mov %eax, %edx
	dec %edi
	jnz 1b
	ret
END(target_behind)

/* expect: target_inside futex 2 0 - something may jump into it */
FUNCTION(target_inside)
	mov $202, %eax
	test %edi, %edi
	jz 2f
	syscall
1:	mov %eax, %edx
	dec %edi
	jnz 1b
2:	ret
END(target_inside)

/* expect: notrack_entry futex 2 0 - something may jump into it */
FUNCTION(notrack_entry)
	mov $202, %eax
	test %edi, %edi
	jz 2f
	syscall
	endbr64
2:	ret
END(notrack_entry)

/* expect: between_branches futex 2 0 - a branch, call or return */
FUNCTION(between_branches)
	mov $202, %eax
	test %edi, %edi
	jz 2f
	syscall
2:	ret
END(between_branches)

/* expect: no_room tested 2 0 - the function has too little room */
FUNCTION(no_room)
	mov %edi, %eax
	syscall
END(no_room)

/* expect: relative_before tested 8 6 2 usable */
FUNCTION(relative_before)
	mov %edi, %eax
	mov word(%rip), %esi
	syscall
	ret
END(relative_before)

/* expect: relative_behind tested 8 0 4 usable */
FUNCTION(relative_behind)
	mov %edi, %eax
	syscall
	mov %eax, word(%rip)
	ret
END(relative_behind)

/* expect: both_sides tested 6 2 - usable */
FUNCTION(both_sides)
	mov %edi, %eax
	syscall
	mov %eax, %edx
	jmp no_room
END(both_sides)

/* expect: too_near tested 2 0 - another site is too near */
/* expect: too_near futex 7 5 - usable */
FUNCTION(too_near)
	mov %edi, %eax
	syscall
	mov $202, %eax
	syscall
	ret
END(too_near)

/* The same with one more instruction to take. */
/* expect: near_enough tested 5 3 - usable */
/* expect: near_enough futex 7 5 - usable */
FUNCTION(near_enough)
	mov %rdi, %rax
	syscall
	mov $202, %eax
	syscall
	ret
END(near_enough)

/* What stands behind pushes, before calls, pops. */
/* expect: pops futex 2 0 - it moves the stack pointer */
FUNCTION(pops)
	BODY_AND(pop %rdx; pop %rcx; pop %rcx)
END(pops)

/* expect: pushes futex 2 0 - it moves the stack pointer */
FUNCTION(pushes)
	BODY_AND(push %rdx; push %rcx; push %rcx)
END(pushes)

/* expect: pushes_flags futex 2 0 - it moves the stack pointer */
FUNCTION(pushes_flags)
	BODY_AND(pushf; popf; nop)
END(pushes_flags)

/* expect: adds futex 2 0 - it moves the stack pointer */
FUNCTION(adds)
	BODY_AND(add $8, %rsp)
END(adds)

/* expect: leaves futex 2 0 - it moves the stack pointer */
FUNCTION(leaves)
	BODY_AND(leave; nop; nop)
END(leaves)

/* expect: sets_stack futex 2 0 - it moves the stack pointer */
FUNCTION(sets_stack)
	BODY_AND(lea 8(%rdi), %esp)
END(sets_stack)

/* Not the stack pointer itself. */
/* expect: reads_stack futex 6 0 - usable */
FUNCTION(reads_stack)
	BODY_AND(mov 8(%rsp), %edx)
END(reads_stack)

/* expect: copies_stack futex 5 0 - usable */
FUNCTION(copies_stack)
	BODY_AND(mov %rsp, %rbp)
END(copies_stack)

/* The second choice. */
/* expect: pops_behind tested 8 6 2 usable */
FUNCTION(pops_behind)
	mov %edi, %eax
	mov word(%rip), %esi
	syscall
	pop %rdx
	pop %rcx
	pop %rcx
	ret
END(pops_behind)

/* expect: pushes_before tested 7 0 - usable */
FUNCTION(pushes_before)
	mov %edi, %eax
	push %rdx
	syscall
	mov $1, %edx
	mov $1, %edx
	ret
END(pushes_before)

/* As glibc's call that can be cancelled: the moves before it are the window. */
/* expect: cancelled tested 7 5 - usable */
FUNCTION(cancelled)
	testb $8, (%rdi)
	jne no_room
	mov %rdi, %r11
	mov %rsi, %rax
	mov 0x10(%rsp), %r9
	mov %r11, 8(%rsp)
	syscall
	ret
END(cancelled)

	.local word
	.comm word, 4, 4
