/* SPDX-License-Identifier: MIT */
/*
 * What the kernel calls for a signal: one of several entries, so that it is the
 * kernel who says which of the program's actions was in force. An entry's number
 * becomes the fourth argument.
 */
#if defined(__x86_64__)

#include "preload/handlers.h"

	.text
	.globl	ufx_handler_entries
	.hidden	ufx_handler_entries
	.hidden	ufx_on_signal
	.type	ufx_handler_entries, @function
	.p2align 4
ufx_handler_entries:
	.set	number, 0
	.rept	UFX_HANDLER_ENTRIES
	.cfi_startproc
	endbr64
	movl	$number, %ecx
	jmp	ufx_on_signal
	.p2align 4
	.cfi_endproc
	.set	number, number + 1
	.endr
	.size	ufx_handler_entries, . - ufx_handler_entries

#endif

	.section .note.GNU-stack, "", %progbits
