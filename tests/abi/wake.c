// SPDX-License-Identifier: MIT
/* WAKE: how many it wakes, and whom it leaves alone. */
#include <limits.h>

#include "crowd.h"
#include "subject.h"

static uint32_t word, other;

static long wake(const struct subject *s, uint32_t *w, uint32_t nr)
{
	return s->futex(w, FUTEX_WAKE_PRIVATE, nr, NULL, NULL, 0);
}

/* WAKE(@nr) with four waiters wakes @want of them. */
static void counts(const struct subject *s, uint32_t nr, int want)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &word, 4);
	row(s, wake(s, &word, nr), want, "WAKE %d: 4 wait", (int)nr);
	row(s, crowd_close(&c), 4 - want, "... %d stay", 4 - want);
}

static void nobody(const struct subject *s)
{
	static const uint32_t numbers[] = { 0, 1, INT_MAX, 0x80000000u, -1u };
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		row(s, wake(s, &word, numbers[i]), 0, "WAKE %d: nobody waits",
		    (int)numbers[i]);
	row(s, s->futex(&word, FUTEX_WAKE_PRIVATE, 1,
			(const struct timespec *)1, (uint32_t *)1, 77),
	    0, "WAKE: the other arguments are not looked at");
}

/* The waiter's word is what counts, not what is in it by then. */
static void changed(const struct subject *s)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &word, 1);
	__atomic_store_n(&word, 5, __ATOMIC_SEQ_CST);
	row(s, s->futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), -EAGAIN,
	    "WAIT: the value has changed");
	row(s, wake(s, &word, 1), 1, "WAKE: finds who waited for the old value");
	row(s, crowd_close(&c), 0, "... and nobody is left");
	word = 0;
}

/* Neighbours in memory and in the table are others. */
static void others(const struct subject *s)
{
	static uint32_t words[4];
	struct crowd c;
	int i;

	crowd_open(&c, s);
	for (i = 0; i < 4; i++)
		crowd_fill(&c, &words[i], 1);
	row(s, wake(s, &other, INT_MAX), 0, "WAKE: another word");
	for (i = 3; i >= 0; i--) {
		row(s, wake(s, &words[i], INT_MAX), 1, "WAKE: word %d only", i);
		row(s, crowd_next(&c), i, "... wakes its waiter");
	}
	row(s, crowd_close(&c), 0, "... and nobody is left");
}

/* A wake is not remembered. */
static void early(const struct subject *s)
{
	row(s, wake(s, &word, 1), 0, "WAKE before WAIT");
	row(s, s->futex(&word, FUTEX_WAIT_PRIVATE, 0, SOON, NULL, 0),
	    -ETIMEDOUT, "... does not wake it");
}

/* Who gave up is not counted. */
static void gone(const struct subject *s)
{
	row(s, s->futex(&word, FUTEX_WAIT_PRIVATE, 0, SOON, NULL, 0),
	    -ETIMEDOUT, "WAIT: times out");
	row(s, wake(s, &word, INT_MAX), 0, "WAKE: it is no longer there");
}

static void rows(const struct subject *s)
{
	nobody(s);
	counts(s, 1, 1);
	counts(s, 3, 3);
	counts(s, 4, 4);
	counts(s, INT_MAX, 4);
	counts(s, 0, 1);
	counts(s, -1u, 1);
	changed(s);
	others(s);
	early(s);
	gone(s);
}

int main(void)
{
	return subject_main(rows);
}
