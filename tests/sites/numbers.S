/* SPDX-License-Identifier: MIT */
/* How the number comes into eax. */
#include "case.h"

/* expect: known futex 7 5 - usable */
FUNCTION(known)
	mov $202, %eax
	syscall
	ret
END(known)

/* expect: wide futex 9 7 - usable */
FUNCTION(wide)
	movq $202, %rax
	syscall
	ret
END(wide)

/* expect: waitv futex 7 5 - usable */
FUNCTION(waitv)
	mov $449, %eax
	syscall
	ret
END(waitv)

FUNCTION(beside_waitv)
	mov $450, %eax
	syscall
	mov $448, %eax
	syscall
	ret
END(beside_waitv)

FUNCTION(map_shadow_stack)
	mov $453, %eax
	syscall
	ret
END(map_shadow_stack)

/* expect: futex2 futex 7 5 - usable */
/* expect: futex2 futex 7 5 - usable */
/* expect: futex2 futex 7 5 - usable */
FUNCTION(futex2)
	mov $454, %eax
	syscall
	mov $455, %eax
	syscall
	mov $456, %eax
	syscall
	mov $457, %eax
	syscall
	ret
END(futex2)

/* expect: handler handler 7 5 - usable */
FUNCTION(handler)
	mov $13, %eax
	syscall
	mov $14, %eax
	syscall
	ret
END(handler)

FUNCTION(other)
	mov $39, %eax
	syscall
	ret
END(other)

FUNCTION(zero)
	xor %eax, %eax
	syscall
	ret
END(zero)

FUNCTION(constant)
	mov $0x050f, %eax
	ret
END(constant)

/* expect: before futex 8 0 - usable */
FUNCTION(before)
	mov $202, %eax
	mov %rsi, %rdx
	test %edx, %edx
	jz 1f
	syscall
	cmp $-4096, %rax
1:	ret
END(before)

/* expect: argument tested 8 0 - usable */
FUNCTION(argument)
	mov %edi, %eax
	mov %rsi, %rdi
	syscall
	cmp $-4096, %rax
	ret
END(argument)

/* expect: behind_a_call tested 8 0 - usable */
FUNCTION(behind_a_call)
	mov $39, %eax
	call 1f
	syscall
	cmp $-4096, %rax
1:	ret
END(behind_a_call)

/* expect: counted tested 8 0 - usable */
FUNCTION(counted)
	mov $201, %eax
	inc %eax
	syscall
	cmp $-4096, %rax
	ret
END(counted)

/* expect: in_part tested 8 0 - usable */
FUNCTION(in_part)
	mov $39, %eax
	mov $202, %al
	syscall
	cmp $-4096, %rax
	ret
END(in_part)

/* expect: behind_a_jump tested 8 0 - usable */
FUNCTION(behind_a_jump)
	test %edi, %edi
	jz 1f
	mov $39, %eax
	ret
1:	syscall
	cmp $-4096, %rax
	ret
END(behind_a_jump)

/* Nothing is known to lead there; what stands before does not. */
/* expect: behind_a_return tested 8 0 - usable */
FUNCTION(behind_a_return)
	mov $39, %eax
	ret
	syscall
	cmp $-4096, %rax
	ret
END(behind_a_return)
