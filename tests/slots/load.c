// SPDX-License-Identifier: MIT
/* SET_SLOTS while the table is in use all the time. */
#include "rows.h"

#define HAMMERS 3

static uint32_t words[HAMMERS];
static int stop;

struct hammer {
	const struct subject *s;
	uint32_t *word;
	long count; /* of calls */
};

static long hammer(void *arg)
{
	struct hammer *h = arg;
	long result = -EAGAIN;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED) && result == -EAGAIN) {
		result = h->s->futex(h->word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL,
				     0);
		__atomic_fetch_add(&h->count, 1, __ATOMIC_RELAXED);
	}
	return result;
}

static void set_sizes(const struct subject *s)
{
	static const unsigned long sizes[] = { 64, 4, 1024, 16, 2 };
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		row(s, slots_set(s, sizes[i]), 0, "SET_SLOTS %lu in use",
		    sizes[i]);
		row(s, slots_get(s), (long)sizes[i], "GET_SLOTS after it");
	}
}

static void mismatches(const struct subject *s)
{
	struct hammer h[HAMMERS];
	struct blocked b[HAMMERS];
	int i;

	for (i = 0; i < HAMMERS; i++) {
		h[i] = (struct hammer){ s, &words[i], 0 };
		blocked_start(&b[i], hammer, &h[i], NULL);
	}
	for (i = 0; i < HAMMERS; i++) {
		while (!__atomic_load_n(&h[i].count, __ATOMIC_RELAXED) &&
		       !blocked_ended(&b[i]))
			sched_yield();
	}
	set_sizes(s);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < HAMMERS; i++)
		row(s, blocked_join(&b[i]), -EAGAIN,
		    "WAIT, the value differs, over and over");
}

/* Two threads hand a turn to and fro: no wake-up may be lost. */
static uint32_t turn;

#define OVER 2 /* nobody's turn */

struct player {
	const struct subject *s;
	uint32_t me;
	long rounds;
};

static long play(void *arg)
{
	struct player *p = arg;
	long result = 0;

	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		uint32_t now = __atomic_load_n(&turn, __ATOMIC_SEQ_CST);

		if (now == OVER)
			break;
		if (now != p->me) {
			result = p->s->futex(&turn, FUTEX_WAIT_PRIVATE, now,
					     NULL, NULL, 0);
			if (result && result != -EAGAIN)
				return result;
			continue;
		}
		p->rounds++;
		__atomic_store_n(&turn, !p->me, __ATOMIC_SEQ_CST);
		result = p->s->futex(&turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL,
				     0);
		if (result < 0)
			return result;
	}
	/* So that the other one sees the end. */
	__atomic_store_n(&turn, OVER, __ATOMIC_SEQ_CST);
	p->s->futex(&turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	return 0;
}

static void turns(const struct subject *s)
{
	struct player p[2] = { { s, 0, 0 }, { s, 1, 0 } };
	struct blocked b[2];
	int i;

	for (i = 0; i < 2; i++)
		blocked_start(&b[i], play, &p[i], NULL);
	set_sizes(s);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < 2; i++)
		row(s, blocked_join(&b[i]), 0, "player %d ends well", i);
	ok(p[0].rounds - p[1].rounds <= 1 && p[1].rounds - p[0].rounds <= 1,
	   "%s: they have played in turn: %ld, %ld rounds", s->name,
	   p[0].rounds, p[1].rounds);
}

static int handled;

static void handler(int sig)
{
	(void)sig;
	__atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED);
}

static pthread_t setter;

/* Signals for the one that calls SET_SLOTS, one after the other. */
static long disturb(void *arg)
{
	int before;

	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		before = __atomic_load_n(&handled, __ATOMIC_RELAXED);
		pthread_kill(setter, SIGUSR1);
		while (__atomic_load_n(&handled, __ATOMIC_RELAXED) == before &&
		       !__atomic_load_n(&stop, __ATOMIC_RELAXED))
			sched_yield();
	}
	return 0;
}

/* It is never interrupted; handlers run during it or after it. */
static void signals(const struct subject *s)
{
	struct sigaction action = { .sa_handler = handler };
	struct blocked b;

	sigaction(SIGUSR1, &action, NULL);
	setter = pthread_self();
	blocked_start(&b, disturb, NULL, NULL);
	while (!__atomic_load_n(&handled, __ATOMIC_RELAXED))
		sched_yield();
	set_sizes(s);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	blocked_join(&b);
	ok(handled > 0, "%s: %d signals meanwhile", s->name, handled);
}

static const struct slots_row rows[] = {
	{ "mismatches", mismatches },
	{ "turns", turns },
	{ "signals", signals },
};

SLOTS_MAIN(rows)
