// SPDX-License-Identifier: MIT
/*
 * Semaphores of one word: a closed system in which tokens are carried from
 * one to the other. None may be lost, nobody may sleep where there is one, and
 * as many waits have returned 0 as wakes have said; two exceptions to that are
 * counted: a wake that was posted says 0 (R11), and a futex_waitv can take
 * several wakes and returns once.
 */
#include "host/thread.h"
#include "torture.h"

#define FIRST 1 /* tokens of each at the start */

static void start(void)
{
	int i, j;

	for (i = 0; i < SPACES; i++)
		for (j = 0; j < HOT; j++)
			spaces[i].hot[j] = FIRST;
	total_add(COUNT_tokens_given, SPACES * HOT * FIRST);
}

bool token_try(uint32_t *word)
{
	uint32_t value = __atomic_load_n(word, __ATOMIC_SEQ_CST);

	while (value)
		if (__atomic_compare_exchange_n(word, &value, value - 1, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
			count(COUNT_tokens_taken, 1);
			return true;
		}
	return false;
}

/* ADD 1 to the second word, and wake it no second time. */
#define ADD_ONE (1u << 28 | 2u << 24 | 1u << 12)

static long give_by(struct space *s, uint32_t *word, unsigned int how)
{
	long ret;

	switch (how) {
	case 0:
		return wake_up(s, word, 1, UINT32_MAX);
	case 1:
		return wake_up(s, word, 1, 0x7fffffff);
	case 2: /* -EAGAIN is for handlers */
		ret = space_futex(s, word, UFX_FUTEX_REQUEUE, 1, NULL, &s->hot[0], 0);
		count(COUNT_requeues, 1);
		break;
	case 3:
		ret = space_futex(s, word, UFX_FUTEX_WAKE_OP, 1,
				  (const struct timespec *)1, word, ADD_ONE);
		count(COUNT_wake_ops, 1);
		break;
	case 4:
		if (s->is_default) {
			ret = ufx_futex_wake(word, UINT32_MAX, 1,
					     UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE);
			break;
		}
		/* fall through */
	default:
		return wake_up(s, word, 1, 1);
	}
	if (ret < 0 || ret > 1)
		finding("giving a token, way %u, returns %ld", how, ret);
	return ret;
}

void token_give(struct space *s, uint32_t *word, unsigned int how)
{
	bool inside = ufx_thread_inside;
	long said;

	if (how != 3)
		__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
	said = give_by(s, word, how);
	count(COUNT_tokens_given, 1);
	count(COUNT_tokens_said, (uint64_t)said);
	if (inside) /* may have been posted, and wake one later */
		count(COUNT_tokens_posted, 1);
}

/* On all semaphores of the default space. */
static void wait_for_any(struct worker *w, uint32_t *word)
{
	struct ufx_waitv_entry entries[HOT];
	struct space *s = &spaces[0];
	unsigned int i;
	long ret;

	for (i = 0; i < HOT; i++)
		entries[i] = (struct ufx_waitv_entry){
			0, (uintptr_t)&s->hot[i], UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, 0
		};
	waiting_begin(w, s, word, (struct watch){ word, 0, UINT32_MAX }, INT64_MAX,
		      "futex_waitv");
	ret = ufx_futex_waitv(entries, HOT, 0, NULL, CLOCK_MONOTONIC);
	waiting_end(w);
	if (in_child)
		fork_child_check();
	count(COUNT_vectors, 1);
	wait_result(ret > 0 && ret < HOT ? 0 : ret, "futex_waitv");
	if (ret < 0)
		return;
	count(COUNT_tokens_got, 1);
	count(COUNT_tokens_extra, HOT - 1);
	/* It may have taken wakes of the others: pass them on. */
	for (i = 0; i < HOT; i++)
		if (__atomic_load_n(&s->hot[i], __ATOMIC_SEQ_CST))
			count(COUNT_tokens_said,
			      (uint64_t)wake_up(s, &s->hot[i], 1, UINT32_MAX));
}

void token_take(struct worker *w, struct space *s, uint32_t *word)
{
	while (!token_try(word)) {
		if (s->is_default && rnd(w, 8) == 0)
			wait_for_any(w, word);
		else if (!wait_on(w, s, word, 0, UINT32_MAX,
				  (enum wait_kind)rnd(w, WAIT_KINDS)))
			count(COUNT_tokens_got, 1);
	}
}

void token_carry(struct worker *w)
{
	struct space *s = &spaces[rnd(w, SPACES)];

	token_take(w, s, &s->hot[rnd(w, HOT)]);
	if (rnd(w, 16) == 0)
		sched_yield();
	token_give(s, &s->hot[rnd(w, HOT)], rnd(w, GIVES));
}

/* Some never wait, so that tokens go where somebody does. */
static void move(struct worker *w)
{
	struct space *s = &spaces[rnd(w, SPACES)];

	if (token_try(&s->hot[rnd(w, HOT)]))
		token_give(s, &s->hot[rnd(w, HOT)], rnd(w, GIVES));
	if (rnd(w, 32) == 0)
		sched_yield();
}

static void step(struct worker *w)
{
	(w->number & 1 ? token_carry : move)(w);
}

static void stop(void)
{
	int i, j, n;

	for (i = 0; i < SPACES; i++)
		for (j = 0; j < HOT; j++)
			for (n = 0; n < WORKERS; n++) {
				__atomic_fetch_add(&spaces[i].hot[j], 1,
						   __ATOMIC_SEQ_CST);
				total_add(COUNT_tokens_said, (uint64_t)wake_up(
					&spaces[i], &spaces[i].hot[j], 1, UINT32_MAX));
			}
	total_add(COUNT_tokens_given, SPACES * HOT * WORKERS);
}

static void check(void)
{
	uint64_t given = total(COUNT_tokens_given), taken = total(COUNT_tokens_taken);
	uint64_t said = total(COUNT_tokens_said), got = total(COUNT_tokens_got);
	uint64_t left = 0;
	int i, j;

	for (i = 0; i < SPACES; i++)
		for (j = 0; j < HOT; j++)
			left += spaces[i].hot[j];
	if (given != taken + left)
		finding("%ju tokens given, %ju taken and %ju left", (uintmax_t)given,
			(uintmax_t)taken, (uintmax_t)left);
	if (said > got + total(COUNT_tokens_extra))
		finding("wakes say %ju, but %ju waits (and %ju of waitv at most) "
			"have returned 0", (uintmax_t)said, (uintmax_t)got,
			(uintmax_t)total(COUNT_tokens_extra));
	if (got > said + total(COUNT_tokens_posted))
		finding("%ju waits have returned 0, but wakes say %ju (and %ju were "
			"posted at most)", (uintmax_t)got, (uintmax_t)said,
			(uintmax_t)total(COUNT_tokens_posted));
}

const struct activity semaphores = {
	"semaphores", 10, start, step, stop, check
};
