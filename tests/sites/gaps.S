/* SPDX-License-Identifier: MIT */
/* What is in no function that is known: code, or only bytes of it. */
#include "case.h"

#define HERE(name) \
	.skip 160, 0x06; \
	.type name, @function; \
name:
#define UNTIL(name) .size name, . - name

	.p2align 4
FUNCTION(described)
	call stub
	ret
END(described)

/* expect: from_constant tested 2 0 - it is in no function */
	HERE(from_constant)
	mov $202, %eax
	syscall
	ret
	UNTIL(from_constant)

/* expect: of_another unlikely 2 0 - it is in no function */
	HERE(of_another)
	mov $39, %eax
	syscall
	ret
	UNTIL(of_another)

/* expect: of_handlers tested 2 0 - it is in no function */
	HERE(of_handlers)
	mov $13, %eax
	syscall
	ret
	UNTIL(of_handlers)

/* expect: of_nobody unlikely 2 0 - it is in no function */
	HERE(of_nobody)
	mov %rcx, %r10
	syscall
	ret
	UNTIL(of_nobody)

/* The same, but it is called. */
/* expect: stub tested 2 0 - it is in no function */
	HERE(stub)
	mov %rcx, %r10
	syscall
	ret
	UNTIL(stub)

/* expect: from_register tested 2 0 - it is in no function */
	HERE(from_register)
	mov %rdi, %rax
	mov %rsi, %rdi
	mov %rdx, %rsi
	syscall
	ret
	UNTIL(from_register)

/* expect: from_memory tested 2 0 - it is in no function */
	HERE(from_memory)
	mov 8(%rsp), %eax
	syscall
	ret
	UNTIL(from_memory)

/* expect: from_word tested 2 0 - it is in no function */
	HERE(from_word)
	movzwl (%rdi), %eax
	syscall
	ret
	UNTIL(from_word)

/* expect: from_sum tested 2 0 - it is in no function */
	HERE(from_sum)
	lea 1(%rdi), %eax
	syscall
	ret
	UNTIL(from_sum)

/* expect: from_stack tested 2 0 - it is in no function */
	HERE(from_stack)
	push $-54
	pop %rax
	movzbl %al, %eax
	syscall
	ret
	UNTIL(from_stack)

/* expect: popped tested 2 0 - it is in no function */
	HERE(popped)
	pop %rax
	pop %rdi
	syscall
	ret
	UNTIL(popped)

/* expect: changed_later tested 2 0 - it is in no function */
	HERE(changed_later)
	mov %edi, %eax
	inc %eax
	syscall
	ret
	UNTIL(changed_later)

/* expect: overwritten unlikely 2 0 - it is in no function */
	HERE(overwritten)
	mov %edi, %eax
	mov $39, %eax
	syscall
	ret
	UNTIL(overwritten)

/* expect: past_a_branch tested 2 0 - it is in no function */
	HERE(past_a_branch)
	mov $202, %eax
	jmp 1f
	mov $39, %eax
1:	syscall
	ret
	UNTIL(past_a_branch)

/* expect: two_ways tested 2 0 - it is in no function */
	HERE(two_ways)
	mov $202, %eax
	test %edi, %edi
	jz 1f
	mov $39, %eax
1:	syscall
	ret
	UNTIL(two_ways)

/* expect: not_past_the_end unlikely 2 0 - it is in no function */
	HERE(not_past_the_end)
	mov $202, %eax
	ret
	syscall
	ret
	UNTIL(not_past_the_end)

/* The second call has the first's answer. */
/* expect: twice tested 2 0 - it is in no function */
/* expect: twice unlikely 2 0 - it is in no function */
	HERE(twice)
	mov $202, %eax
	syscall
	syscall
	ret
	UNTIL(twice)

/* No program comes past that. */
/* expect: trapped unlikely 2 0 - it is in no function */
	HERE(trapped)
	mov $202, %eax
	in %dx, %al
	cli
	syscall
	ret
	UNTIL(trapped)

/* expect: from_afar tested 2 0 - it is in no function */
	HERE(from_afar)
	mov $202, %eax
	.rept 30
	mov $0x06060606, %edx
	.endr
	syscall
	ret
	UNTIL(from_afar)

/* expect: operand unlikely 2 0 - it is in no function */
	HERE(operand)
	mov $0x050f, %ecx
	ret
	UNTIL(operand)

/* expect: branch unlikely 2 0 - it is in no function */
	HERE(branch)
	.byte 0xe9, 0x0f, 0x05, 0, 0
	UNTIL(branch)

/* An operand that hides what stands before. */
/* expect: hidden unlikely 2 0 - it is in no function */
/* expect: hidden tested 2 0 - it is in no function */
	HERE(hidden)
	mov $202, %eax
	mov $0x050f, %ecx
	syscall
	ret
	UNTIL(hidden)
	.skip 160, 0x06
