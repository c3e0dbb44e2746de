/* SPDX-License-Identifier: MIT */
#ifndef UFX_HOST_RANDOM_H
#define UFX_HOST_RANDOM_H

#include <stddef.h>

/* Puts @size bytes that nobody can guess to @to; early at boot they stay as they are. */
void ufx_random(void *to, size_t size);

#endif
