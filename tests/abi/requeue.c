// SPDX-License-Identifier: MIT
/* REQUEUE and CMP_REQUEUE: counts, order, errors. */
#include <limits.h>

#include "crowd.h"
#include "subject.h"

static uint32_t a, b;

static long requeue(const struct subject *s, int op, uint32_t *from, int wake,
		    long move, uint32_t *to, uint32_t val)
{
	return s->futex(from, op, (uint32_t)wake, (const struct timespec *)move,
			to, val);
}

#define MOVE FUTEX_REQUEUE_PRIVATE
#define CMP FUTEX_CMP_REQUEUE_PRIVATE

static void errors(const struct subject *s)
{
	row(s, requeue(s, CMP, &a, 1, 1, &b, 1), -EAGAIN,
	    "CMP_REQUEUE: the value differs");
	row(s, requeue(s, CMP, &a, -1, 1, &b, 0), -EINVAL,
	    "CMP_REQUEUE: nr_wake < 0");
	row(s, requeue(s, CMP, &a, 1, -1, &b, 0), -EINVAL,
	    "CMP_REQUEUE: nr_requeue < 0");
	row(s, requeue(s, CMP, &a, -1, 1, &b, 1), -EINVAL,
	    "CMP_REQUEUE: nr_wake < 0 before the value");
	row(s, requeue(s, CMP, (uint32_t *)0x1000, -1, 1, &b, 1), -EINVAL,
	    "CMP_REQUEUE: nr_wake < 0 before unmapped");
	row(s, requeue(s, MOVE, &a, -1, 1, &b, 0), -EINVAL,
	    "REQUEUE: nr_wake < 0");
	row(s, requeue(s, MOVE, &a, 1, -1, &b, 0), -EINVAL,
	    "REQUEUE: nr_requeue < 0");
	row(s, requeue(s, MOVE, &a, 1, 1, &b, 77), 0,
	    "REQUEUE: does not compare");
	row(s, requeue(s, CMP, &a, 0, 0, &b, 0), 0,
	    "CMP_REQUEUE: 0 and 0, nobody waits");
	row(s, requeue(s, CMP, &a, INT_MAX, INT_MAX, &b, 0), 0,
	    "CMP_REQUEUE: all, nobody waits");
	row(s, requeue(s, CMP, &a, 1, 0x100000001L, &b, 0), 0,
	    "CMP_REQUEUE: nr_requeue is 32 bits wide");
	row(s, requeue(s, CMP | FUTEX_CLOCK_REALTIME, &a, 1, 1, &b, 0), -ENOSYS,
	    "CMP_REQUEUE | CLOCK_REALTIME");
	row(s, requeue(s, MOVE | FUTEX_CLOCK_REALTIME, &a, 1, 1, &b, 0),
	    -ENOSYS, "REQUEUE | CLOCK_REALTIME");
}

static void open4(struct crowd *c, const struct subject *s, int n)
{
	crowd_open(c, s);
	crowd_fill(c, &a, n);
	crowd_also(c, &b);
}

/* @op with @wake and @move of @n waiters. */
static void counts(const struct subject *s, int op, int n, int wake, int move,
		   int result, int woken)
{
	const char *name = op == CMP ? "CMP_REQUEUE" : "REQUEUE";
	int moved = n - woken < move ? n - woken : move, i;
	struct crowd c;

	open4(&c, s, n);
	row(s, requeue(s, op, &a, wake, move, &b, 0), result,
	    "%s: wake %d, requeue %d, %d wait", name, wake, move, n);
	/* Which of those woken together is the first to end is open. */
	for (i = 0; i < woken; i++)
		ok(crowd_next(&c) < woken, "%s: ... wakes the first %d: %d",
		   s->name, woken, i);
	row(s, s->futex(&b, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), moved,
	    "... %d are on the other word", moved);
	row(s, crowd_close(&c), n - woken - moved, "... %d stay",
	    n - woken - moved);
}

/* Both count the woken and the moved ones; a manual page says otherwise. */
static void all_counts(const struct subject *s)
{
	counts(s, CMP, 4, 1, 1, 2, 1);
	counts(s, CMP, 4, 0, INT_MAX, 4, 0);
	counts(s, CMP, 4, 1, INT_MAX, 4, 1);
	counts(s, CMP, 4, 2, 0, 2, 2);
	counts(s, CMP, 2, 5, 5, 2, 2);
	counts(s, MOVE, 4, 1, 1, 2, 1);
	counts(s, MOVE, 4, 0, INT_MAX, 4, 0);
	counts(s, MOVE, 4, 2, 1, 3, 2);
}

static void same_word(const struct subject *s)
{
	struct crowd c;

	open4(&c, s, 3);
	row(s, requeue(s, CMP, &a, 1, 9, &a, 0), 3,
	    "CMP_REQUEUE to the same word: wake 1, requeue 9, 3 wait");
	row(s, crowd_next(&c), 0, "... wakes the first");
	row(s, crowd_wake_one(&c, &a), 1, "... the order stays: second");
	row(s, crowd_wake_one(&c, &a), 2, "... third");
	row(s, crowd_close(&c), 0, "... and nobody is left");
}

/*
 * All @n of @c, woken one by one on @word, in the @order given. In the kernel
 * two words may share a bucket, by chance; then who is moved between them
 * keeps the place: the order of arrival, 0 1 2 ..., is right as well.
 */
static void in_order(struct crowd *c, uint32_t *word, const int *order, int n)
{
	const struct subject *s = c->s;
	int i, first = crowd_wake_one(c, word);
	bool arrival = !s->engine && first == 0;

	for (i = 0; i < n; i++)
		row(s, i ? crowd_wake_one(c, word) : first,
		    arrival ? i : order[i], "... woken as number %d", i);
	row(s, crowd_close(c), 0, "... and nobody is left");
}

/* Three moved behind two that wait there. */
static void appended(const struct subject *s)
{
	static const int order[] = { 3, 4, 0, 1, 2 };
	struct crowd c;

	open4(&c, s, 3);
	crowd_fill(&c, &b, 2);
	row(s, requeue(s, CMP, &a, 0, 3, &b, 0), 3,
	    "CMP_REQUEUE: 3 onto a word with 2 waiters");
	row(s, s->futex(&a, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0,
	    "... nobody is left on the first word");
	in_order(&c, &b, order, 5);
}

/* Who was moved away can be moved back, behind those that stayed. */
static void back(const struct subject *s)
{
	static const int order[] = { 1, 2, 0 };
	struct crowd c;

	open4(&c, s, 3);
	row(s, requeue(s, CMP, &a, 0, 1, &b, 0), 1, "CMP_REQUEUE: the first");
	row(s, requeue(s, CMP, &b, 0, 1, &a, 0), 1, "... and back");
	in_order(&c, &a, order, 3);
}

static long wait_a_while(void *arg)
{
	const struct subject *s = arg;

	return s->futex(&a, FUTEX_WAIT_PRIVATE, 0,
			&(struct timespec){ 0, 100000000 }, NULL, 0);
}

/* A timeout finds its waiter wherever it was moved. */
static void moved_timeout(const struct subject *s)
{
	struct blocked w;

	blocked_start(&w, wait_a_while, (void *)s, NULL);
	if (blocked_wait(&w))
		requeue(s, MOVE, &a, 0, 1, &b, 0);
	row(s, blocked_join(&w), -ETIMEDOUT, "WAIT: moved, then times out");
	row(s, s->futex(&a, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0,
	    "... has left the first word");
	row(s, s->futex(&b, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0,
	    "... has left the second word");
}

static void rows(const struct subject *s)
{
	errors(s);
	all_counts(s);
	same_word(s);
	appended(s);
	back(s);
	moved_timeout(s);
}

int main(void)
{
	return subject_main(rows);
}
