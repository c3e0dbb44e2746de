// SPDX-License-Identifier: MIT
/* WAKE_OP: what it does to the second word, and when it wakes there too. */
#include <limits.h>

#include "crowd.h"
#include "subject.h"

static uint32_t a, b;

/* The code word: four fields, the arguments of 12 bits each. */
static uint32_t code(uint32_t op, uint32_t cmp, uint32_t oparg, uint32_t cmparg)
{
	return op << 28 | cmp << 24 | (oparg & 0xfff) << 12 | (cmparg & 0xfff);
}

static long wake_op(const struct subject *s, int nr1, long nr2, uint32_t how)
{
	return s->futex(&a, FUTEX_WAKE_OP_PRIVATE, (uint32_t)nr1,
			(const struct timespec *)nr2, &b, how);
}

#define SHIFT FUTEX_OP_OPARG_SHIFT

static void results(const struct subject *s)
{
	static const struct {
		const char *name;
		uint32_t op, oparg, before, after;
	} table[] = {
		{ "SET 5", FUTEX_OP_SET, 5, 77, 5 },
		{ "SET 0x7ff", FUTEX_OP_SET, 0x7ff, 0, 0x7ff },
		{ "SET 0x800: sign extended", FUTEX_OP_SET, 0x800, 0,
		  0xfffff800 },
		{ "ADD 3", FUTEX_OP_ADD, 3, 4, 7 },
		{ "ADD -1", FUTEX_OP_ADD, 0xfff, 4, 3 },
		{ "ADD 1: wraps", FUTEX_OP_ADD, 1, 0xffffffff, 0 },
		{ "OR 0x0f", FUTEX_OP_OR, 0x0f, 0xf3, 0xff },
		{ "OR -1", FUTEX_OP_OR, 0xfff, 1, 0xffffffff },
		{ "ANDN 0x0f", FUTEX_OP_ANDN, 0x0f, 0xff, 0xf0 },
		{ "ANDN -1", FUTEX_OP_ANDN, 0xfff, 0x12345678, 0 },
		{ "XOR 0xff", FUTEX_OP_XOR, 0xff, 0x0f, 0xf0 },
		{ "XOR -1", FUTEX_OP_XOR, 0xfff, 0x0000ffff, 0xffff0000 },
		{ "SET 1 << 31", FUTEX_OP_SET | SHIFT, 31, 0, 0x80000000 },
		{ "ADD 1 << 4", FUTEX_OP_ADD | SHIFT, 4, 1, 17 },
		{ "OR 1 << 0", FUTEX_OP_OR | SHIFT, 0, 2, 3 },
		{ "ANDN 1 << 4", FUTEX_OP_ANDN | SHIFT, 4, 0xff, 0xef },
		{ "XOR 1 << 5", FUTEX_OP_XOR | SHIFT, 5, 0, 32 },
		{ "SET 1 << 33: masked to 1", FUTEX_OP_SET | SHIFT, 33, 0, 2 },
		{ "SET 1 << -1: masked to 31", FUTEX_OP_SET | SHIFT, 0xfff, 0,
		  0x80000000 },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		b = table[i].before;
		row(s, wake_op(s, 1, 1, code(table[i].op, FUTEX_OP_CMP_EQ,
					     table[i].oparg, 0)),
		    0, "WAKE_OP %s", table[i].name);
		row(s, b, table[i].after, "... the word after it");
	}
	b = 0;
}

/* Comparisons look at the value before, with sign. */
static void comparisons(const struct subject *s)
{
	static const struct {
		const char *name;
		uint32_t cmp, cmparg, before;
		bool holds;
	} table[] = {
		{ "5 == 5", FUTEX_OP_CMP_EQ, 5, 5, true },
		{ "5 == 4", FUTEX_OP_CMP_EQ, 4, 5, false },
		{ "5 != 4", FUTEX_OP_CMP_NE, 4, 5, true },
		{ "5 != 5", FUTEX_OP_CMP_NE, 5, 5, false },
		{ "4 < 5", FUTEX_OP_CMP_LT, 5, 4, true },
		{ "5 < 5", FUTEX_OP_CMP_LT, 5, 5, false },
		{ "-1 < 0", FUTEX_OP_CMP_LT, 0, 0xffffffff, true },
		{ "5 <= 5", FUTEX_OP_CMP_LE, 5, 5, true },
		{ "6 <= 5", FUTEX_OP_CMP_LE, 5, 6, false },
		{ "6 > 5", FUTEX_OP_CMP_GT, 5, 6, true },
		{ "5 > 5", FUTEX_OP_CMP_GT, 5, 5, false },
		{ "0 > -1", FUTEX_OP_CMP_GT, 0xfff, 0, true },
		{ "0x80000000 > 0", FUTEX_OP_CMP_GT, 0, 0x80000000, false },
		{ "5 >= 5", FUTEX_OP_CMP_GE, 5, 5, true },
		{ "4 >= 5", FUTEX_OP_CMP_GE, 5, 4, false },
		{ "-2048 == 0x800", FUTEX_OP_CMP_EQ, 0x800, 0xfffff800, true },
		{ "0x800 == 0x800", FUTEX_OP_CMP_EQ, 0x800, 0x800, false },
	};
	struct crowd c;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		b = table[i].before;
		crowd_open(&c, s);
		crowd_fill(&c, &b, 1);
		row(s, wake_op(s, 1, 1, code(FUTEX_OP_SET, table[i].cmp, 1,
					     table[i].cmparg)),
		    table[i].holds, "WAKE_OP if %s", table[i].name);
		row(s, b, 1, "... the word is set anyhow");
		row(s, crowd_close(&c), !table[i].holds, "... who is left");
	}
	b = 0;
}

static void counts(const struct subject *s, int nr1, int nr2, bool holds,
		   int result)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &a, 2);
	crowd_fill(&c, &b, 2);
	row(s, wake_op(s, nr1, nr2, code(FUTEX_OP_ADD, FUTEX_OP_CMP_EQ, 0,
					 holds ? 0 : 1)),
	    result, "WAKE_OP %d, %d: 2 and 2 wait, the condition %s", nr1, nr2,
	    holds ? "holds" : "does not hold");
	row(s, crowd_close(&c), 4 - result, "... %d are left", 4 - result);
}

static void all_counts(const struct subject *s)
{
	counts(s, 1, 1, true, 2);
	counts(s, 1, 1, false, 1);
	counts(s, INT_MAX, INT_MAX, true, 4);
	counts(s, INT_MAX, INT_MAX, false, 2);
	counts(s, 2, 1, true, 3);
	counts(s, 0, 0, true, 2);
	counts(s, 0, 0, false, 1);
	counts(s, -1, -1, true, 2);
}

/* In the order of their words, each word first in, first out. */
static void order(const struct subject *s)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &a, 2);
	crowd_fill(&c, &b, 2);
	row(s, wake_op(s, 1, 0, code(FUTEX_OP_ADD, FUTEX_OP_CMP_NE, 0, 0)), 1,
	    "WAKE_OP 1, 0: the condition does not hold");
	row(s, crowd_next(&c), 0, "... wakes the first of the first word");
	row(s, crowd_wake_one(&c, &b), 2, "... the second word has all");
	row(s, crowd_close(&c), 2, "... 2 are left");
}

static void same_word(const struct subject *s)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &a, 4);
	row(s, s->futex(&a, FUTEX_WAKE_OP_PRIVATE, 1,
			(const struct timespec *)2, &a,
			code(FUTEX_OP_ADD, FUTEX_OP_CMP_EQ, 1, 0)),
	    3, "WAKE_OP 1, 2 on one word: 4 wait");
	row(s, a, 1, "... the word is changed");
	a = 0;
	row(s, crowd_close(&c), 1, "... 1 is left");
}

static void errors(const struct subject *s)
{
	uint32_t op;

	for (op = 5; op < 8; op++) {
		b = 9;
		row(s, wake_op(s, 1, 1, code(op, FUTEX_OP_CMP_EQ, 3, 9)),
		    -ENOSYS, "WAKE_OP: operation %u", op);
		row(s, b, 9, "... the word is as before");
	}
	for (op = 6; op < 16; op++) {
		b = 9;
		row(s, wake_op(s, 1, 1, code(FUTEX_OP_SET, op, 3, 9)), -ENOSYS,
		    "WAKE_OP: comparison %u", op);
		row(s, b, 3, "... but the word is set");
	}
	b = 0;
	row(s, s->futex(&a, FUTEX_WAKE_OP_PRIVATE | FUTEX_CLOCK_REALTIME, 1,
			(const struct timespec *)1, &b, 0),
	    -ENOSYS, "WAKE_OP | CLOCK_REALTIME");
}

static void rows(const struct subject *s)
{
	results(s);
	comparisons(s);
	all_counts(s);
	order(s);
	same_word(s);
	errors(s);
}

int main(void)
{
	return subject_main(rows);
}
