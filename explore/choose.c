/* SPDX-License-Identifier: MIT */
/*
 * Where choices come from.
 *
 *   search  depth first through all schedules with at most so many costly
 *           choices (preemptions, aborts, stale loads, signals, timeouts)
 *   chance  priorities with a few random changes (PCT), and now and then
 *           another than the usual choice
 *   replay  what was written down
 *
 * A schedule is written down as the choices that were not 0, each with its step
 * and kind; points at which nothing was chosen do not matter.
 */
#include "state.h"

static uint64_t draw(struct choices *c)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return c->random * 0x9e3779b97f4a7c15u >> 16;
}

static bool costs(const struct record *r, unsigned int chosen)
{
	return r->costly >> chosen & 1;
}

static unsigned int note(struct choices *c, unsigned int n, uint32_t costly,
			 unsigned int chosen)
{
	if (c->used == RECORDS)
		finding("more than %d choices", RECORDS);
	c->records[c->used++] = (struct record){ c->call, costly, (uint8_t)n,
						 (uint8_t)chosen };
	c->spent += costly >> chosen & 1;
	c->hash = (c->hash ^ (c->call * 64ul + chosen)) * 0x9e3779b97f4a7c15u;
	c->hash ^= c->hash >> 29;
	return chosen;
}

/* What was written down for this call, or 0. */
static unsigned int follow(struct choices *c, unsigned int n, uint32_t costly)
{
	const struct record *r = &c->records[c->used];

	if (c->used >= c->given || r->call != c->call)
		return 0;
	if (r->chosen >= n)
		finding("this is no replay of it: choice %u has %u possibilities",
			c->call, n);
	return note(c, n, costly, r->chosen);
}

static unsigned int search(struct choices *c, unsigned int n, uint32_t costly)
{
	if (c->used < c->given)
		return follow(c, n, costly);
	/* Nothing to come back to where the rest is beyond the bound. */
	if (c->spent >= c->bound && (costly | 1) + 1 == 1u << n)
		return 0;
	return note(c, n, costly, 0);
}

static unsigned int by_chance(struct choices *c, unsigned int n, uint32_t costly)
{
	if (draw(c) % c->one_in)
		return 0;
	return note(c, n, costly, 1 + (unsigned int)(draw(c) % (n - 1)));
}

unsigned int choose(enum choice kind, unsigned int n, uint32_t costly)
{
	struct choices *c = &model->choices;

	if (n < 2)
		return 0;
	c->call = model->steps * 8 + kind;
	switch (c->strategy) {
	case SEARCH:
		return search(c, n, costly);
	case CHANCE:
		return by_chance(c, n, costly);
	default:
		return follow(c, n, costly);
	}
}

/* The fiber of the highest priority; the one at a change falls lowest. */
static unsigned int by_priority(struct choices *c, const uint8_t *fibers,
				unsigned int n, uint32_t costly)
{
	unsigned int best = 0;

	for (int i = 0; i < 3; i++)
		if (model->steps >= c->change[i]) {
			c->change[i] = UINT32_MAX;
			model->fibers[fibers[0] & 15].priority = (uint32_t)(3 - i);
		}
	for (unsigned int i = 0; i < n; i++) {
		if (fibers[i] >> 4) { /* a timeout, a signal */
			if (draw(c) % (4 * c->one_in))
				continue;
			best = i;
			break;
		}
		if (model->fibers[fibers[i] & 15].priority >
		    model->fibers[fibers[best] & 15].priority)
			best = i;
	}
	return best ? note(c, n, costly, best) : 0;
}

unsigned int choose_fiber(const uint8_t *fibers, unsigned int n, uint32_t costly)
{
	struct choices *c = &model->choices;

	if (n < 2)
		return 0;
	if (c->strategy != CHANCE)
		return choose(CHOICE_FIBER, n, costly);
	c->call = model->steps * 8 + CHOICE_FIBER;
	return by_priority(c, fibers, n, costly);
}

static void set_chances(struct choices *c)
{
	static const uint32_t rates[] = { 3, 8, 24, 100 };
	uint32_t steps = model->statistics.deepest ? (uint32_t)model->statistics.deepest : 100;

	c->one_in = rates[draw(c) % 4];
	for (int i = 0; i < 3; i++)
		c->change[i] = (uint32_t)(draw(c) % steps);
	for (unsigned int i = 0; i < FIBERS; i++)
		model->fibers[i].priority = 4 + (uint32_t)(draw(c) % 1000000);
}

void choose_begin(void)
{
	struct choices *c = &model->choices;

	if (c->strategy == CHANCE)
		set_chances(c);
	c->used = c->spent = 0;
	c->hash = c->random = c->strategy == CHANCE ? c->random : 0x2545f4914f6cdd1du;
	if (c->strategy == CHANCE)
		c->hash = 0;
}

bool choose_next(void)
{
	struct choices *c = &model->choices;

	while (c->used) {
		struct record *r = &c->records[c->used - 1];

		c->spent -= costs(r, r->chosen);
		while (++r->chosen < r->n)
			if (c->spent + costs(r, r->chosen) <= c->bound) {
				c->given = c->used;
				return true;
			}
		c->used--;
	}
	c->given = 0;
	return false;
}
