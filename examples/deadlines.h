/* SPDX-License-Identifier: MIT */
/* Who waits until when: a binary heap. Its lock is the caller's. */
#ifndef EXAMPLES_DEADLINES_H
#define EXAMPLES_DEADLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct deadline {
	int64_t until;
	int place; /* in the heap, or -1 */
};

struct deadlines {
	struct deadline **heap;
	int n;
};

static inline void deadline_set(struct deadlines *s, int i, struct deadline *d)
{
	s->heap[i] = d;
	d->place = i;
}

static inline void deadline_up(struct deadlines *s, int i, struct deadline *d)
{
	for (; i && s->heap[(i - 1) / 2]->until > d->until; i = (i - 1) / 2)
		deadline_set(s, i, s->heap[(i - 1) / 2]);
	deadline_set(s, i, d);
}

static inline void deadline_down(struct deadlines *s, int i, struct deadline *d)
{
	for (;;) {
		int child = 2 * i + 1;

		if (child + 1 < s->n && s->heap[child + 1]->until < s->heap[child]->until)
			child++;
		if (child >= s->n || s->heap[child]->until >= d->until)
			break;
		deadline_set(s, i, s->heap[child]);
		i = child;
	}
	deadline_set(s, i, d);
}

/* True: it is the first of all now. */
static inline bool deadline_add(struct deadlines *s, struct deadline *d)
{
	deadline_up(s, s->n++, d);
	return d->place == 0;
}

/* If it is there. */
static inline void deadline_remove(struct deadlines *s, struct deadline *d)
{
	struct deadline *last;
	int i = d->place;

	if (i < 0)
		return;
	d->place = -1;
	last = s->heap[--s->n];
	if (last == d)
		return;
	if (i && s->heap[(i - 1) / 2]->until > last->until)
		deadline_up(s, i, last);
	else
		deadline_down(s, i, last);
}

/* One that is over at @now, taken out; or NULL. */
static inline struct deadline *deadline_over(struct deadlines *s, int64_t now)
{
	struct deadline *d = s->n ? s->heap[0] : NULL;

	if (!d || d->until > now)
		return NULL;
	deadline_remove(s, d);
	return d;
}

#endif
