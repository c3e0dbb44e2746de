/* SPDX-License-Identifier: MIT */
/*
 * For functions in assembler. What is to be found in one stands before it:
 *
 *   expect: FUNCTION KIND LENGTH SYSCALL RELOCATION REASON
 *
 * RELOCATION is - if nothing is relative, REASON the beginning of why it is
 * refused, or usable. A function without such a line has no site.
 */
#define FUNCTION(name) \
	.type name, @function; \
name: \
	.cfi_startproc
#define END(name) \
	.cfi_endproc; \
	.size name, . - name

/* As the next, with what is behind the system call. */
#define BODY_AND(...) \
	mov $202, %eax; \
	test %edi, %edi; \
	jz 9f; \
	syscall; \
	__VA_ARGS__; \
9:	ret

/* A window behind the system call, the only one, is lost to a jump to @label. */
#define BODY(label) \
	mov $202, %eax; \
	test %edi, %edi; \
	jz 9f; \
	syscall; \
label:	mov %eax, %edx; \
	mov %edx, %ecx; \
9:	ret

	.section .note.GNU-stack, "", @progbits
	.text
