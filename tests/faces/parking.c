// SPDX-License-Identifier: MIT
/* The parking lot, as its users know it: each verb, each callback, fairness. */
#include <ufutex/domain.h>
#include <ufutex/parking.h>

#include "blocked.h"
#include "tap.h"

#define KEY 0x1000
#define OTHER 0x2000

static struct ufx_domain *d;
static struct ufx_lot lot;

/* ---- a thread that parks ---- */

struct parked {
	struct blocked b;
	struct ufx_lot_parking how;
	struct ufx_deadline deadline;
	bool timed;
	uint64_t token;
	/* What timed_out was told. */
	int timed_out;
	uint64_t key;
	bool was_last;
};

static void timed_out(uint64_t key, bool was_last, void *arg)
{
	struct parked *p = arg;

	p->timed_out++;
	p->key = key;
	p->was_last = was_last;
}

static long park(void *arg)
{
	struct parked *p = arg;

	return ufx_lot_park(&lot, KEY, &p->how, p->timed ? &p->deadline : NULL, &p->token);
}

static void start(struct parked *p, uint64_t token, int64_t ns)
{
	memset(p, 0, sizeof(*p));
	p->how.timed_out = timed_out;
	p->how.arg = p;
	p->how.token = token;
	p->timed = ns != 0;
	p->deadline = ufx_deadline_in(ns);
	blocked_start(&p->b, park, p, NULL);
	if (!blocked_wait(&p->b) && !p->timed) /* else its time was up sooner */
		bail("it does not park");
}

static void ends(struct parked *p, int how, uint64_t token, const char *what)
{
	is_int(blocked_join(&p->b), how, "%s: how it ends", what);
	if (how == UFX_LOT_UNPARKED) {
		is_int((long)p->token, (long)token, "%s: its token", what);
		is_int(p->timed_out, 0, "%s: not told of a time-out", what);
	}
}

/* ---- what callbacks are told ---- */

static struct ufx_lot_unparked told;
static int calls;

static uint64_t tell(const struct ufx_lot_unparked *result, void *arg)
{
	calls++;
	told = *result;
	return *(uint64_t *)arg;
}

static void unpark_one(void)
{
	struct parked a, b;
	uint64_t token = 77;

	start(&a, 0, 0);
	start(&b, 0, 0);
	is_int(ufx_lot_unpark_one(&lot, KEY, tell, &token), 1, "one of two is unparked");
	ok(calls == 1 && told.unparked == 1 && told.requeued == 0 && told.more,
	   "the callback knows, and that there is another");
	ends(&a, UFX_LOT_UNPARKED, 77, "the first");
	token = 78;
	is_int(ufx_lot_unpark_one(&lot, KEY, tell, &token), 1, "the other one");
	ok(told.unparked == 1 && !told.more, "the last");
	ends(&b, UFX_LOT_UNPARKED, 78, "the second");
	is_int(ufx_lot_unpark_one(&lot, KEY, tell, &token), 0, "nobody is there");
	ok(calls == 3 && !told.unparked && !told.more && !told.be_fair,
	   "the callback is called nevertheless");
	is_int(ufx_lot_unpark_one(&lot, KEY, NULL, NULL), 0, "no callback");
	start(&a, 0, 0);
	is_int(ufx_lot_unpark_one(&lot, KEY, NULL, NULL), 1, "no callback: one");
	ends(&a, UFX_LOT_UNPARKED, 0, "no callback");
}

static void unpark_all(void)
{
	struct parked p[3];

	for (int i = 0; i < 3; i++)
		start(&p[i], 0, 0);
	is_int(ufx_lot_unpark_all(&lot, OTHER, 5), 0, "another key");
	is_int(ufx_lot_unpark_all(&lot, KEY, 5), 3, "all");
	for (int i = 0; i < 3; i++)
		ends(&p[i], UFX_LOT_UNPARKED, 5, "one of all");
}

/* ---- validate and before_sleep ---- */

static bool no(void *arg)
{
	(void)arg;
	return false;
}

static void never(void *arg)
{
	(void)arg;
	ok(0, "before_sleep is not called where validate said no");
}

/* The queue is not locked any more, and the thread is in it. */
static void unpark_self(void *arg)
{
	is_int(ufx_lot_unpark_one(&lot, KEY, tell, arg), 1, "before_sleep unparks itself");
}

static void parking(void)
{
	struct ufx_lot_parking refused = { .validate = no, .before_sleep = never };
	uint64_t token = 9, got = 0;
	struct ufx_lot_parking self = { .before_sleep = unpark_self, .arg = &token };

	is_int(ufx_lot_park(&lot, KEY, &refused, NULL, NULL), UFX_LOT_INVALID,
	       "validate says no");
	is_int(ufx_lot_unpark_all(&lot, KEY, 0), 0, "it was not queued");
	is_int(ufx_lot_park(&lot, KEY, &self, NULL, &got), UFX_LOT_UNPARKED,
	       "unparked before it slept");
	is_int((long)got, 9, "with the token");
}

static enum ufx_lot_requeue verdict;
static enum ufx_lot_requeue told_op;

static enum ufx_lot_requeue validate(void *arg)
{
	(void)arg;
	return verdict;
}

static uint64_t tell_op(enum ufx_lot_requeue op, const struct ufx_lot_unparked *result,
			void *arg)
{
	told_op = op;
	return tell(result, arg);
}

static long requeue(enum ufx_lot_requeue op)
{
	uint64_t token = 33;

	verdict = op;
	return ufx_lot_unpark_requeue(&lot, KEY, OTHER, validate, tell_op, &token);
}

static void time_outs(void)
{
	struct parked a, b;

	start(&a, 0, 20000000);
	ends(&a, UFX_LOT_TIMED_OUT, 0, "alone");
	ok(a.timed_out == 1 && a.key == KEY && a.was_last, "told once, as the last");
	start(&b, 0, 0);
	start(&a, 0, 20000000);
	ends(&a, UFX_LOT_TIMED_OUT, 0, "behind another");
	ok(a.timed_out == 1 && a.key == KEY && !a.was_last, "told, not as the last");
	ufx_lot_unpark_all(&lot, KEY, 1);
	ends(&b, UFX_LOT_UNPARKED, 1, "the other");
	start(&a, 0, 200000000);
	if (requeue(UFX_LOT_REQUEUE_ALL) == 1) {
		ends(&a, UFX_LOT_TIMED_OUT, 0, "requeued");
		ok(a.timed_out == 1 && a.key == OTHER && a.was_last, "told the other key");
	} else { /* a machine that was slower than that */
		skip("it timed out before", "requeued");
		blocked_join(&a.b);
	}
}

/* ---- filters ---- */

static enum ufx_verdict verdicts[4];
static uint64_t seen[4];
static unsigned int seen_n;

static enum ufx_verdict filter(uint64_t token, void *arg)
{
	(void)arg;
	seen[seen_n] = token;
	return verdicts[seen_n++];
}

static void filters(void)
{
	struct parked p[4];
	uint64_t token = 6;

	for (unsigned int i = 0; i < 4; i++)
		start(&p[i], 100 + i, 0);
	verdicts[0] = UFX_SKIP;
	verdicts[1] = verdicts[2] = UFX_TAKE;
	verdicts[3] = UFX_STOP;
	is_int(ufx_lot_unpark_filter(&lot, KEY, filter, tell, &token), 2, "two of four");
	ok(seen_n == 4 && seen[0] == 100 && seen[3] == 103, "by their park tokens, in order");
	ok(told.unparked == 2 && told.more, "the callback knows");
	ends(&p[1], UFX_LOT_UNPARKED, 6, "the second");
	ends(&p[2], UFX_LOT_UNPARKED, 6, "the third");
	seen_n = 0;
	verdicts[0] = UFX_STOP;
	is_int(ufx_lot_unpark_filter(&lot, KEY, filter, tell, &token), 0, "stop at once");
	ok(seen_n == 1 && told.unparked == 0 && !told.be_fair, "nobody behind it is shown");
	is_int(ufx_lot_unpark_all(&lot, KEY, 1), 2, "two had stayed");
	ends(&p[0], UFX_LOT_UNPARKED, 1, "the first");
	ends(&p[3], UFX_LOT_UNPARKED, 1, "the fourth");
}

/* ---- requeues ---- */

/* Of three: how many are unparked, are moved, stay. */
static void one_requeue(enum ufx_lot_requeue op, uint32_t unparked, uint32_t moved,
			const char *name)
{
	struct parked p[3];
	int before = calls;

	for (int i = 0; i < 3; i++)
		start(&p[i], 0, 0);
	is_int(requeue(op), unparked + moved, "%s: of three", name);
	if (op == UFX_LOT_ABORT)
		is_int(calls, before, "%s: the callback is not called", name);
	else
		ok(calls == before + 1 && told_op == op && told.unparked == unparked &&
			   told.requeued == moved &&
			   told.more == (unparked + moved < 3) &&
			   (unparked || !told.be_fair),
		   "%s: the callback knows", name);
	is_int(ufx_lot_unpark_all(&lot, OTHER, 44), moved, "%s: so many were moved", name);
	is_int(ufx_lot_unpark_all(&lot, KEY, 55), 3 - unparked - moved,
	       "%s: so many stayed", name);
	for (uint32_t i = 0; i < 3; i++)
		ends(&p[i], UFX_LOT_UNPARKED,
		     i < unparked ? 33 : i < unparked + moved ? 44 : 55, name);
}

static void requeues(void)
{
	one_requeue(UFX_LOT_ABORT, 0, 0, "abort");
	one_requeue(UFX_LOT_UNPARK_ONE_REQUEUE_REST, 1, 2, "unpark one, requeue rest");
	one_requeue(UFX_LOT_REQUEUE_ALL, 0, 3, "requeue all");
	one_requeue(UFX_LOT_UNPARK_ONE, 1, 0, "unpark one");
	one_requeue(UFX_LOT_REQUEUE_ONE, 0, 1, "requeue one");
	calls = 0;
	is_int(requeue(UFX_LOT_REQUEUE_ALL), 0, "nobody is there");
	ok(calls == 1 && !told.requeued && !told.more, "the callback is called nevertheless");
}

/* ---- fairness ---- */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void nothing(void *handle)
{
	(void)handle;
}

/* One who waits, without a thread, is unparked: true if that is to be fair. */
static bool unpark_a_node(uint64_t key)
{
	static const struct ufx_parker parker = { nothing };
	struct ufx_condition c = { .key = key };
	struct ufx_node n = { .handle = NULL };
	uint64_t token = 0;

	if (ufx_node_prepare(d, &n, &c, &parker, NULL))
		bail("prepare");
	ufx_lot_unpark_one(&lot, key, tell, &token);
	ufx_node_finish(&n, NULL);
	return told.be_fair;
}

/*
 * The mean of 100 points that are spread over 1 ms is between 0.35 and 0.65 with
 * certainty; a loaded machine makes the gaps longer, so that only the lower bound
 * can be held against the clock. The upper: past 1 ms the next one is fair.
 */
static void fairness(void)
{
	uint64_t first, start, last, token = 0;
	int late = 0;

	while (!unpark_a_node(KEY))
		;
	first = last = now();
	for (int fair = 0; fair < 100;) {
		start = now();
		if (unpark_a_node(KEY)) {
			last = now();
			fair++;
		} else if (start > last + 1000000) {
			late++;
		}
	}
	is_int(late, 0, "no later than 1 ms");
	ok(last - first >= 100 * 350000, "on average not more often than each 0.35 ms");
	diag("  each %llu ns", (unsigned long long)(last - first) / 100);
	while (now() < last + 2000000)
		;
	ufx_lot_unpark_one(&lot, KEY, tell, &token);
	ok(!told.be_fair, "late, but nobody was there");
	ok(unpark_a_node(KEY), "now somebody was");
}

static void errors(void)
{
	struct ufx_lot_parking how = { .token = 0 };
	struct parked a;

	is_int(ufx_lot_park(NULL, 1, &how, NULL, NULL), -EINVAL, "park: no lot");
	is_int(ufx_lot_park(&lot, 1, NULL, NULL, NULL), -EINVAL, "park: nothing");
	is_int(ufx_lot_unpark_one(NULL, 1, NULL, NULL), -EINVAL, "unpark_one: no lot");
	is_int(ufx_lot_unpark_all(NULL, 1, 0), -EINVAL, "unpark_all: no lot");
	is_int(ufx_lot_unpark_filter(&lot, 1, NULL, NULL, NULL), -EINVAL, "no filter");
	is_int(ufx_lot_unpark_requeue(&lot, 1, 2, NULL, NULL, NULL), -EINVAL, "no validate");
	start(&a, 0, 0);
	ufx_domain_cancel(d);
	ends(&a, UFX_LOT_CANCELLED, 0, "the domain goes");
	is_int(ufx_lot_park(&lot, 1, &how, NULL, NULL), UFX_LOT_CANCELLED, "it is gone");
}

int main(void)
{
	if (ufx_domain_create(&d, NULL))
		bail("no domain");
	ufx_lot_init(&lot, d);
	unpark_one();
	unpark_all();
	parking();
	time_outs();
	filters();
	requeues();
	fairness();
	errors();
	is_int(ufx_domain_destroy(d), 0, "nobody is left");
	return tap_end();
}
