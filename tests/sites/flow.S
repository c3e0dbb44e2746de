/* SPDX-License-Identifier: MIT */
/* Which numbers come to a system call, on several ways and through registers. */
#include "case.h"

#define CALL	syscall; cmp $-4096, %rax
#define APART	.skip 300, 0x90

/* expect: one_is_ours tested 8 0 - usable */
FUNCTION(one_is_ours)
	mov $39, %eax
	test %edi, %edi
	jz 1f
	mov $202, %eax
1:	CALL
	ret
END(one_is_ours)

FUNCTION(both_are_others)
	mov $39, %eax
	test %edi, %edi
	jz 1f
	mov $40, %eax
1:	CALL
	ret
END(both_are_others)

/* expect: both_are_ours futex 8 0 - usable */
FUNCTION(both_are_ours)
	mov $202, %eax
	test %edi, %edi
	jz 1f
	mov $449, %eax
1:	CALL
	ret
END(both_are_ours)

/* expect: two_of_ours tested 8 0 - usable */
FUNCTION(two_of_ours)
	mov $202, %eax
	test %edi, %edi
	jz 1f
	mov $13, %eax
1:	CALL
	ret
END(two_of_ours)

/* expect: one_is_unknown tested 8 0 - usable */
FUNCTION(one_is_unknown)
	mov $39, %eax
	test %edi, %edi
	jz 1f
	mov (%rsi), %eax
1:	CALL
	ret
END(one_is_unknown)

/* expect: by_register futex 8 0 - usable */
FUNCTION(by_register)
	mov $202, %r8d
	test %edi, %edi
	jz 1f
	inc %esi
1:	mov %r8d, %ecx
	mov %rcx, %rax
	CALL
	ret
END(by_register)

FUNCTION(other_by_register)
	mov $39, %r8d
	test %edi, %edi
	jz 1f
	inc %esi
1:	mov %r8d, %eax
	CALL
	ret
END(other_by_register)

FUNCTION(loop)
	mov $39, %r8d
1:	mov %r8d, %eax
	CALL
	ja 1b
	dec %rdi
	jmp 1b
END(loop)

/* expect: counting_loop tested 8 0 - usable */
FUNCTION(counting_loop)
	mov $39, %r8d
1:	mov %r8d, %eax
	CALL
	inc %r8d
	jmp 1b
END(counting_loop)

/* As a loop that begins in its middle, with what an assembler puts between. */
FUNCTION(gaps)
	mov $39, %eax
	jmp 2f
	nop
	.nops 12
1:	mov $40, %eax
2:	CALL
	jne 1b
	mov $41, %eax
	jmp 3f
	int3
	int3
3:	CALL
	ret
END(gaps)

/* Nothing leads there. */
/* expect: forgotten tested 8 0 - usable */
FUNCTION(forgotten)
	mov $39, %eax
	jmp 1f
	mov %edi, %esi
1:	CALL
	ret
END(forgotten)

/* expect: over_a_call tested 8 0 - usable */
FUNCTION(over_a_call)
	mov $39, %ebx
	call gaps
	mov %ebx, %eax
	CALL
	ret
END(over_a_call)

/* expect: over_another tested 8 0 - usable */
FUNCTION(over_another)
	mov $39, %eax
	mov $39, %ecx
	syscall
	mov %ecx, %eax
	CALL
	ret
END(over_another)

/* expect: its_result tested 8 0 - usable */
FUNCTION(its_result)
	mov $39, %eax
	syscall
	CALL
	ret
END(its_result)

/* expect: low_byte tested 8 0 - usable */
FUNCTION(low_byte)
	mov $39, %r8d
	mov $202, %r8b
	mov %r8d, %eax
	CALL
	ret
END(low_byte)

/* expect: high_byte tested 8 0 - usable */
FUNCTION(high_byte)
	mov $202, %eax
	mov $1, %ah
	CALL
	ret
END(high_byte)

/* expect: half tested 8 0 - usable */
FUNCTION(half)
	mov $39, %eax
	mov $202, %r8d
	mov %r8w, %ax
	CALL
	ret
END(half)

/* expect: conditional tested 8 0 - usable */
FUNCTION(conditional)
	mov $39, %eax
	mov $202, %r8d
	test %edi, %edi
	cmovz %r8d, %eax
	CALL
	ret
END(conditional)

/* expect: exchanged tested 8 0 - usable */
FUNCTION(exchanged)
	mov $39, %eax
	mov $202, %r8d
	xchg %r8d, %eax
	CALL
	ret
END(exchanged)

/* expect: popped tested 8 0 - usable */
FUNCTION(popped)
	mov $39, %eax
	push $202
	pop %rax
	CALL
	ret
END(popped)

/* expect: processor tested 8 0 - usable */
FUNCTION(processor)
	mov $39, %eax
	cpuid
	CALL
	ret
END(processor)

/* expect: cleared tested 8 0 - usable */
FUNCTION(cleared)
	mov $202, %r8d
	xor %r8d, %eax
	CALL
	ret
END(cleared)

/* The way past the prefix counts. */
/* expect: locked tested 8 0 - usable */
FUNCTION(locked)
	mov $202, %eax
	test %edi, %edi
	jz 1f
	mov $39, %eax
	lock
1:	incl (%rsi)
	CALL
	ret
END(locked)

/* There may be more ways than those that are seen. */
/* expect: computes tested 8 0 - usable */
FUNCTION(computes)
	mov $39, %eax
	test %edi, %edi
	jz 1f
	test %esi, %esi
	jz 2f
1:	CALL
	ret
2:	jmp *%rdx
END(computes)

/* Where others lead. */
	APART
/* expect: entered tested 8 0 - usable */
FUNCTION(entered)
	mov $39, %eax
.Lentered:
	mov %rdi, %rsi
	CALL
	ret
END(entered)
FUNCTION(enters)
	jmp .Lentered
END(enters)

/* expect: entered_far tested 8 0 - usable */
FUNCTION(entered_far)
	mov $39, %eax
.Lentered_far:
	mov %rdi, %rsi
	CALL
	ret
END(entered_far)
	APART
FUNCTION(enters_far)
	jmp .Lentered_far
END(enters_far)

/* expect: entered_by_pointer tested 8 0 - usable */
FUNCTION(entered_by_pointer)
	mov $39, %r8d
.Lentered_by_pointer:
	mov %r8d, %eax
	CALL
	ret
END(entered_by_pointer)
	.section .data.rel.ro, "aw"
	.p2align 3
	.quad .Lentered_by_pointer
	.text

	APART
/* expect: beginning tested 8 0 - usable */
FUNCTION(beginning)
	CALL
	mov $39, %eax
	jmp beginning
END(beginning)

/* Its neighbour has sites of its own, so both are decoded for each other. */
FUNCTION(neighbour)
	mov $39, %r8d
1:	mov %r8d, %eax
	CALL
	jne 1b
	ret
END(neighbour)
