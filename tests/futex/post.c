// SPDX-License-Identifier: MIT
/*
 * Handlers that give tokens, wherever they interrupt: the takers, the thread
 * that replaces tables, one that locks buckets all the time. A wake that a
 * handler leaves to the frame below is not lost.
 */
#include "table/place.h"

#include "tokens.h"

#define EACH 200

static int left[TOKEN_WORDS]; /* to be given */

/* Returns false if none is left. */
static bool give_one(unsigned int at)
{
	for (unsigned int i = 0; i < TOKEN_WORDS; i++) {
		unsigned int w = (at + i) % TOKEN_WORDS;

		if (__atomic_fetch_sub(&left[w], 1, __ATOMIC_SEQ_CST) <= 0)
			continue;
		token_give(&tokens.word[w]);
		return true;
	}
	return false;
}

static void handler(int sig)
{
	static unsigned int turn;

	(void)sig;
	/* Two at once, so that several are posted. */
	give_one(__atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED));
	give_one(__atomic_fetch_add(&turn, 3, __ATOMIC_RELAXED));
}

/* Locks buckets, mostly those of the takers' words. */
static void lock(struct hammer *h)
{
	ufx_domain_touch(ufx_domain_default(),
			 (uintptr_t)&tokens.word[hammer_random(h, 8)]);
}

static void send(pthread_t thread, struct hammer *r)
{
	pthread_kill(thread, SIGUSR1);
	nap_us((long)hammer_random(r, 30));
}

static bool any_left(void)
{
	for (int w = 0; w < TOKEN_WORDS; w++)
		if (__atomic_load_n(&left[w], __ATOMIC_SEQ_CST) > 0)
			return true;
	return false;
}

static void storm(const char *what, uint32_t kinds)
{
	struct crew takers = { 0 }, others = { 0 };
	struct hammer r = { .random = 9 };
	int i;

	tokens_start(EACH);
	for (i = 0; i < TOKEN_WORDS; i++)
		left[i] = EACH;
	for (i = 0; i < 8; i++)
		crew_add(&takers, taker, (void *)(uintptr_t)kinds);
	crew_add(&others, lock, NULL);
	crew_add(&others, replacer, NULL);
	while (any_left()) {
		send(others.h[hammer_random(&r, 2)].thread, &r);
		send(takers.h[hammer_random(&r, 8)].thread, &r);
	}
	crew_join(&takers);
	crew_stop(&others);
	is_int(tokens.taken, tokens.given, "%s: each of %ld tokens is taken",
	       what, tokens.given);
	ok(tokens.got >= tokens.said, "%ld wakes have been left to the frame below",
	   tokens.got - tokens.said);
}

int main(void)
{
	struct sigaction action = { .sa_handler = handler,
				    .sa_flags = SA_RESTART };

	sigaction(SIGUSR1, &action, NULL);
	ufx_futex(&tokens.word[0], PRIVATE(UFX_FUTEX_WAKE), 1, NULL, NULL, 0);
	storm("for ever", 1);
	storm("all kinds", WAIT_KINDS);
	return tap_end();
}
