// SPDX-License-Identifier: MIT
/*
 * Two thousand threads, one batch after the other, that wait, wake and end:
 * their records are used again, and nothing of a dead one is touched.
 */
#include "host/thread.h"

#include "blocked.h"
#include "tokens.h"

#define THREADS 2000
#define BATCH 25

static int records(void)
{
	struct ufx_thread *t;
	int n = 0;

	for (t = ufx_thread_first(); t; t = t->next)
		n++;
	return n;
}

static int number;

static long live(void *arg)
{
	struct hammer h = { .random = (uint64_t)__atomic_add_fetch(
				    &number, 1, __ATOMIC_SEQ_CST) };
	uint32_t *word = &tokens.word[hammer_random(&h, TOKEN_WORDS)];

	(void)arg;
	/* Gives first, so that there is always one to take. */
	token_give(word);
	token_take(&h, word, WAIT_KINDS);
	/* Some end at once, some after others of their batch. */
	if (hammer_random(&h, 2))
		sched_yield();
	return 0;
}

/* Threads that are joined after the next batch has begun. */
static void batches(void)
{
	static struct blocked b[2][BATCH];
	int64_t end = clock_ms() + 4000;
	int i, n;

	for (n = 0; n < THREADS / BATCH && clock_ms() < end; n++) {
		for (i = 0; i < BATCH; i++)
			blocked_start(&b[n % 2][i], live, NULL, NULL);
		for (i = 0; i < BATCH && n > 0; i++)
			blocked_join(&b[(n - 1) % 2][i]);
	}
	for (i = 0; i < BATCH; i++)
		blocked_join(&b[(n - 1) % 2][i]);
	diag("%d threads", n * BATCH);
}

int main(void)
{
	struct crew others = { 0 };
	int made;

	tokens_start(0);
	crew_add(&others, replacer, NULL);
	batches();
	crew_stop(&others);
	tokens_check("threads come and go");
	made = records();
	/* Who finds none free makes sixteen; those of two batches may at once. */
	ok(made <= 2 * BATCH * 16, "they have made do with %d records", made);
	return tap_end();
}
