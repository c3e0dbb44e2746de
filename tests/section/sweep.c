// SPDX-License-Identifier: MIT
/*
 * A signal at every instruction of an operation, whose handler uses the
 * engine: it wakes a sleeper, or counts, or forks a child that uses the
 * engine as well. Whatever the instruction, the operation's result, the
 * handler's wake and the counts are right (R10, R11), and the child ends well.
 *
 * Each instruction is met twice: on the way that the operation takes when
 * nothing disturbs it (a breakpoint), and on the one that it takes while a
 * signal comes after every instruction (all sequences are aborted, the
 * fallback does the work).
 *
 * SWEEP_EVERY: only every so manieth instruction, which ones by SEED.
 */
#include "trap.h"

#include <pthread.h>
#include <ufutex/futex.h>
#include <ufutex/ref.h>

#include "blocked.h"
#include "host/thread.h"
#include "ref/cells.h"
#include "tap.h"

#ifndef SWEEP_EVERY
#define SWEEP_EVERY 61
#endif

#ifndef SWEEP_HANDLERS
#define SWEEP_HANDLERS 7u /* bits: one that wakes, one that counts, one that forks */
#endif

#ifdef __x86_64__

#define PRIVATE(op) ((op) | UFX_FUTEX_PRIVATE)

static struct trap_trace trace;
static const struct timespec long_time = { 1000, 0 };

static long wake(uint32_t *word, uint32_t n)
{
	return ufx_futex(word, PRIVATE(UFX_FUTEX_WAKE), n, NULL, NULL, 0);
}

/* ---- sleepers, used again and again ---- */

struct sleeper {
	uint32_t word; /* stays 0: a lost wake is lost for ever */
	uint32_t rings;
	uint32_t seen_asleep; /* 1 + rings when it was last seen asleep */
	int stop;
	struct blocked thread;
};

static struct sleeper bell, first, second;

static long sleep_on(void *arg)
{
	struct sleeper *s = arg;

	while (!__atomic_load_n(&s->stop, __ATOMIC_SEQ_CST)) {
		long ret = ufx_futex(&s->word, PRIVATE(UFX_FUTEX_WAIT), 0,
				     &long_time, NULL, 0);

		if (ret)
			return ret;
		__atomic_fetch_add(&s->rings, 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

/* For one that waits on another's word: both take each other's wakes. */
static long sleep_on_first(void *arg)
{
	struct sleeper *s = arg;

	while (!__atomic_load_n(&s->stop, __ATOMIC_SEQ_CST)) {
		long ret = ufx_futex(&first.word, PRIVATE(UFX_FUTEX_WAIT), 0,
				     &long_time, NULL, 0);

		if (ret)
			return ret;
		__atomic_fetch_add(&s->rings, 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

static uint32_t rings(const struct sleeper *s)
{
	return __atomic_load_n(&s->rings, __ATOMIC_SEQ_CST);
}

/* Unless woken since, it still is. */
static void asleep(struct sleeper *s)
{
	uint32_t now = 1 + __atomic_load_n(&s->rings, __ATOMIC_SEQ_CST);

	if (s->seen_asleep == now)
		return;
	s->seen_asleep = now;
	if (!blocked_wait(&s->thread))
		bail("a sleeper has left with %ld", s->thread.result);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)1000 + now.tv_nsec / 1000000;
}

/* False if it does not come to @value soon. */
static bool comes_to(const struct sleeper *s, uint32_t value)
{
	int64_t end = now_ms() + 5000;

	while (rings(s) != value && now_ms() < end)
		sched_yield();
	return rings(s) == value;
}

static long set_slots(unsigned long n)
{
	return ufx_prctl_futex_hash(UFX_PR_FUTEX_HASH_SET_SLOTS, n, 0, 0);
}

/* ---- what the handlers do ---- */

static struct ufx_ref ref;
static struct ufx_object object;
static struct ufx_slot slot;
static uint32_t word, other_word, due;
static long rung;
static const char *child_wrong;
static pid_t child;
static bool in_child;

static void ring(void)
{
	rung = wake(&bell.word, 1);
}

static void ring_first(void)
{
	rung = wake(&first.word, 1);
}

static void count(void)
{
	struct ufx_object *o;

	ufx_ref_get(&ref);
	ufx_ref_get_inline(&ref);
	o = ufx_slot_get(&slot);
	if (o != &object)
		rung = -1;
	else
		ufx_slot_put_inline(&slot, o);
	ufx_ref_put_inline(&ref);
	ufx_ref_put(&ref);
}

/* The word is set and woken: the wait may not sleep on. */
static void set_and_wake(void)
{
	__atomic_store_n(&due, 1, __ATOMIC_SEQ_CST);
	rung = wake(&due, 1);
}

/* Over a critical section the child has to return before it waits. */
static void fork_here(void)
{
	child = fork();
	if (child)
		return;
	in_child = true;
	alarm(10);
	if (wake(&bell.word, 1))
		child_wrong = "a waiter of the parent is woken in the handler";
	count();
}

/* ---- the child, after its operation ---- */

static void ignore_ref(struct ufx_ref *r)
{
	(void)r;
}

static int released;

static void note_release(struct ufx_ref *r)
{
	(void)r;
	released++;
}

static long ring_wait(void *arg)
{
	return ufx_futex(arg, PRIVATE(UFX_FUTEX_WAIT), 0, &long_time, NULL, 0);
}

static const char *child_uses_the_engine(void)
{
	static const struct timespec soon = { 0, 1000 };
	static uint32_t own;
	struct ufx_ref mine;
	struct blocked b;

	if (ufx_thread_inside)
		return "the mark is left set";
	if (wake(&bell.word, 1))
		return "a waiter of the parent is woken";
	if (ufx_futex(&own, PRIVATE(UFX_FUTEX_WAIT), 0, &soon, NULL, 0) != -ETIMEDOUT)
		return "a wait does not time out";
	if (set_slots(64))
		return "slots cannot be set";
	blocked_start(&b, ring_wait, &own, NULL);
	blocked_wait(&b);
	if (wake(&own, 2) != 1 || blocked_join(&b))
		return "its own waiter is not woken";
	if (ufx_ref_init(&mine, note_release))
		return "no ref";
	ufx_ref_get(&mine);
	ufx_ref_put_inline(&mine);
	if (ufx_ref_kill(&mine) || released != 1)
		return "its ref is not released";
	return NULL;
}

static void end_child(void)
{
	const char *wrong = child_wrong ? child_wrong : child_uses_the_engine();

	if (wrong)
		diag("in the child, forked at %#lx: %s", trap_where, wrong);
	_exit(wrong != NULL);
}

/* ---- the operations ---- */

static long wake_empty(void)
{
	return wake(&word, 1);
}

static long wake_first(void)
{
	return wake(&first.word, 1);
}

static long mismatch(void)
{
	return ufx_futex(&word, PRIVATE(UFX_FUTEX_WAIT), 1, NULL, NULL, 0);
}

static long times_out(void)
{
	static const struct timespec past = { 0, 1 };

	return ufx_futex(&due, PRIVATE(UFX_FUTEX_WAIT_BITSET), 0, &past, NULL,
			 UINT32_MAX);
}

static long requeue(void)
{
	return ufx_futex(&first.word, PRIVATE(UFX_FUTEX_CMP_REQUEUE), 0,
			 (const struct timespec *)1, &other_word, 0);
}

static long wake_op(void)
{
	/* other_word = 0; wakes @first, and nobody there as it was 0 */
	return ufx_futex(&first.word, PRIVATE(UFX_FUTEX_WAKE_OP), 1,
			 (const struct timespec *)1, &other_word, 0);
}

static long resize(void)
{
	return set_slots(16);
}

static long get_and_put(void)
{
	ufx_ref_get(&ref);
	ufx_ref_put_inline(&ref);
	return ufx_ref_tryget(&ref);
}

static long slot_pin(void)
{
	struct ufx_object *o = ufx_slot_get(&slot);

	if (o)
		ufx_slot_put(&slot, o);
	return o == &object;
}

static long switch_ways(void)
{
	return ufx_ref_switch_to_atomic(&ref) + ufx_ref_switch_to_percpu(&ref);
}

/* What is to be woken by the operation itself, and how to clean up. */
struct operation {
	const char *name;
	long (*call)(void);
	long want;
	uint32_t wakes;    /* of @first */
	int64_t change;    /* of the ref's count */
	bool left_queued;  /* @first has been requeued: wake it there */
	bool resizes;      /* so it starts from another size each time */
};

static const struct operation operations[] = {
	{ "a wake of nobody", wake_empty, 0, 0, 0, false, false },
	{ "a wake of one", wake_first, 1, 1, 0, false, false },
	{ "a wait on another value", mismatch, -EAGAIN, 0, 0, false, false },
	{ "a wait that times out", times_out, -ETIMEDOUT, 0, 0, false, false },
	{ "a requeue", requeue, 1, 0, 0, true, false },
	{ "wake_op", wake_op, 1, 1, 0, false, false },
	{ "a resize", resize, 0, 0, 0, false, true },
	{ "get and put", get_and_put, 1, 0, 1, false, false },
	{ "a slot's get and put", slot_pin, 1, 0, 0, false, false },
	{ "to atomic and back", switch_ways, 0, 0, 0, false, false },
};

struct handler {
	const char *name;
	void (*action)(void);
	bool rings, forks;
};

static const struct handler handlers[] = {
	{ "wakes", ring, true, false },
	{ "counts", count, false, false },
	{ "forks", fork_here, false, true },
};

/* ---- one run ---- */

struct tally {
	unsigned int runs, acted, wrong;
};

static const char *way;

static void wrong(struct tally *t, const struct operation *o,
		  const struct handler *h, const char *what)
{
	t->wrong++;
	if (t->wrong < 20)
		diag("%s, a handler that %s at %#lx, %s: %s", o->name, h->name,
		     trap_where, way, what);
}

static int64_t counted(void)
{
	return ufx_cells_sum(ref.counters.cells) +
	       (ref.counters.count & (((int64_t)1 << 61) - 1));
}

static void reap(struct tally *t, const struct operation *o, const struct handler *h)
{
	int status = -1;

	if (child <= 0 || waitpid(child, &status, 0) != child || status) {
		diag("  its status: %#x", (unsigned int)status);
		wrong(t, o, h, "the child does not end well");
	}
	child = 0;
}

/* Was the handler's wake carried out, once? */
static void check_bell(struct tally *t, const struct operation *o,
		       const struct handler *h, uint32_t before)
{
	if (rung != 0 && rung != 1)
		wrong(t, o, h, "the handler's wake returns nonsense");
	if (!comes_to(&bell, before + 1)) {
		wrong(t, o, h, "the handler's wake is lost");
		wake(&bell.word, 1);
		comes_to(&bell, before + 1);
	}
}

static void check_first(struct tally *t, const struct operation *o,
			const struct handler *h, uint32_t before)
{
	if (o->left_queued && wake(&other_word, 2) != 1)
		wrong(t, o, h, "the requeued waiter is not there");
	if (comes_to(&first, before + o->wakes + o->left_queued))
		return;
	wrong(t, o, h, "its own wake is lost, or one too many");
	wake(&first.word, 1);
	wake(&other_word, 1);
}

/* @how runs it up to the place; returns whether that was reached. */
static bool run(const struct operation *o, const struct handler *h, struct tally *t,
		const struct trap_step *step, unsigned int nth)
{
	uint32_t bell_before, first_before;
	int64_t count_before = counted();
	struct trap_seen seen = { .acted = true };
	unsigned int steps = 0;
	long ret;

	asleep(&bell);
	asleep(&first);
	bell_before = rings(&bell);
	first_before = rings(&first);
	rung = 0;
	child = 0;
	if (o->resizes && set_slots(32))
		bail("slots cannot be set");
	ret = step ? trap_at(step, false, o->call, h->action, &seen) :
		     trap_step(nth, false, o->call, h->action, &steps);
	if (in_child)
		end_child();
	if (!step)
		seen.acted = steps >= nth;
	t->runs++;
	t->acted += seen.acted;
	if (ret != o->want) {
		diag("  it returns %ld", ret);
		wrong(t, o, h, "the result is wrong");
	}
	if (ufx_thread_inside || ufx_thread_posted)
		wrong(t, o, h, "the mark, or a posted wake, is left");
	if (seen.acted && h->rings)
		check_bell(t, o, h, bell_before);
	if (seen.acted && h->forks)
		reap(t, o, h);
	check_first(t, o, h, first_before);
	if (!seen.acted || !h->rings)
		if (rings(&bell) != bell_before)
			wrong(t, o, h, "somebody was woken for nothing");
	if (counted() - count_before != o->change)
		wrong(t, o, h, "the count is wrong");
	return seen.acted;
}

static unsigned int offset(unsigned int every)
{
	const char *seed = getenv("SEED");

	return (seed ? (unsigned int)atoi(seed) : 1) % every;
}

/* On the way that it takes undisturbed. */
static void by_breakpoints(const struct operation *o, const struct handler *h)
{
	unsigned int places = 0, every = SWEEP_EVERY;
	struct tally t = { 0 };

	way = "undisturbed before";
	for (unsigned int i = offset(every); i < trace.n; i += every) {
		if (!trap_patchable(trace.steps[i].address))
			continue;
		places++;
		run(o, h, &t, &trace.steps[i], 0);
	}
	is_int(t.wrong, 0, "%s, a handler that %s at %u of its %u instructions",
	       o->name, h->name, places, trace.n);
	ok(t.acted >= places - places / 8, "%u of them were reached", t.acted);
}

/* On the way that it takes when a signal comes after every instruction. */
static void by_steps(const struct operation *o, const struct handler *h)
{
	unsigned int every = SWEEP_EVERY * 7;
	struct tally t = { 0 };
	unsigned int nth = 1 + offset(every);

	way = "stepped before";
	while (run(o, h, &t, NULL, nth))
		nth += every;
	is_int(t.wrong, 0, "stepped: %s, a handler that %s at %u of about %u "
	       "instructions", o->name, h->name, t.acted, nth);
	ok(t.acted > 0, "some were reached");
}

static void one(const struct operation *o, const struct handler *h)
{
	uint32_t before;

	asleep(&first);
	before = rings(&first);
	o->call();
	if (o->wakes || o->left_queued) {
		wake(&other_word, 1);
		comes_to(&first, before + 1);
		asleep(&first);
		before++;
	}
	if (o->resizes)
		set_slots(32);
	trap_record(&trace, o->call);
	if (o->wakes || o->left_queued)
		wake(&other_word, 1);
	comes_to(&first, before + o->wakes + o->left_queued);
	by_breakpoints(o, h);
	by_steps(o, h);
}

/* ---- handlers that are after the operation's own waiter or word ---- */

/* A wake of @first by the handler too: two sleep there, both are woken. */
static void same_word(void)
{
	static const struct operation o = { "a wake of one of two", wake_first, 1,
					    1, 0, false, false };
	static const struct handler h = { "wakes the other", ring_first, true, false };
	unsigned int places = 0;
	struct tally t = { 0 };

	blocked_start(&second.thread, sleep_on_first, &second, NULL);
	way = "undisturbed before";
	asleep(&first);
	asleep(&second);
	trap_record(&trace, wake_first);
	for (unsigned int i = offset(SWEEP_EVERY); i < trace.n; i += SWEEP_EVERY) {
		uint32_t before;
		struct trap_seen seen;
		int64_t end;

		if (!trap_patchable(trace.steps[i].address))
			continue;
		asleep(&first);
		asleep(&second);
		before = rings(&first) + rings(&second);
		rung = 0;
		if (trap_at(&trace.steps[i], false, wake_first, ring_first, &seen) != 1)
			wrong(&t, &o, &h, "it does not wake one");
		places += seen.acted;
		before += 1 + seen.acted;
		end = now_ms() + 5000;
		while (rings(&first) + rings(&second) < before && now_ms() < end)
			sched_yield();
		if (rings(&first) + rings(&second) == before)
			continue;
		wrong(&t, &o, &h, "not as many were woken as asked for");
		wake(&first.word, 2);
	}
	is_int(t.wrong, 0, "two sleep, one is woken, the other by a handler at %u "
	       "places", places);
	ok(places > 0, "some were reached");
	asleep(&first);
	asleep(&second);
	second.stop = first.stop = 1;
	is_int(wake(&first.word, 3), 2, "both sleep still");
	blocked_join(&second.thread);
	blocked_join(&first.thread);
}

/* Nobody may sleep on what the handler has set, nor may its wake be lost. */
static void wake_of_own_wait(void)
{
	unsigned int by_wake = 0, by_value = 0, by_time = 0, others = 0, lost = 0;

	due = 0;
	times_out();
	trap_record(&trace, times_out);
	for (unsigned int i = offset(SWEEP_EVERY); i < trace.n; i += SWEEP_EVERY) {
		struct trap_seen seen;
		long ret;

		if (!trap_patchable(trace.steps[i].address))
			continue;
		due = 0;
		rung = 0;
		ret = trap_at(&trace.steps[i], false, times_out, set_and_wake, &seen);
		by_wake += ret == 0;
		by_value += ret == -EAGAIN;
		by_time += ret == -ETIMEDOUT;
		others += ret && ret != -EAGAIN && ret != -ETIMEDOUT;
		if (rung == 1 && ret) {
			lost++;
			diag("at %#lx: woken, but it returns %ld", trap_where, ret);
		}
	}
	is_int(lost, 0, "a wait that a handler over it wakes is woken: %u, value "
	       "%u, time %u", by_wake, by_value, by_time);
	is_int(others, 0, "and returns nothing else");
	ok(by_value && by_time, "the sweep covers what is before it and after it");
	due = 0;
}

int main(void)
{
	const char *why;

#ifdef SWEEP_WAY
	setenv("UFUTEX_REPLACE", SWEEP_WAY, 1);
#endif
	why = trap_missing();
	if (why) {
		skip(why, "handlers at each instruction");
		return tap_end();
	}
	tap_timeout(280);
	ufx_object_init(&object, UFX_SLOT_PUBLISH_FIRST, NULL);
	if (ufx_ref_init(&ref, ignore_ref) ||
	    ufx_slot_init(&slot, UFX_SLOT_PUBLISH_FIRST, &object))
		bail("nothing to count");
	blocked_start(&bell.thread, sleep_on, &bell, NULL);
	blocked_start(&first.thread, sleep_on, &first, NULL);
	asleep(&first);
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		for (size_t j = 0; j < sizeof(handlers) / sizeof(handlers[0]); j++)
			if (SWEEP_HANDLERS & (1u << j))
				one(&operations[i], &handlers[j]);
	wake_of_own_wait();
	same_word();
	asleep(&bell);
	bell.stop = 1;
	is_int(wake(&bell.word, 1), 1, "the bell sleeps still");
	blocked_join(&bell.thread);
	return tap_end();
}

#else

int main(void)
{
	skip(trap_missing(), "handlers at each instruction");
	return tap_end();
}

#endif
