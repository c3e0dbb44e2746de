// SPDX-License-Identifier: MIT
/* futex_wake, futex_wait and futex_requeue: whom they find. */
#include <limits.h>

#include "crowd.h"
#include "subject.h"

#define ANY FUTEX_BITSET_MATCH_ANY
#define SIZE UFX_FUTEX2_U32

static uint32_t a, b;

static void two(struct ufx_waitv_entry *v, unsigned int p)
{
	v[0] = (struct ufx_waitv_entry){ 0, (uintptr_t)&a, SIZE | p, 0 };
	v[1] = (struct ufx_waitv_entry){ 0, (uintptr_t)&b, SIZE | p, 0 };
}

static void wakes(const struct subject *s)
{
	const unsigned int flags = SIZE | UFX_FUTEX2_PRIVATE;
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &a, 5);
	row(s, s->wake(&a, ANY, 0, flags), 0, "futex_wake 0: 5 wait");
	row(s, s->wake(&a, ANY, -5, flags), 1, "futex_wake -5: wakes 1");
	row(s, crowd_next(&c), 0, "... the first");
	row(s, s->wake(&a, ANY, 2, flags), 2, "futex_wake 2");
	row(s, s->wake(&a, 1, INT_MAX, flags), 2, "futex_wake: one bit");
	row(s, crowd_close(&c), 0, "... and nobody is left");
}

struct wait_args {
	const struct subject *s;
	unsigned long mask;
};

static long wait_on(void *arg)
{
	struct wait_args *w = arg;

	return w->s->wait(&a, 0, w->mask, SIZE | UFX_FUTEX2_PRIVATE, NULL,
			  CLOCK_MONOTONIC);
}

/* A futex_wait is found by all kinds of wake. */
static void waits(const struct subject *s)
{
	struct wait_args w = { s, 4 };
	struct blocked waiter;

	blocked_start(&waiter, wait_on, &w, NULL);
	if (ok(blocked_wait(&waiter), "%s: futex_wait sleeps", s->name)) {
		row(s, s->futex(&a, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL,
				3),
		    0, "futex_wait: no common bit");
		row(s, s->wake(&a, 4, 1, SIZE | UFX_FUTEX2_PRIVATE), 1,
		    "futex_wait: woken by its bit");
	}
	row(s, blocked_join(&waiter), 0, "futex_wait: returns 0");

	blocked_start(&waiter, wait_on, &w, NULL);
	if (ok(blocked_wait(&waiter), "%s: futex_wait sleeps", s->name))
		row(s, s->futex(&a, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1,
		    "futex_wait: woken by WAKE");
	row(s, blocked_join(&waiter), 0, "futex_wait: returns 0");
}

static void requeues(const struct subject *s)
{
	struct ufx_waitv_entry v[2];
	struct crowd c;

	two(v, UFX_FUTEX2_PRIVATE);
	crowd_open(&c, s);
	crowd_fill(&c, &a, 4);
	crowd_also(&c, &b);
	row(s, s->requeue(v, 0, 1, 2), 3, "futex_requeue 1, 2: 4 wait");
	row(s, crowd_next(&c), 0, "... wakes the first");
	row(s, crowd_wake_one(&c, &b), 1, "... moves the second");
	row(s, crowd_wake_one(&c, &b), 2, "... and the third");
	row(s, crowd_wake_one(&c, &b), -1, "... and nobody else");
	row(s, crowd_close(&c), 1, "... 1 stays");
}

static void rows(const struct subject *s)
{
	const char *why = subject_lacks(s, KERNEL_FUTEX2);

	if (why) {
		row_skip(s, why, "futex_wake, futex_wait, futex_requeue");
		return;
	}
	wakes(s);
	waits(s);
	requeues(s);
}

int main(void)
{
	return subject_main(rows);
}
