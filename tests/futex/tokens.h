/* SPDX-License-Identifier: MIT */
/*
 * Semaphores of one word each, on the engine's calls, and the accounts of a
 * storm: every token that is given is taken, or somebody hangs for ever; and
 * as many waits have returned 0 as wakes have said.
 */
#ifndef TESTS_FUTEX_TOKENS_H
#define TESTS_FUTEX_TOKENS_H

#include <ufutex/futex.h>

#include "hammer.h"

#define PRIVATE(op) ((op) | UFX_FUTEX_PRIVATE)
#define TOKEN_WORDS 8

struct tokens {
	uint32_t word[TOKEN_WORDS];
	int left[TOKEN_WORDS]; /* to be taken, by those who have not begun */
	long given, taken;
	long said, got;        /* woken: wakes' results, waits that returned 0 */
	long timed_out, interrupted;
};

static struct tokens tokens;

static inline void tokens_add(long *count, long n)
{
	__atomic_fetch_add(count, n, __ATOMIC_SEQ_CST);
}

/* Ways to wait; the last one may time out at any moment. */
enum token_wait { WAIT_FOREVER, WAIT_TIMED, WAIT_FUTEX2, WAIT_SHORT, WAIT_KINDS };

static inline long token_wait(uint32_t *word, enum token_wait how, uint32_t us)
{
	struct timespec t = { 1000, 0 };

	switch (how) {
	case WAIT_TIMED:
		return ufx_futex(word, PRIVATE(UFX_FUTEX_WAIT), 0, &t, NULL, 0);
	case WAIT_FUTEX2:
		return ufx_futex_wait(word, 0, UINT32_MAX,
				      UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, NULL,
				      CLOCK_MONOTONIC);
	case WAIT_SHORT:
		t = (struct timespec){ 0, us * 1000 };
		return ufx_futex(word, PRIVATE(UFX_FUTEX_WAIT), 0, &t, NULL, 0);
	default:
		return ufx_futex(word, PRIVATE(UFX_FUTEX_WAIT), 0, NULL, NULL, 0);
	}
}

static inline void token_account(long ret)
{
	switch (ret) {
	case 0:
		tokens_add(&tokens.got, 1);
		break;
	case -ETIMEDOUT:
		tokens_add(&tokens.timed_out, 1);
		break;
	case -EINTR:
		tokens_add(&tokens.interrupted, 1);
		break;
	case -EAGAIN:
		break;
	default:
		bail("a wait returns %ld", ret);
	}
}

static inline bool token_try(uint32_t *word)
{
	uint32_t value = __atomic_load_n(word, __ATOMIC_SEQ_CST);

	while (value)
		if (__atomic_compare_exchange_n(word, &value, value - 1, false,
						__ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return true;
	return false;
}

/* Signal-safe, but for what bails out. */
static inline void token_give(uint32_t *word)
{
	long woken;

	__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
	tokens_add(&tokens.given, 1);
	woken = ufx_futex(word, PRIVATE(UFX_FUTEX_WAKE), 1, NULL, NULL, 0);
	if (woken < 0 || woken > 1)
		bail("a wake returns %ld", woken);
	tokens_add(&tokens.said, woken);
}

static inline void token_take(struct hammer *h, uint32_t *word, uint32_t kinds)
{
	while (!token_try(word))
		token_account(token_wait(word,
					 (enum token_wait)hammer_random(h, kinds),
					 hammer_random(h, 300)));
	tokens_add(&tokens.taken, 1);
}

/* The step of a taker: one token of its own word; stops when all are begun. */
static inline void taker(struct hammer *h)
{
	int w = h->number % TOKEN_WORDS;

	if (__atomic_fetch_sub(&tokens.left[w], 1, __ATOMIC_SEQ_CST) <= 0)
		__atomic_store_n(&h->stop, 1, __ATOMIC_RELAXED);
	else
		token_take(h, &tokens.word[w], (uint32_t)(uintptr_t)h->arg);
}

/* @n for each word. */
static inline void tokens_start(int n)
{
	memset(&tokens, 0, sizeof(tokens));
	for (int w = 0; w < TOKEN_WORDS; w++)
		tokens.left[w] = n;
}

/* Gives them all, in a random order. */
static inline void tokens_give_all(struct hammer *h, int n)
{
	int given[TOKEN_WORDS] = { 0 }, left = n * TOKEN_WORDS;

	while (left) {
		int w = (int)hammer_random(h, TOKEN_WORDS);

		if (given[w] == n)
			continue;
		given[w]++;
		left--;
		token_give(&tokens.word[w]);
		if (hammer_random(h, 64) == 0)
			sched_yield();
	}
}

/* Replaces the table over and over. */
static inline void replacer(struct hammer *h)
{
	static const unsigned long sizes[] = { 2, 64, 4, 1024, 16, 256 };

	if (ufx_prctl_futex_hash(UFX_PR_FUTEX_HASH_SET_SLOTS,
				 sizes[h->rounds % 6], 0, 0))
		bail("a replacement fails");
	nap_us((long)hammer_random(h, 100));
}

static inline void tokens_check(const char *what)
{
	is_int(tokens.taken, tokens.given, "%s: each of %ld tokens is taken",
	       what, tokens.given);
	is_int(tokens.got, tokens.said, "%s: as many waits return 0 as wakes say",
	       what);
	diag("  %ld waits timed out, %ld were interrupted", tokens.timed_out,
	     tokens.interrupted);
}

#endif
