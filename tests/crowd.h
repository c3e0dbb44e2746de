/* SPDX-License-Identifier: MIT */
/*
 * Threads asleep on words of one subject, in a known order.
 *
 * Each is proven asleep before the next one starts, so they are queued in the
 * order of their numbers. At the end crowd_close() wakes whoever is left.
 */
#ifndef TESTS_CROWD_H
#define TESTS_CROWD_H

#include "subject.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CROWD_MAX 16
#define CROWD_WORDS 4

struct crowd_waiter {
	const struct subject *s;
	uint32_t *word;
	uint32_t val;
	int op;
	uint32_t bitset;
};

struct crowd {
	const struct subject *s;
	int n;
	struct blocked b[CROWD_MAX];
	struct crowd_waiter how[CROWD_MAX];
	int words;
	uint32_t *word[CROWD_WORDS];
};

void crowd_open(struct crowd *c, const struct subject *s);

/* A thread that waits on @word with @op, FUTEX_WAIT or FUTEX_WAIT_BITSET. */
void crowd_add(struct crowd *c, uint32_t *word, int op, uint32_t bitset);

/* @n threads with FUTEX_WAIT_PRIVATE. */
void crowd_fill(struct crowd *c, uint32_t *word, int n);

/* Whoever has been moved to @word is to be woken there at the end. */
void crowd_also(struct crowd *c, uint32_t *word);

/* The number of the one that was woken; waits for it. Each is named once. */
int crowd_next(struct crowd *c);

/* FUTEX_WAKE_PRIVATE of one on @word, who it was; -1 if it was nobody. */
int crowd_wake_one(struct crowd *c, uint32_t *word);

/*
 * Wakes all that are left and joins them. Returns how many were left; checks
 * that every wait of the crowd returned 0.
 */
int crowd_close(struct crowd *c);

#ifdef __cplusplus
}
#endif

#endif
