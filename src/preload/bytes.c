/* SPDX-License-Identifier: MIT */
#include "preload/bytes.h"

/* One instruction each: a loop here would be turned into a call of itself. */
#if defined(__x86_64__)
void ufx_bytes_copy(void *to, const void *from, size_t size)
{
	__asm__ __volatile__("rep movsb"
			     : "+D"(to), "+S"(from), "+c"(size)
			     :
			     : "memory");
}

void ufx_bytes_fill(void *to, int byte, size_t size)
{
	__asm__ __volatile__("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
}

void *memcpy(void *to, const void *from, size_t size)
{
	ufx_bytes_copy(to, from, size);
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	ufx_bytes_fill(to, byte, size);
	return to;
}
#else
#include <string.h>

void ufx_bytes_copy(void *to, const void *from, size_t size)
{
	memcpy(to, from, size);
}

void ufx_bytes_fill(void *to, int byte, size_t size)
{
	memset(to, byte, size);
}
#endif

bool ufx_bytes_equal(const void *a, const void *b, size_t size)
{
	const char *one = a, *other = b;

	while (size && *one == *other) {
		one++;
		other++;
		size--;
	}
	return !size;
}

char *ufx_text_append(char *to, const char *end, const char *text)
{
	while (*text && to < end)
		*to++ = *text++;
	return to;
}
