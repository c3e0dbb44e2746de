// SPDX-License-Identifier: MIT
/*
 * WAKE_OP under load: a lock and its queue, handed over by one call that adds
 * to a counter, and wakes one of the first word and, if the counter was zero,
 * one of the second.
 */
#include "tokens.h"

#define ROUNDS 3000
#define OP(op, cmp, oparg, cmparg)                                             \
	((uint32_t)(op) << 28 | (uint32_t)(cmp) << 24 |                        \
	 (uint32_t)((oparg)&0xfff) << 12 | (uint32_t)((cmparg)&0xfff))
#define ADD 1
#define EQUAL 0

/* Both are semaphores: the first is posted by hand, the second by the call. */
static struct {
	uint32_t first, second;
} s;

static int left[2];

static void take(struct hammer *h)
{
	int which = h->number % 2;

	if (__atomic_fetch_sub(&left[which], 1, __ATOMIC_SEQ_CST) <= 0)
		__atomic_store_n(&h->stop, 1, __ATOMIC_RELAXED);
	else
		token_take(h, which ? &s.second : &s.first, WAIT_SHORT);
}

static void give_both(int round)
{
	long woken;

	__atomic_fetch_add(&s.first, 1, __ATOMIC_SEQ_CST);
	/* second += 1; whatever it was, wake one of each */
	woken = ufx_futex(&s.first, PRIVATE(UFX_FUTEX_WAKE_OP), 1,
			  (const struct timespec *)1, &s.second,
			  OP(ADD, round % 2 ? EQUAL : 5 /* >= */, 1, 0));
	if (woken < 0 || woken > 2)
		bail("WAKE_OP returns %ld", woken);
	tokens_add(&tokens.said, woken);
	tokens_add(&tokens.given, 2);
	/* If it was not zero nobody has been woken there, but may sleep. */
	if (round % 2)
		tokens_add(&tokens.said,
			   ufx_futex(&s.second, PRIVATE(UFX_FUTEX_WAKE), 1, NULL,
				     NULL, 0));
}

static void storm(bool replace)
{
	struct crew takers = { 0 }, others = { 0 };
	int i;

	memset(&tokens, 0, sizeof(tokens));
	left[0] = left[1] = ROUNDS;
	for (i = 0; i < 6; i++)
		crew_add(&takers, take, NULL);
	if (replace)
		crew_add(&others, replacer, NULL);
	for (i = 0; i < ROUNDS; i++) {
		give_both(i);
		if (i % 16 == 0)
			sched_yield();
	}
	crew_join(&takers);
	crew_stop(&others);
	tokens_check(replace ? "WAKE_OP, replaced" : "WAKE_OP");
	is_int(s.first + s.second, 0, "nothing is left");
}

int main(void)
{
	storm(false);
	storm(true);
	return tap_end();
}
