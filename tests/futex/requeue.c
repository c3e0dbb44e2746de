// SPDX-License-Identifier: MIT
/*
 * Storms of requeues: waiters are moved between words, while some time out,
 * others are woken, and the table is replaced. Nobody gets lost on the way.
 */
#include "tokens.h"

#define WORDS 5

static uint32_t words[WORDS] = { 7, 7, 7, 7, 7 };
static int stop;

static void wait_on_one(struct hammer *h)
{
	uint32_t *word = &words[hammer_random(h, WORDS)];
	struct timespec t = { 1000, 0 };
	long ret;

	if (__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&h->stop, 1, __ATOMIC_RELAXED);
		return;
	}
	switch (hammer_random(h, 4)) {
	case 0:
		t = (struct timespec){ 0, hammer_random(h, 300) * 1000 };
		/* fall through */
	case 1:
		ret = ufx_futex(word, PRIVATE(UFX_FUTEX_WAIT), 7, &t, NULL, 0);
		break;
	default:
		ret = ufx_futex(word, PRIVATE(UFX_FUTEX_WAIT), 7, NULL, NULL, 0);
	}
	token_account(ret);
}

static void requeue(struct hammer *h)
{
	uint32_t *from = &words[hammer_random(h, WORDS)];
	uint32_t *to = &words[hammer_random(h, WORDS)];
	uint32_t wake = hammer_random(h, 2), move = hammer_random(h, 4);
	long ret = ufx_futex(from, PRIVATE(UFX_FUTEX_CMP_REQUEUE), wake,
			     (const struct timespec *)(uintptr_t)move, to, 7);

	if (ret < 0 || ret > (long)(wake + move))
		bail("CMP_REQUEUE of %u and %u returns %ld", wake, move, ret);
	/* Whoever was woken comes first. */
	tokens_add(&tokens.said, ret > 0 && wake);
	if (hammer_random(h, 8) == 0)
		nap_us(50);
}

static void wake(struct hammer *h)
{
	long ret = ufx_futex(&words[hammer_random(h, WORDS)],
			     PRIVATE(UFX_FUTEX_WAKE), 1 + hammer_random(h, 3),
			     NULL, NULL, 0);

	if (ret < 0 || ret > 3)
		bail("a wake returns %ld", ret);
	tokens_add(&tokens.said, ret);
	nap_us((long)hammer_random(h, 60));
}

static void wake_all(void)
{
	for (int i = 0; i < WORDS; i++)
		tokens_add(&tokens.said,
			   ufx_futex(&words[i], PRIVATE(UFX_FUTEX_WAKE),
				     INT32_MAX, NULL, NULL, 0));
}

static int ended(struct crew *c)
{
	int i, n = 0;

	for (i = 0; i < c->n; i++)
		n += __atomic_load_n(&c->h[i].stop, __ATOMIC_RELAXED);
	return n;
}

static void storm(bool replace)
{
	struct crew waiters = { 0 }, others = { 0 };
	int i;

	memset(&tokens, 0, sizeof(tokens));
	stop = 0;
	for (i = 0; i < 8; i++)
		crew_add(&waiters, wait_on_one, NULL);
	crew_add(&others, requeue, NULL);
	crew_add(&others, requeue, NULL);
	crew_add(&others, wake, NULL);
	if (replace)
		crew_add(&others, replacer, NULL);
	nap_us(400000);
	crew_stop(&others);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	while (ended(&waiters) < 8) {
		wake_all();
		sched_yield();
	}
	crew_join(&waiters);
	is_int(tokens.got, tokens.said,
	       "requeues%s: as many waits return 0 as were woken",
	       replace ? ", replaced" : "");
	diag("  %ld woken, %ld timed out", tokens.got, tokens.timed_out);
	is_int(ufx_futex(&words[0], PRIVATE(UFX_FUTEX_WAKE), 1, NULL, NULL, 0), 0,
	       "nobody is left");
}

int main(void)
{
	storm(false);
	storm(true);
	return tap_end();
}
