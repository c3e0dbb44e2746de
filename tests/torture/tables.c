// SPDX-License-Identifier: MIT
/*
 * The memory of tables while they are free: poison. What was written to in the
 * meantime is a finding; who reads a table from there runs into nowhere.
 */
#include "torture.h"

#ifdef UFX_FAULTS
#include "host/memory.h"

#define POISON 0xa5a5a5a5a5a5a5a5ull

/* The first word is a link while it is free. */
static void look(uint64_t *words, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++)
		if (words[i] != POISON)
			finding("a free table has been written to: %#jx at offset %zu of "
				"%zu", (uintmax_t)words[i], i * 8, n * 8);
}

static void changes_hands(void *pages, size_t size, bool freed)
{
	uint64_t *words = pages;

	if (freed) {
		memset(pages, 0xa5, size);
		count(COUNT_tables_freed, 1);
		return;
	}
	look(words, size / 8);
	memset(pages, 0, size);
	count(COUNT_tables_reused, 1);
}

void tables_poison(void)
{
	ufx_stable_hook = changes_hands;
}
#else
void tables_poison(void)
{
}
#endif
