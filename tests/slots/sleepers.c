// SPDX-License-Identifier: MIT
/* Waiters sleep on while the table under them is replaced. */
#include <limits.h>

#include "crowd.h"
#include "rows.h"

static uint32_t word, other;

/* All of @c sleep before and after SET_SLOTS @slots. */
static void replace(const struct subject *s, struct crowd *c,
		    unsigned long slots)
{
	row(s, slots_set(s, slots), 0, "SET_SLOTS %lu, %d wait", slots, c->n);
	row(s, slots_get(s), (long)slots, "GET_SLOTS after it");
	row(s, blocked_count(c->b, c->n), c->n, "all sleep on");
}

static void wake_in_order(const struct subject *s, struct crowd *c)
{
	int i;

	for (i = 0; i < c->n; i++)
		row(s, crowd_wake_one(c, &word), i, "woken as number %d", i);
	row(s, crowd_close(c), 0, "nobody is left");
}

static void eight(const struct subject *s)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &word, 8);
	replace(s, &c, 4);
	wake_in_order(s, &c);
}

static void often(const struct subject *s)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &word, 3);
	replace(s, &c, 1024);
	crowd_fill(&c, &word, 2);
	replace(s, &c, 2);
	crowd_fill(&c, &word, 1);
	replace(s, &c, 64);
	wake_in_order(s, &c);
}

static void zero(const struct subject *s)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &word, 4);
	replace(s, &c, 0);
	row(s, s->futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 4,
	    "WAKE finds all");
	row(s, crowd_close(&c), 0, "nobody is left");
}

/* Before any table was asked for. */
static void several_words(const struct subject *s)
{
	static uint32_t words[4];
	struct crowd c;
	int i;

	crowd_open(&c, s);
	for (i = 0; i < 12; i++)
		crowd_add(&c, &words[i % 4], FUTEX_WAIT_PRIVATE, 0);
	replace(s, &c, 2);
	replace(s, &c, 4096);
	for (i = 0; i < 12; i++)
		row(s, crowd_wake_one(&c, &words[i % 4]), i,
		    "word %d: woken as number %d", i % 4, i / 4);
	row(s, crowd_close(&c), 0, "nobody is left");
}

static void requeued(const struct subject *s)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &word, 4);
	crowd_also(&c, &other);
	replace(s, &c, 256);
	row(s, s->futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &other,
			0),
	    3, "CMP_REQUEUE 1, 2 after it");
	row(s, crowd_next(&c), 0, "the first is woken");
	row(s, slots_set(s, 16), 0, "SET_SLOTS 16");
	row(s, crowd_wake_one(&c, &other), 1, "moved: the second");
	row(s, crowd_wake_one(&c, &other), 2, "moved: the third");
	row(s, crowd_wake_one(&c, &word), 3, "stayed: the fourth");
	row(s, crowd_close(&c), 0, "nobody is left");
}

struct wait_args {
	const struct subject *s;
	uint32_t *word;
	struct timespec t;
};

static long wait_timed(void *arg)
{
	struct wait_args *w = arg;

	return w->s->futex(w->word, FUTEX_WAIT_PRIVATE, 0, &w->t, NULL, 0);
}

/* Those that leave by themselves find their queue, too. */
static void timed_out(const struct subject *s)
{
	struct wait_args w = { s, &word, { 0, 150000000 } };
	struct blocked b;

	blocked_start(&b, wait_timed, &w, NULL);
	blocked_wait(&b);
	row(s, slots_set(s, 64), 0, "SET_SLOTS 64, one waits for 150 ms");
	row(s, blocked_join(&b), -ETIMEDOUT, "it times out");
	row(s, s->futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0,
	    "nobody is left");
}

static void handler(int sig)
{
	(void)sig;
}

static void interrupted(const struct subject *s)
{
	struct sigaction action = { .sa_handler = handler };
	struct wait_args w = { s, &word, { 1000, 0 } };
	struct blocked b;

	sigaction(SIGUSR1, &action, NULL);
	blocked_start(&b, wait_timed, &w, NULL);
	ok(blocked_wait(&b), "%s: a waiter sleeps", s->name);
	row(s, slots_set(s, 64), 0, "SET_SLOTS 64");
	pthread_kill(b.thread, SIGUSR1);
	row(s, blocked_join(&b), -EINTR, "it is interrupted");
	row(s, s->futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0,
	    "nobody is left");
}

static long wait_on_two(void *arg)
{
	const struct subject *s = arg;
	const uint32_t flags = UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE;
	struct ufx_waitv_entry v[2] = {
		{ 0, (uintptr_t)&word, flags, 0 },
		{ 0, (uintptr_t)&other, flags, 0 },
	};

	return s->waitv(v, 2, 0, NULL, CLOCK_MONOTONIC);
}

static void vector(const struct subject *s)
{
	const char *why = subject_lacks(s, KERNEL_WAITV);
	struct blocked b;

	if (why) {
		row_skip(s, why, "futex_waitv");
		return;
	}
	blocked_start(&b, wait_on_two, (void *)s, NULL);
	ok(blocked_wait(&b), "%s: futex_waitv sleeps", s->name);
	row(s, slots_set(s, 128), 0, "SET_SLOTS 128");
	row(s, s->futex(&other, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1,
	    "WAKE on its second word");
	row(s, blocked_join(&b), 1, "it returns 1");
	row(s, s->futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0,
	    "it has left the first");
}

static const struct slots_row rows[] = {
	{ "eight", eight },
	{ "often", often },
	{ "zero", zero },
	{ "several words", several_words },
	{ "requeued", requeued },
	{ "timed out", timed_out },
	{ "interrupted", interrupted },
	{ "futex_waitv", vector },
};

SLOTS_MAIN(rows)
