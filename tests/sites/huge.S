/* SPDX-License-Identifier: MIT */
/* A function that claims half of all addresses, and does not decode. */
#include "case.h"

/* expect: small futex 6 0 - usable */
FUNCTION(small)
	BODY(0)
END(small)
huge:	.byte 0x06

	.section .eh_frame, "a", @unwind
common:	.long 1f - 0f
0:	.long 0
	.byte 1
	.asciz "zR"
	.uleb128 1
	.sleb128 -8
	.byte 16
	.uleb128 1
	.byte 0x1c
	.p2align 3
1:	.long 3f - 2f
2:	.long . - common
	.quad huge - .
	.quad 0x7ffffffffff00000
	.uleb128 0
	.p2align 3
3:
