/* SPDX-License-Identifier: MIT */
/*
 * Memory for what looks at objects: it is a command, so a lack of memory ends
 * it, with one line.
 */
#ifndef UFUTEX_SITES_ARRAY_H
#define UFUTEX_SITES_ARRAY_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static inline void *ufx_sites_memory(void *old, size_t count, size_t size)
{
	void *memory = reallocarray(old, count ? count : 1, size);

	if (!memory) {
		fputs("ufutex: no memory\n", stderr);
		exit(1);
	}
	return memory;
}

/* Room for one element more behind @count of them; grows in powers of two. */
#define UFX_SITES_ROOM(array, count) \
	((count) & ((count) - 1) ? (array) : \
	 ufx_sites_memory((array), (count) ? 2 * (count) : 1, sizeof(*(array))))

#endif
