// SPDX-License-Identifier: MIT
/* WAIT_BITSET and WAKE_BITSET: a wake finds those with a bit in common. */
#include <limits.h>

#include "crowd.h"
#include "subject.h"

static uint32_t word, target;

static long wake(const struct subject *s, uint32_t *w, int nr, uint32_t bits)
{
	return s->futex(w, FUTEX_WAKE_BITSET_PRIVATE, (uint32_t)nr, NULL, NULL,
			bits);
}

static void fill(struct crowd *c, const struct subject *s)
{
	int i;

	crowd_open(c, s);
	for (i = 0; i < 4; i++)
		crowd_add(c, &word, FUTEX_WAIT_BITSET_PRIVATE, 1u << i);
}

static void errors(const struct subject *s)
{
	row(s, wake(s, &word, 1, 0), -EINVAL, "WAKE_BITSET: no bits");
	row(s, wake(s, &word, 0, 0), -EINVAL, "WAKE_BITSET 0: no bits");
	row(s, wake(s, &word, 1, 1), 0, "WAKE_BITSET: nobody waits");
}

static void chosen(const struct subject *s)
{
	struct crowd c;

	fill(&c, s);
	row(s, wake(s, &word, INT_MAX, 0xfffffff0u), 0,
	    "WAKE_BITSET: no common bit");
	row(s, wake(s, &word, 1, 4), 1, "WAKE_BITSET: one bit");
	row(s, crowd_next(&c), 2, "... wakes the waiter that has it");
	row(s, wake(s, &word, 1, 4), 0, "... once");
	row(s, wake(s, &word, 1, 8 | 2), 1, "WAKE_BITSET: two bits, wake 1");
	row(s, crowd_next(&c), 1, "... wakes the first that has one");
	row(s, wake(s, &word, INT_MAX, 0xffffffffu), 2, "WAKE_BITSET: any");
	row(s, crowd_close(&c), 0, "... and nobody is left");
}

static void numbers(const struct subject *s)
{
	struct crowd c;

	fill(&c, s);
	row(s, wake(s, &word, 0, 0xf), 1, "WAKE_BITSET 0: wakes 1");
	row(s, wake(s, &word, -1, 0xf), 1, "WAKE_BITSET -1: wakes 1");
	row(s, s->futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1,
	    "WAKE: has all bits");
	row(s, crowd_close(&c), 1, "... and one is left");
}

/* WAIT has all bits too. */
static void plain(const struct subject *s)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &word, 1);
	row(s, wake(s, &word, 1, 0x80000000u), 1, "WAKE_BITSET: finds a WAIT");
	row(s, crowd_close(&c), 0, "... and nobody is left");
}

/* A waiter keeps its bits when it is moved. */
static void moved(const struct subject *s)
{
	struct crowd c;

	fill(&c, s);
	crowd_also(&c, &target);
	row(s, s->futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 0,
			(const struct timespec *)4, &target, 0),
	    4, "CMP_REQUEUE: whatever their bits");
	row(s, wake(s, &target, INT_MAX, 0x10), 0,
	    "WAKE_BITSET: moved, no common bit");
	row(s, wake(s, &target, INT_MAX, 8), 1, "WAKE_BITSET: moved, one bit");
	row(s, crowd_next(&c), 3, "... wakes the waiter that has it");
	row(s, crowd_close(&c), 3, "... and the others are left");
}

static void rows(const struct subject *s)
{
	errors(s);
	chosen(s);
	numbers(s);
	plain(s);
	moved(s);
}

int main(void)
{
	return subject_main(rows);
}
