/* SPDX-License-Identifier: MIT */
/*
 * Memory by bytes, without libc: its functions use vector registers, which a
 * replaced system call must leave as they are. The same goes for the calls
 * that a compiler makes by itself: bytes.c defines those for this library.
 */
#ifndef UFX_PRELOAD_BYTES_H
#define UFX_PRELOAD_BYTES_H

#include <stdbool.h>
#include <stddef.h>

void ufx_bytes_copy(void *to, const void *from, size_t size);
void ufx_bytes_fill(void *to, int byte, size_t size);
bool ufx_bytes_equal(const void *a, const void *b, size_t size);

/* Appends to what ends at @to, up to @end. Returns the new end. */
char *ufx_text_append(char *to, const char *end, const char *text);

#endif
