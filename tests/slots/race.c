// SPDX-License-Identifier: MIT
/*
 * Requests that race. What comes out depends on the order, so the checks name
 * the outcomes that are allowed: each request that is not in vain returns 0,
 * whether or not its size is the one in force at the end.
 */
#include "rows.h"

#define THREADS 6

static int go;

struct request {
	const struct subject *s;
	unsigned long slots;
};

static long ask(void *arg)
{
	struct request *r = arg;

	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		sched_yield();
	return slots_set(r->s, r->slots);
}

/* All at once; the results in the order of @sizes. */
static void together(const struct subject *s, const unsigned long *sizes,
		     long *results, int n)
{
	struct request r[THREADS];
	struct blocked b[THREADS];
	int i;

	for (i = 0; i < n; i++) {
		r[i] = (struct request){ s, sizes[i] };
		blocked_start(&b[i], ask, &r[i], NULL);
	}
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	for (i = 0; i < n; i++)
		results[i] = blocked_join(&b[i]);
}

static void sizes(const struct subject *s)
{
	static const unsigned long asked[] = { 4, 8, 16, 32, 64, 128 };
	long results[THREADS], slots;
	bool found = false;
	int i;

	together(s, asked, results, 6);
	slots = slots_get(s);
	for (i = 0; i < 6; i++) {
		row(s, results[i], 0, "SET_SLOTS %lu, one of 6 at once",
		    asked[i]);
		found |= slots == (long)asked[i];
	}
	ok(found, "%s: GET_SLOTS is one of them: %ld", s->name, slots);
}

static void zeros(const struct subject *s)
{
	static const unsigned long asked[] = { 0, 0, 0, 0 };
	long results[THREADS];
	int i, good = 0, busy = 0;

	together(s, asked, results, 4);
	for (i = 0; i < 4; i++) {
		good += results[i] == 0;
		busy += results[i] == -EBUSY;
	}
	ok(good >= 1, "%s: SET_SLOTS 0, 4 at once: %d return 0", s->name, good);
	row(s, good + busy, 4, "the others are told EBUSY");
	row(s, slots_get(s), 0, "GET_SLOTS after it");
	row(s, slots_set(s, 0), -EBUSY, "SET_SLOTS 0 again");
}

/* Once 0 is in force the others are told so; if they were first, all is well. */
static void mixed(const struct subject *s)
{
	static const unsigned long asked[] = { 64, 0, 128, 3 };
	long results[THREADS];

	together(s, asked, results, 4);
	ok(results[0] == 0 || results[0] == -EBUSY,
	   "%s: SET_SLOTS 64 against 0: %ld", s->name, results[0]);
	row(s, results[1], 0, "SET_SLOTS 0 against others");
	ok(results[2] == 0 || results[2] == -EBUSY,
	   "%s: SET_SLOTS 128 against 0: %ld", s->name, results[2]);
	row(s, results[3], -EINVAL, "SET_SLOTS 3 against 0");
	row(s, slots_get(s), 0, "GET_SLOTS after it");
}

static const struct slots_row rows[] = {
	{ "sizes", sizes },
	{ "zeros", zeros },
	{ "mixed", mixed },
};

SLOTS_MAIN(rows)
