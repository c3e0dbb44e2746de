/* SPDX-License-Identifier: MIT */
/*
 * Reads tables one behind the other, as those do who have a descriptor full of
 * them: a line each, then how many bytes were left.
 */
#include <stdio.h>

#include "sites/table.c"

static uint64_t words[1 << 17];

int main(void)
{
	const uint8_t *at = (const uint8_t *)words;
	size_t left = fread(words, 1, sizeof(words), stdin), length;

	while ((length = ufx_table_length(at, left))) {
		const struct ufx_table_header *h = (const void *)at;
		const char *why = ufx_table_check(at, length);

		printf("%zu %u %u %s\n", length, h->count, h->error, why ? why : "good");
		at += length;
		left -= length;
	}
	printf("%zu left\n", left);
	return 0;
}
