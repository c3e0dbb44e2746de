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

	.local word
	.comm word, 4, 4
