// SPDX-License-Identifier: MIT
/*
 * Mailboxes of 31 bits: whoever mails sets one and wakes with that bit as the
 * mask; who waits for a bit waits with it. Other bits come and go meanwhile.
 */
#include "torture.h"

static void mail(struct worker *w, struct space *s)
{
	uint32_t bit = 1u << rnd(w, 31);

	__atomic_fetch_or(&s->mailbox, bit, __ATOMIC_SEQ_CST);
	wake_up(s, &s->mailbox, 1, bit);
	count(COUNT_mailed, 1);
}

static void collect(struct worker *w, struct space *s)
{
	static const enum wait_kind ways[] = { WAIT_PLAIN, WAIT_BITS, WAIT_REAL, WAIT_TWO };
	uint32_t bit = 1u << rnd(w, 31);

	for (;;) {
		uint32_t seen = __atomic_load_n(&s->mailbox, __ATOMIC_SEQ_CST);

		if (!(seen & bit))
			wait_on(w, s, &s->mailbox, seen, bit, ways[rnd(w, 4)]);
		else if (__atomic_fetch_and(&s->mailbox, ~bit, __ATOMIC_SEQ_CST) & bit)
			break;
	}
	count(COUNT_collected, 1);
}

/* Some never wait, so that there is always somebody who mails. */
static void step(struct worker *w)
{
	if (w->number & 1)
		mail(w, &spaces[rnd(w, SPACES)]);
	else
		collect(w, &spaces[rnd(w, SPACES)]);
	if (rnd(w, 32) == 0)
		sched_yield();
}

static void stop(void)
{
	int i, bit, n;

	for (n = 0; n < 64; n++)
		for (i = 0; i < SPACES; i++)
			for (bit = 0; bit < 31; bit++) {
				__atomic_fetch_or(&spaces[i].mailbox, 1u << bit,
						  __ATOMIC_SEQ_CST);
				wake_up(&spaces[i], &spaces[i].mailbox, WORKERS,
					1u << bit);
				if (n)
					sched_yield();
			}
}

const struct activity bits = { "bits", 4, NULL, step, stop, NULL };
