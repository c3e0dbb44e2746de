// SPDX-License-Identifier: MIT
/* Calls from the handler of a signal that came while its thread waited. */
#include <limits.h>

#include "crowd.h"
#include "subject.h"

static const struct subject *subject;
static uint32_t word, other;
static long inner; /* what the call in the handler returned */
static int inside, handled;

enum { DO_WAKE, DO_WAIT, DO_MISMATCH, DO_REQUEUE, DO_TIMED } what;

static long call_in_handler(void)
{
	const struct subject *s = subject;

	switch (what) {
	case DO_WAKE:
		return s->futex(&other, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL,
				0);
	case DO_WAIT:
		return s->futex(&other, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	case DO_MISMATCH:
		return s->futex(&other, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
	case DO_REQUEUE:
		return s->futex(&other, FUTEX_CMP_REQUEUE_PRIVATE, 1,
				(const struct timespec *)INT_MAX, &other, 0);
	case DO_TIMED:
		return s->futex(&other, FUTEX_WAIT_PRIVATE, 0, SOON, NULL, 0);
	}
	return 0;
}

static void handler(int sig)
{
	(void)sig;
	__atomic_store_n(&inside, 1, __ATOMIC_RELEASE);
	inner = call_in_handler();
	__atomic_store_n(&handled, 1, __ATOMIC_RELEASE);
}

static long wait_on(void *arg)
{
	(void)arg;
	return subject->futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static long wake(uint32_t *w, int nr)
{
	return subject->futex(w, FUTEX_WAKE_PRIVATE, (uint32_t)nr, NULL, NULL,
			      0);
}

static void until(const int *flag)
{
	while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE))
		sched_yield();
}

/* A thread waits and is sent into a handler that does @call. */
static void interrupt(struct blocked *b, int call)
{
	what = call;
	inside = handled = 0;
	blocked_start(b, wait_on, NULL, NULL);
	ok(blocked_wait(b), "%s: a waiter sleeps", subject->name);
	pthread_kill(b->thread, SIGUSR1);
	until(&inside);
}

/* The wait goes on after it, and is woken. */
static void goes_on(struct blocked *b)
{
	until(&handled);
	ok(blocked_wait(b), "%s: ... then the thread sleeps on", subject->name);
	row(subject, wake(&word, 5), 1, "... and is woken");
	row(subject, blocked_join(b), 0, "... its wait returns 0");
}

static void wakes(const struct subject *s)
{
	struct blocked b;
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &other, 3);
	interrupt(&b, DO_WAKE);
	goes_on(&b);
	row(s, inner, 3, "WAKE in a handler wakes 3");
	row(s, crowd_close(&c), 0, "nobody is left");

	crowd_open(&c, s);
	crowd_fill(&c, &other, 3);
	interrupt(&b, DO_REQUEUE);
	goes_on(&b);
	row(s, inner, 3, "CMP_REQUEUE in a handler");
	row(s, crowd_close(&c), 2, "2 are left");
}

static void returns_at_once(const struct subject *s)
{
	struct blocked b;

	interrupt(&b, DO_MISMATCH);
	goes_on(&b);
	row(s, inner, -EAGAIN, "WAIT in a handler: the value differs");
	interrupt(&b, DO_TIMED);
	goes_on(&b);
	row(s, inner, -ETIMEDOUT, "WAIT in a handler: timeout");
}

/* A wait in a wait: each has a waiter of its own. */
static void waits(const struct subject *s)
{
	struct blocked b;

	interrupt(&b, DO_WAIT);
	ok(blocked_wait(&b), "%s: the handler sleeps", s->name);
	row(s, wake(&other, 5), 1, "the handler's WAIT is woken");
	goes_on(&b);
	row(s, inner, 0, "WAIT in a handler returns 0");
}

static void rows(const struct subject *s)
{
	struct sigaction action = { .sa_handler = handler,
				    .sa_flags = SA_RESTART };
	const char *why = restart_missing(s);

	if (why) {
		row_skip(s, why, "all");
		return;
	}
	subject = s;
	sigaction(SIGUSR1, &action, NULL);
	wakes(s);
	returns_at_once(s);
	waits(s);
}

int main(void)
{
	return subject_main_unless(signals_delayed(), rows);
}
