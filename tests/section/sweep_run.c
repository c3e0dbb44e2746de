// SPDX-License-Identifier: MIT
/* One operation, one handler, at instruction after instruction. */
#include "sweep.h"

#include "host/thread.h"
#include "ref/cells.h"
#include "tap.h"

#ifdef __x86_64__

struct trap_trace sweep_trace;
const char *sweep_way;

void sweep_wrong(struct tally *t, const struct operation *o,
		 const struct handler *h, const char *what)
{
	t->wrong++;
	if (t->wrong < 20)
		diag("%s, a handler that %s at %#lx, %s: %s", o->name, h->name,
		     trap_where, sweep_way, what);
}

static int64_t counted(void)
{
	return ufx_cells_sum(sweep_ref.counters.cells) +
	       (sweep_ref.counters.count & (((int64_t)1 << 61) - 1));
}

static void reap(struct tally *t, const struct operation *o, const struct handler *h)
{
	int status = -1;

	if (sweep_seen.child <= 0 ||
	    waitpid(sweep_seen.child, &status, 0) != sweep_seen.child ||
	    status) {
		diag("  its status: %#x", (unsigned int)status);
		sweep_wrong(t, o, h, "the child does not end well");
	}
	sweep_seen.child = 0;
}

/* Was the handler's wake carried out, once? */
static void check_bell(struct tally *t, const struct operation *o,
		       const struct handler *h, uint32_t before)
{
	if (sweep_seen.rung != 0 && sweep_seen.rung != 1)
		sweep_wrong(t, o, h, "the handler's wake returns nonsense");
	if (!comes_to(&bell, before + 1)) {
		sweep_wrong(t, o, h, "the handler's wake is lost");
		sweep_wake(&bell.word, 1);
		comes_to(&bell, before + 1);
	}
}

static void check_first(struct tally *t, const struct operation *o,
			const struct handler *h, uint32_t before)
{
	if (o->left_queued && sweep_wake(&sweep_other_word, 2) != 1)
		sweep_wrong(t, o, h, "the requeued waiter is not there");
	if (comes_to(&first, before + o->wakes + o->left_queued))
		return;
	sweep_wrong(t, o, h, "its own wake is lost, or one too many");
	sweep_wake(&first.word, 1);
	sweep_wake(&sweep_other_word, 1);
}

/*
 * Calls @o's, with the handler at @step, or stepped with the handler after @nth
 * instructions. Has that been reached?
 */
static bool interrupt(const struct operation *o, const struct handler *h,
		      const struct trap_step *step, unsigned int nth, long *ret)
{
	struct trap_seen seen;
	unsigned int steps = 0;

	if (step) {
		*ret = trap_at(step, false, o->call, h->action, &seen);
		return seen.acted;
	}
	*ret = trap_step(nth, false, o->call, h->action, &steps);
	return steps >= nth;
}

/* Returns whether the place was reached. */
static bool run(const struct operation *o, const struct handler *h, struct tally *t,
		const struct trap_step *step, unsigned int nth)
{
	uint32_t bell_before, first_before;
	int64_t count_before = counted();
	bool acted;
	long ret;

	asleep(&bell);
	asleep(&first);
	bell_before = rings(&bell);
	first_before = rings(&first);
	sweep_seen.rung = 0;
	sweep_seen.child = 0;
	if (o->resizes && sweep_set_slots(32))
		bail("slots cannot be set");
	acted = interrupt(o, h, step, nth, &ret);
	if (sweep_seen.in_child)
		sweep_end_child();
	t->acted += acted;
	if (ret != o->want) {
		diag("  it returns %ld", ret);
		sweep_wrong(t, o, h, "the result is wrong");
	}
	if (ufx_thread_inside || ufx_thread_posted)
		sweep_wrong(t, o, h, "the mark, or a posted wake, is left");
	if (acted && h->rings)
		check_bell(t, o, h, bell_before);
	if (acted && h->forks)
		reap(t, o, h);
	check_first(t, o, h, first_before);
	if (!acted || !h->rings)
		if (rings(&bell) != bell_before)
			sweep_wrong(t, o, h, "somebody was woken for nothing");
	if (counted() - count_before != o->change)
		sweep_wrong(t, o, h, "the count is wrong");
	return acted;
}

unsigned int sweep_first(unsigned int every)
{
	const char *seed = getenv("SEED");
	unsigned int n = every < sweep_trace.n ? every : sweep_trace.n;

	return n ? (seed ? (unsigned int)atoi(seed) : 1) % n : 0;
}

unsigned int sweep_patchable(unsigned int i)
{
	while (i < sweep_trace.n && !trap_patchable(sweep_trace.steps[i].address))
		i++;
	return i;
}

/* On the way that it takes undisturbed. */
static void by_breakpoints(const struct operation *o, const struct handler *h,
			   unsigned int every)
{
	unsigned int places = 0, n = sweep_trace.n;
	struct tally t = { 0 };

	sweep_way = "undisturbed before";
	for (unsigned int i = sweep_patchable(sweep_first(every)); i < n;
	     i = sweep_patchable(i + every)) {
		places++;
		run(o, h, &t, &sweep_trace.steps[i], 0);
	}
	is_int(t.wrong, 0, "%s, a handler that %s at %u of its %u instructions",
	       o->name, h->name, places, n);
	ok(t.acted >= places - places / 8, "%u of them were reached", t.acted);
}

/* On the way that it takes when a signal comes after every instruction. */
static void by_steps(const struct operation *o, const struct handler *h,
		     unsigned int every)
{
	struct tally t = { 0 };
	unsigned int nth = 1 + sweep_first(every);

	sweep_way = "stepped before";
	while (run(o, h, &t, NULL, nth))
		nth += every;
	is_int(t.wrong, 0, "stepped: %s, a handler that %s at %u of about %u "
	       "instructions", o->name, h->name, t.acted, nth);
	ok(t.acted > 0, "some were reached");
}

void sweep_one(const struct operation *o, const struct handler *h, unsigned int every)
{
	uint32_t before;

	asleep(&first);
	before = rings(&first);
	o->call();
	if (o->wakes || o->left_queued) {
		sweep_wake(&sweep_other_word, 1);
		comes_to(&first, before + 1);
		asleep(&first);
		before++;
	}
	if (o->resizes)
		sweep_set_slots(32);
	trap_record(&sweep_trace, o->call);
	if (o->wakes || o->left_queued)
		sweep_wake(&sweep_other_word, 1);
	comes_to(&first, before + o->wakes + o->left_queued);
	by_breakpoints(o, h, every);
	by_steps(o, h, 7 * every);
}

#endif
