/* SPDX-License-Identifier: MIT */
/*
 * How a jump that is no branch may lead behind a system call. The first shows
 * that a window is there without.
 */
#include "case.h"

/* expect: by_nobody futex 6 0 - usable */
FUNCTION(by_nobody)
	BODY(0)
END(by_nobody)

/* expect: by_table futex 2 0 - something may jump into it */
FUNCTION(by_table)
	lea table(%rip), %rdx
	movslq (%rdx, %rdi, 4), %rax
	add %rdx, %rax
	jmp *%rax
	BODY(.Lby_table)
END(by_table)
	.section .rodata
	.p2align 2
table:	.long by_table - table, .Lby_table - table
	.text

/* expect: by_pointer futex 2 0 - something may jump into it */
FUNCTION(by_pointer)
	BODY(.Lby_pointer)
END(by_pointer)
	.section .data.rel.ro, "aw"
	.p2align 3
	.quad .Lby_pointer
	.text

/* expect: by_address futex 2 0 - something may jump into it */
FUNCTION(by_address)
	BODY(.Lby_address)
END(by_address)
FUNCTION(takes_address)
	lea .Lby_address(%rip), %rax
	ret
END(takes_address)

/* expect: by_unwinding futex 2 0 - something may jump into it */
FUNCTION(by_unwinding)
	.cfi_lsda 0x1b, .Lpads
	BODY(.Lby_unwinding)
END(by_unwinding)
	.section .gcc_except_table, "a"
.Lpads:	.byte 0xff, 0xff, 1
	.uleb128 2f - 1f
1:	.uleb128 0, 1, .Lby_unwinding - by_unwinding, 0
2:
	.text

/* expect: past_the_lock futex 7 5 - usable */
FUNCTION(past_the_lock)
	test %esi, %esi
	jz 1f
	lock
1:	incl (%rdi)
	mov $202, %eax
	syscall
	ret
END(past_the_lock)

/* expect: computes futex 2 0 - the function computes jumps */
FUNCTION(computes)
	lea 1f(%rip), %rdx
	add %rdi, %rdx
	jmp *%rdx
1:	mov $202, %eax
	syscall
	ret
END(computes)
