// SPDX-License-Identifier: MIT
/*
 * A storm of tokens in which the takers get signals all the time, with and
 * without SA_RESTART. An interrupted wait was not woken, a woken one was not
 * interrupted: the accounts stay exact.
 */
#include "tokens.h"

#define EACH 150

static int handled;

static void handler(int sig)
{
	(void)sig;
	__atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED);
}

/* One of the takers, while there are any. */
static void disturb(struct hammer *h)
{
	struct crew *takers = h->arg;
	struct hammer *target = &takers->h[hammer_random(h, 8)];

	if (!__atomic_load_n(&target->stop, __ATOMIC_RELAXED))
		pthread_kill(target->thread, SIGUSR1);
	nap_us((long)hammer_random(h, 40));
}

static void storm(const char *what, int flags, uint32_t kinds)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	struct crew takers = { 0 }, others = { 0 };
	struct hammer self = { .random = 3 };
	int i;

	sigaction(SIGUSR1, &action, NULL);
	handled = 0;
	tokens_start(EACH);
	for (i = 0; i < 8; i++)
		crew_add(&takers, taker, (void *)(uintptr_t)kinds);
	crew_add(&others, disturb, &takers);
	crew_add(&others, replacer, NULL);
	for (i = 0; i < 4; i++) {
		/* Now and then all sleep, and get signals there. */
		struct timespec nap = { 0, 20000000 };

		nanosleep(&nap, NULL);
		tokens_give_all(&self, i < 3 ? EACH / 4 : EACH - EACH / 4 * 3);
	}
	/* The threads stay until they are joined: they may be sent to. */
	crew_stop(&others);
	crew_join(&takers);
	tokens_check(what);
	diag("  %d signals", handled);
}

int main(void)
{
	storm("SA_RESTART, for ever", SA_RESTART, 1);
	storm("no SA_RESTART, for ever", 0, 1);
	storm("SA_RESTART, all kinds", SA_RESTART, WAIT_KINDS);
	storm("no SA_RESTART, all kinds", 0, WAIT_KINDS);
	return tap_end();
}
