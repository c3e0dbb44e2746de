/* SPDX-License-Identifier: MIT */
/* Functions that are not what they seem, and code that is in none. */
#include "case.h"

/* expect: data tested 2 0 - the function does not decode */
/* expect: data unlikely 2 0 - the function does not decode */
FUNCTION(data)
	mov $202, %eax
	syscall
	jmp 1f
	.byte 0x06, 0x0f, 0x05
1:	ret
END(data)

/* expect: split futex 2 0 - something may jump into an instruction */
FUNCTION(split)
	jmp 1f + 1
1:	mov $0x90909090, %ecx
	mov $202, %eax
	syscall
	ret
END(split)

/* As where a C library's handlers return to. */
	nop
	.cfi_startproc
	.cfi_signal_frame
	.byte 0
	.type restore, @function
restore:
	movq $15, %rax
	syscall
	.cfi_endproc
	.size restore, . - restore

/* expect: strange_restore tested 2 0 - signal handlers return to it */
	.cfi_startproc
	.cfi_signal_frame
	.byte 0
	.type strange_restore, @function
strange_restore:
	mov %edi, %eax
	syscall
	cmp $-4096, %rax
	.cfi_endproc
	.size strange_restore, . - strange_restore

/* As clone: its description ends before the system call. */
	.type clone_like, @function
clone_like:
	.cfi_startproc
	mov $56, %eax
	.cfi_endproc
	syscall
	ret
	.size clone_like, . - clone_like

/* expect: futex_like futex 2 0 - it is in no function */
	.type futex_like, @function
futex_like:
	.cfi_startproc
	mov $202, %eax
	.cfi_endproc
	syscall
	ret
	.size futex_like, . - futex_like

/* expect: undescribed tested 2 0 - it is in no function */
	.type undescribed, @function
undescribed:
	mov $202, %eax
	syscall
	ret
	.size undescribed, . - undescribed

	.section .rodata
	.byte 0x0f, 0x05
