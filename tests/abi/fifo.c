// SPDX-License-Identifier: MIT
/* Who is woken first: real-time threads by priority, then first in, first out. */
#include <limits.h>

#include "crowd.h"
#include "subject.h"

static uint32_t word;

static void in_order(const struct subject *s)
{
	struct crowd c;
	int i;

	crowd_open(&c, s);
	crowd_fill(&c, &word, 10);
	for (i = 0; i < 10; i++)
		row(s, crowd_wake_one(&c, &word), i, "woken as number %d", i);
	row(s, crowd_wake_one(&c, &word), -1, "nobody is left");
	row(s, crowd_close(&c), 0, "... indeed");
}

/* Two words with waiters in turn: each has its own order. */
static void two_words(const struct subject *s)
{
	static uint32_t a, b;
	struct crowd c;
	int i;

	crowd_open(&c, s);
	for (i = 0; i < 3; i++) {
		crowd_fill(&c, &a, 1);
		crowd_fill(&c, &b, 1);
	}
	for (i = 0; i < 3; i++)
		row(s, crowd_wake_one(&c, &b), 2 * i + 1,
		    "second word: woken as number %d", i);
	for (i = 0; i < 3; i++)
		row(s, crowd_wake_one(&c, &a), 2 * i,
		    "first word: woken as number %d", i);
	row(s, crowd_close(&c), 0, "nobody is left");
}

/* Who waits again is the last. */
static void again(const struct subject *s)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &word, 2);
	row(s, crowd_wake_one(&c, &word), 0, "the first is woken");
	crowd_fill(&c, &word, 1);
	row(s, crowd_wake_one(&c, &word), 1, "then the second");
	row(s, crowd_wake_one(&c, &word), 2, "then who came meanwhile");
	row(s, crowd_close(&c), 0, "nobody is left");
}

/* Threads of classes; -1: an ordinary one. */
static const int priorities[] = { -1, 5, -1, 20, 5, -1 };
static const int order[] = { 3, 1, 4, 0, 2, 5 };

#define THREADS 6

static long wait_on(void *arg)
{
	const struct subject *s = arg;

	return s->futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

/* May this process have real-time threads? */
static bool may_be_real_time(void)
{
	struct sched_param parameter = { .sched_priority = 5 };
	bool may = sched_setscheduler(0, SCHED_FIFO, &parameter) == 0;

	parameter.sched_priority = 0;
	sched_setscheduler(0, SCHED_OTHER, &parameter);
	return may;
}

static void start(struct blocked *b, const struct subject *s, int priority)
{
	struct sched_param parameter = { .sched_priority = priority };
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	if (priority >= 0) {
		pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
		pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
		pthread_attr_setschedparam(&attr, &parameter);
	}
	blocked_start(b, wait_on, (void *)s, &attr);
	pthread_attr_destroy(&attr);
	if (!blocked_wait(b))
		row(s, b->result, 0, "a wait must block");
}

static void real_time(const struct subject *s)
{
	struct blocked b[THREADS];
	int i;

	if (!may_be_real_time()) {
		row_skip(s, "no permission for real-time threads",
			 "real-time threads first");
		return;
	}
	for (i = 0; i < THREADS; i++)
		start(&b[i], s, priorities[i]);
	for (i = 0; i < THREADS; i++) {
		if (!row(s, s->futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL,
				     0),
			 1, "WAKE 1 of %d", THREADS - i))
			break;
		row(s, blocked_next(b, THREADS), order[i],
		    "woken as number %d: waiter %d, priority %d", i, order[i],
		    priorities[order[i]]);
	}
	s->futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	for (i = 0; i < THREADS; i++)
		row(s, blocked_join(&b[i]), 0, "waiter %d returns 0", i);
}

static void rows(const struct subject *s)
{
	in_order(s);
	two_words(s);
	again(s);
	real_time(s);
}

int main(void)
{
	return subject_main(rows);
}
