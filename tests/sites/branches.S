/* SPDX-License-Identifier: MIT */
/*
 * Branches of others that lead behind a system call. They stand in groups that
 * short branches do not reach across.
 */
#include "case.h"

#define APART .skip 300, 0x90

/* expect: by_nobody futex 6 0 - usable */
FUNCTION(by_nobody)
	BODY(0)
END(by_nobody)
	APART

/* expect: by_one_behind futex 2 0 - something may jump into it */
FUNCTION(by_one_behind)
	BODY(.Lby_one_behind)
END(by_one_behind)
FUNCTION(one_behind)
	jmp .Lby_one_behind
END(one_behind)
	APART

FUNCTION(one_before)
	jmp .Lby_one_before
END(one_before)
/* expect: by_one_before futex 2 0 - something may jump into it */
FUNCTION(by_one_before)
	BODY(.Lby_one_before)
END(by_one_before)
	APART

/* No function is described where the jump is. */
FUNCTION(innocent)
	ret
END(innocent)
	jmp .Lby_stranger_between
FUNCTION(other_innocent)
	ret
END(other_innocent)
/* expect: by_stranger_between futex 2 0 - something may jump into it */
FUNCTION(by_stranger_between)
	BODY(.Lby_stranger_between)
END(by_stranger_between)
	APART

/* expect: by_stranger_behind futex 2 0 - something may jump into it */
FUNCTION(by_stranger_behind)
	BODY(.Lby_stranger_behind)
END(by_stranger_behind)
	jmp .Lby_stranger_behind
	APART

/* expect: by_data futex 2 0 - something may jump into it */
FUNCTION(by_data)
	BODY(.Lby_data)
END(by_data)
FUNCTION(with_data)
	.byte 0x06
	jmp .Lby_data
END(with_data)
	APART

/* expect: by_far futex 2 0 - something may jump into it */
FUNCTION(by_far)
	BODY(.Lby_far)
END(by_far)
	APART
FUNCTION(far)
	jmp .Lby_far
END(far)
	APART

/* expect: by_far_condition futex 2 0 - something may jump into it */
FUNCTION(by_far_condition)
	BODY(.Lby_far_condition)
END(by_far_condition)
	APART
FUNCTION(far_condition)
	jz .Lby_far_condition
	ret
END(far_condition)
	APART

/* expect: by_far_call futex 2 0 - something may jump into it */
FUNCTION(by_far_call)
	BODY(.Lby_far_call)
END(by_far_call)
	APART
FUNCTION(far_call)
	call .Lby_far_call
	ret
END(far_call)
	APART

/* expect: by_far_transaction futex 2 0 - something may jump into it */
FUNCTION(by_far_transaction)
	BODY(.Lby_far_transaction)
END(by_far_transaction)
	APART
FUNCTION(far_transaction)
	xbegin .Lby_far_transaction
	ret
END(far_transaction)
	APART

/* It is decoded for its own site. */
/* expect: by_far_site futex 2 0 - something may jump into it */
FUNCTION(by_far_site)
	BODY(.Lby_far_site)
END(by_far_site)
	APART
/* expect: far_site futex 7 5 - usable */
FUNCTION(far_site)
	mov $202, %eax
	syscall
	jmp .Lby_far_site
END(far_site)
