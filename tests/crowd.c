// SPDX-License-Identifier: MIT
/* Threads asleep on words of one subject: see crowd.h. */
#include "crowd.h"

#include <limits.h>

static long crowd_wait(void *arg)
{
	struct crowd_waiter *w = arg;

	return w->s->futex(w->word, w->op, w->val, NULL, NULL, w->bitset);
}

void crowd_open(struct crowd *c, const struct subject *s)
{
	memset(c, 0, sizeof(*c));
	c->s = s;
}

void crowd_also(struct crowd *c, uint32_t *word)
{
	int i;

	for (i = 0; i < c->words; i++) {
		if (c->word[i] == word)
			return;
	}
	if (c->words == CROWD_WORDS)
		bail("too many words for a crowd");
	c->word[c->words++] = word;
}

void crowd_add(struct crowd *c, uint32_t *word, int op, uint32_t bitset)
{
	struct crowd_waiter *w = &c->how[c->n];
	struct blocked *b = &c->b[c->n];

	if (c->n == CROWD_MAX)
		bail("too many threads for a crowd");
	crowd_also(c, word);
	*w = (struct crowd_waiter){ c->s, word, *word, op, bitset };
	c->n++;
	blocked_start(b, crowd_wait, w, NULL);
	if (!blocked_wait(b))
		row(c->s, b->result, 0, "a wait of the crowd must block");
}

void crowd_fill(struct crowd *c, uint32_t *word, int n)
{
	while (n-- > 0)
		crowd_add(c, word, FUTEX_WAIT_PRIVATE, 0);
}

int crowd_next(struct crowd *c)
{
	return blocked_next(c->b, c->n);
}

int crowd_wake_one(struct crowd *c, uint32_t *word)
{
	long woken = c->s->futex(word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);

	return woken == 1 ? crowd_next(c) : -1;
}

/* How many a wake of all finds; a shared one may fail where nothing is. */
static int wake_all(struct crowd *c, uint32_t *word, int op)
{
	long woken = c->s->futex(word, op, INT_MAX, NULL, NULL, 0);

	return woken > 0 ? (int)woken : 0;
}

static int wake_left(struct crowd *c)
{
	int i, woken = 0;

	for (i = 0; i < c->words; i++)
		woken += wake_all(c, c->word[i], FUTEX_WAKE_PRIVATE) +
			 wake_all(c, c->word[i], FUTEX_WAKE);
	return woken;
}

int crowd_close(struct crowd *c)
{
	int i, left = wake_left(c);

	for (i = 0; i < c->n; i++) {
		long result = blocked_join(&c->b[i]);

		if (result)
			row(c->s, result, 0, "waiter %d returns 0", i);
	}
	return left;
}
