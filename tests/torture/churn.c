// SPDX-License-Identifier: MIT
/* Threads that come, carry some tokens, and end. */
#include "torture.h"

#define MOST 6

static void live(struct worker *w)
{
	uint32_t n = rnd(w, 4);

	while (n-- && !stopped())
		token_carry(w);
	if (rnd(w, 2))
		cold.step(w);
}

static void step(struct worker *w)
{
	struct worker *born[MOST];
	uint32_t i, n = 1 + rnd(w, MOST);

	for (i = 0; i < n; i++) {
		born[i] = worker_start(w->activity, live);
		count(COUNT_threads, 1);
	}
	for (i = 0; i < n; i++)
		if (born[i])
			worker_join(born[i]);
}

const struct activity churn = { "churn", 1, NULL, step, NULL, NULL };
