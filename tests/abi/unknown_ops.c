// SPDX-License-Identifier: MIT
/* Operations and flags that do not exist. */
#include "pages.h"
#include "subject.h"

static uint32_t word;

static long op(const struct subject *s, int number)
{
	return s->futex(&word, number, 1, NULL, &word, 1);
}

/* @kind: FUTEX_PRIVATE_FLAG or 0. */
static void numbers(const struct subject *s, int flag, const char *kind)
{
	static const int unknown[] = { FUTEX_FD, 14, 15, 31, 100, 127 };
	size_t i;

	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		row(s, op(s, unknown[i] | flag), -ENOSYS, "%s operation %d",
		    kind, unknown[i]);
	row(s, s->futex(misaligned(&word, 1), 14 | flag, 1,
			(void *)page_unmapped(), NULL, 0),
	    -ENOSYS, "%s operation 14: nothing else is looked at", kind);
}

/* Bits above the two flags belong to the number of the operation. */
static void flags(const struct subject *s, int flag, const char *kind)
{
	int bit;

	for (bit = 9; bit < 31; bit++) {
		/* Two flags for robust futexes came with Linux 7.2. */
		if (bit < 11 && !s->engine && kernel_at_least(7, 2))
			row_skip(s, "this kernel knows it", "%s flag 0x%x",
				 kind, 1 << bit);
		else
			row(s, op(s, FUTEX_WAKE | flag | 1 << bit), -ENOSYS,
			    "%s WAKE with flag 0x%x", kind, 1 << bit);
	}
	row(s, op(s, -1), -ENOSYS, "operation -1");
	row(s, op(s, (int)0x80000000u | FUTEX_WAIT | flag), -ENOSYS,
	    "%s WAIT with the highest bit", kind);
}

/* Most operations have no clock. */
static void clocks(const struct subject *s, int flag, const char *kind)
{
	static const struct {
		const char *name;
		int op;
	} table[] = {
		{ "WAIT", FUTEX_WAIT },
		{ "WAKE", FUTEX_WAKE },
		{ "REQUEUE", FUTEX_REQUEUE },
		{ "CMP_REQUEUE", FUTEX_CMP_REQUEUE },
		{ "WAKE_OP", FUTEX_WAKE_OP },
		{ "WAKE_BITSET", FUTEX_WAKE_BITSET },
		{ "LOCK_PI", FUTEX_LOCK_PI },
		{ "UNLOCK_PI", FUTEX_UNLOCK_PI },
		{ "TRYLOCK_PI", FUTEX_TRYLOCK_PI },
		{ "CMP_REQUEUE_PI", FUTEX_CMP_REQUEUE_PI },
		{ "operation 14", 14 },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		row(s, op(s, table[i].op | flag | FUTEX_CLOCK_REALTIME),
		    -ENOSYS, "%s %s | CLOCK_REALTIME", kind, table[i].name);
}

static void rows(const struct subject *s)
{
	word = 0;
	numbers(s, FUTEX_PRIVATE_FLAG, "private");
	numbers(s, 0, "shared");
	flags(s, FUTEX_PRIVATE_FLAG, "private");
	flags(s, 0, "shared");
	clocks(s, FUTEX_PRIVATE_FLAG, "private");
	clocks(s, 0, "shared");
	row(s, word, 0, "the word is as before");
}

int main(void)
{
	return subject_main(rows);
}
