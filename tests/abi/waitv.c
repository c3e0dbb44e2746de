// SPDX-License-Identifier: MIT
/* futex_waitv: which index it returns. */
#include "subject.h"

#define MAX UFX_FUTEX_WAITV_MAX

static uint32_t words[MAX + 1];

static void fill(struct ufx_waitv_entry *v, int n)
{
	int i;

	for (i = 0; i < n; i++)
		v[i] = (struct ufx_waitv_entry){
			.uaddr = (uintptr_t)&words[i],
			.flags = UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE,
		};
}

struct wait_args {
	const struct subject *s;
	struct ufx_waitv_entry v[MAX];
	unsigned int nr;
};

static long wait_on(void *arg)
{
	struct wait_args *w = arg;

	return w->s->waitv(w->v, w->nr, 0, NULL, CLOCK_MONOTONIC);
}

/* A thread waits on the first @nr words; false if it does not sleep. */
static bool waiter(struct blocked *b, struct wait_args *w,
		   const struct subject *s, unsigned int nr)
{
	w->s = s;
	w->nr = nr;
	fill(w->v, (int)nr);
	blocked_start(b, wait_on, w, NULL);
	return ok(blocked_wait(b), "%s: waitv of %u sleeps", s->name, nr);
}

static long wake(const struct subject *s, uint32_t *word, int nr)
{
	return s->futex(word, FUTEX_WAKE_PRIVATE, (uint32_t)nr, NULL, NULL, 0);
}

static void one_of(const struct subject *s, unsigned int nr, int index)
{
	struct wait_args w;
	struct blocked b;

	if (waiter(&b, &w, s, nr)) {
		row(s, wake(s, &words[nr], 1), 0, "... not on another word");
		row(s, wake(s, &words[index], 5), 1, "... woken on word %d",
		    index);
	}
	row(s, blocked_join(&b), index, "... returns %d", index);
	row(s, wake(s, &words[0], 5), 0, "... has left the first word");
	row(s, wake(s, &words[nr - 1], 5), 0, "... has left the last word");
}

/* Both words are woken before the thread can run: the higher one counts. */
static void two_at_once(const struct subject *s)
{
	struct wait_args w;
	struct blocked b;

	if (waiter(&b, &w, s, 3))
		row(s, s->futex(&words[0], FUTEX_WAKE_OP_PRIVATE, 1,
				(const struct timespec *)1, &words[2],
				FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0)),
		    2, "WAKE_OP wakes two words of one futex_waitv");
	row(s, blocked_join(&b), 2, "... which returns the highest index");
}

static long wait_same(void *arg)
{
	struct wait_args *w = arg;
	unsigned int i;

	for (i = 0; i < w->nr; i++)
		w->v[i].uaddr = (uintptr_t)&words[0];
	return wait_on(w);
}

/* Each entry is a waiter of its own. */
static void same_word(const struct subject *s, unsigned int nr)
{
	struct wait_args w = { .s = s, .nr = nr };
	struct blocked b;

	fill(w.v, (int)nr);
	blocked_start(&b, wait_same, &w, NULL);
	if (ok(blocked_wait(&b), "%s: waitv of one word %u times sleeps",
	       s->name, nr))
		row(s, wake(s, &words[0], 1000), nr, "... WAKE counts each");
	row(s, blocked_join(&b), nr - 1, "... returns the highest index");
}

static void moved(const struct subject *s)
{
	struct wait_args w;
	struct blocked b;

	if (waiter(&b, &w, s, 3)) {
		row(s, s->futex(&words[1], FUTEX_CMP_REQUEUE_PRIVATE, 0,
				(const struct timespec *)1, &words[9], 0),
		    1, "CMP_REQUEUE moves one entry of futex_waitv");
		row(s, wake(s, &words[1], 1), 0, "... away from its word");
		row(s, wake(s, &words[9], 1), 1, "... to the other");
	}
	row(s, blocked_join(&b), 1, "... it returns its index");
}

static void rows(const struct subject *s)
{
	const char *why = subject_lacks(s, KERNEL_WAITV);

	if (why) {
		row_skip(s, why, "futex_waitv");
		return;
	}
	one_of(s, 1, 0);
	one_of(s, 3, 0);
	one_of(s, 3, 1);
	one_of(s, MAX, MAX - 1);
	two_at_once(s);
	same_word(s, 3);
	same_word(s, MAX);
	moved(s);
}

int main(void)
{
	return subject_main(rows);
}
