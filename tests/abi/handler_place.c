// SPDX-License-Identifier: MIT
/*
 * The one known difference: while a handler runs, its thread's waiter keeps
 * its place in the engine's queue and can take a wake-up. In the kernel it has
 * left the queue and queues again, at the tail, when the handler is done.
 */
#include <limits.h>

#include "subject.h"

static uint32_t word;
static int inside, leave;

static void handler(int sig)
{
	(void)sig;
	__atomic_store_n(&inside, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&leave, __ATOMIC_ACQUIRE))
		sched_yield();
}

static long wait_on(void *arg)
{
	const struct subject *s = arg;

	return s->futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static long wake(const struct subject *s, int nr)
{
	return s->futex(&word, FUTEX_WAKE_PRIVATE, (uint32_t)nr, NULL, NULL, 0);
}

/* Two are asleep, the first of them is sent into its handler. */
static void into_handler(struct blocked *b, const struct subject *s)
{
	int i;

	inside = leave = 0;
	for (i = 0; i < 2; i++) {
		blocked_start(&b[i], wait_on, (void *)s, NULL);
		ok(blocked_wait(&b[i]), "%s: waiter %d sleeps", s->name, i);
	}
	pthread_kill(b[0].thread, SIGUSR1);
	while (!__atomic_load_n(&inside, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void out_of_handler(void)
{
	__atomic_store_n(&leave, 1, __ATOMIC_RELEASE);
}

static void kernel(const struct subject *s)
{
	struct blocked b[2];

	into_handler(b, s);
	row(s, wake(s, 1), 1, "WAKE 1, the first is in a handler");
	row(s, blocked_next(b, 2), 1, "... goes to the second");
	out_of_handler();
	ok(blocked_wait(&b[0]), "%s: the first sleeps again", s->name);
	row(s, wake(s, 1), 1, "WAKE 1 finds it");
	row(s, blocked_join(&b[0]), 0, "the first returns 0");
	row(s, blocked_join(&b[1]), 0, "the second returns 0");

	into_handler(b, s);
	out_of_handler();
	ok(blocked_wait(&b[0]), "%s: the first sleeps again", s->name);
	row(s, wake(s, 1), 1, "WAKE 1, the first has been in a handler");
	row(s, blocked_next(b, 2), 1, "... it is the last now");
	row(s, wake(s, 1), 1, "WAKE 1 again");
	row(s, blocked_join(&b[0]), 0, "the first returns 0");
	row(s, blocked_join(&b[1]), 0, "the second returns 0");
}

static void engine(const struct subject *s)
{
	struct blocked b[2];

	into_handler(b, s);
	row(s, wake(s, 1), 1, "WAKE 1, the first is in a handler");
	out_of_handler();
	row(s, blocked_next(b, 2), 0, "... goes to the first nevertheless");
	ok(blocked_now(b[1].tid), "%s: the second sleeps on", s->name);
	row(s, wake(s, 2), 1, "WAKE 2 finds the second alone");
	row(s, blocked_join(&b[0]), 0, "the first returns 0");
	row(s, blocked_join(&b[1]), 0, "the second returns 0");

	into_handler(b, s);
	out_of_handler();
	ok(blocked_wait(&b[0]), "%s: the first sleeps again", s->name);
	row(s, wake(s, 1), 1, "WAKE 1, the first has been in a handler");
	row(s, blocked_next(b, 2), 0, "... it has kept its place");
	row(s, wake(s, 1), 1, "WAKE 1 again");
	row(s, blocked_join(&b[0]), 0, "the first returns 0");
	row(s, blocked_join(&b[1]), 0, "the second returns 0");
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
	sigaction(SIGUSR1, &action, NULL);
	if (s->engine)
		engine(s);
	else
		kernel(s);
}

int main(void)
{
	return subject_main_unless(signals_delayed(), rows);
}
