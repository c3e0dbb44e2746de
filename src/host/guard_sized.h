/* SPDX-License-Identifier: MIT */
/* Guarded access (host/guard.h) to naturally aligned words of 1, 2, 4, 8 bytes. */
#ifndef UFX_HOST_GUARD_SIZED_H
#define UFX_HOST_GUARD_SIZED_H

#include "host/guard.h"

/* @value = the word, acquire. 0 or -EFAULT. */
int ufx_guarded_load_sized(const void *word, uint32_t size, uint64_t *value);

/* As ufx_guarded_cas: 1 (stored), 0 (*@expected is what was found), -EFAULT. */
int ufx_guarded_cas_sized(void *word, uint32_t size, uint64_t *expected,
			  uint64_t desired);

#endif
