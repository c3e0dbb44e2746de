/* SPDX-License-Identifier: MIT */
/* A system call of the program that came to us instead of the kernel. */
#ifndef UFX_PRELOAD_SITE_H
#define UFX_PRELOAD_SITE_H

#include <stdbool.h>
#include <stdint.h>

/* As slots-x86_64.S pushes it: the registers at the system call. */
struct ufx_site_call {
	long number; /* then the result */
	long a, b, c, d, e, f;
	uintptr_t slot; /* an address in its slot */
};

/*
 * True: done, the result is in @call->number, a value or -errno. False: to be
 * made by the slot, as the program wanted it.
 */
bool ufx_preload_site(struct ufx_site_call *call);

/*
 * For a handler: was its thread, which it interrupted with @stack_pointer, not
 * in ufx_preload_site?
 */
bool ufx_site_is_over(uintptr_t stack_pointer);

#endif
