// SPDX-License-Identifier: MIT
/*
 * An abort at every instruction of every sequence that the operations run
 * through, once and every time: the result is right, the count is exact, and
 * there is an end: past the bound on retries a fallback bank is taken.
 */
#include "trap.h"

#include <ufutex/caps.h>
#include <ufutex/futex.h>
#include <ufutex/ref.h>

#include "ref/cells.h"
#include "tap.h"

#define RETRIES_MAX 200 /* the library's bound is 64 in each loop */

static struct trap_trace trace;

#ifdef __x86_64__

static struct ufx_ref ref, atomic_ref;
static struct ufx_object objects[4];
static struct ufx_slot slot, idle; /* idle: in the atomic state, pinned once */
static uint32_t word;

static void release(struct ufx_object *object)
{
	(void)object;
}

static void ref_release(struct ufx_ref *r)
{
	(void)r;
}

/* ---- the operations ---- */

static long ref_get(void)
{
	ufx_ref_get(&ref);
	return 0;
}

static long ref_get_many(void)
{
	ufx_ref_get_many(&ref, 5);
	return 0;
}

static long ref_get_inline(void)
{
	ufx_ref_get_inline(&ref);
	return 0;
}

static long ref_put(void)
{
	ufx_ref_put(&ref);
	return 0;
}

static long ref_put_inline(void)
{
	ufx_ref_put_inline(&ref);
	return 0;
}

static long ref_tryget(void)
{
	return ufx_ref_tryget(&ref);
}

static long atomic_get(void)
{
	ufx_ref_get(&atomic_ref);
	return 0;
}

static long slot_get(void)
{
	return ufx_slot_get(&slot) == &objects[0];
}

static long slot_get_inline(void)
{
	return ufx_slot_get_inline(&slot) == &objects[0];
}

static long slot_put(void)
{
	ufx_slot_put(&slot, &objects[0]);
	return 0;
}

static long slot_put_inline(void)
{
	ufx_slot_put_inline(&slot, &objects[0]);
	return 0;
}

static long idle_get(void)
{
	return ufx_slot_get(&idle) == &objects[1];
}

static long wake_empty(void)
{
	return ufx_futex(&word, UFX_FUTEX_WAKE | UFX_FUTEX_PRIVATE, 1, NULL, NULL, 0);
}

static long mismatch(void)
{
	return ufx_futex(&word, UFX_FUTEX_WAIT | UFX_FUTEX_PRIVATE, 1, NULL, NULL, 0);
}

static long times_out(void)
{
	static const struct timespec past = { 0, 1 };

	return ufx_futex(&word, UFX_FUTEX_WAIT_BITSET | UFX_FUTEX_PRIVATE, 0, &past,
			 NULL, UINT32_MAX);
}

/* ---- what they count ---- */

static int64_t total(const struct ufx_counters *k)
{
	return ufx_cells_sum(k->cells) + k->count;
}

static int64_t of_ref(void)
{
	return total(&ref.counters);
}

static int64_t of_atomic(void)
{
	return total(&atomic_ref.counters);
}

static int64_t of_slot(void)
{
	return total(&objects[0].counters);
}

static int64_t of_idle(void)
{
	return total(objects[1].counted.counters);
}

static int64_t of_nothing(void)
{
	return 0;
}

/*
 * A sequence that is wrong: its commit is not the last instruction. This must
 * be found, or the test finds nothing.
 */
static uintptr_t broken_cells;

static long broken(void)
{
	uintptr_t tmp, cpu;

again:
	__asm__ __volatile__ goto(
		UFX_SECTION_BEGIN
		"movq %[cells], %[tmp]\n\t"
		"shlq $12, %[cpu]\n\t"
		"incq (%[tmp], %[cpu])\n\t"
		"nopw 0(%%rax, %%rax)\n"
		UFX_SECTION_END
		: [tmp] "=&r"(tmp), [cpu] "=&r"(cpu)
		: [area] "r"(ufx_section_env.area),
		  [cpus] "rm"(ufx_section_env.cpus), [cells] "m"(broken_cells)
		: "memory", "cc"
		: slow, abort);
	return 0;
slow:
	return 1;
abort:
	goto again; /* and without a bound */
}

static int64_t of_broken(void)
{
	return ufx_cells_sum(broken_cells);
}

struct operation {
	const char *name;
	long (*call)(void);
	long want;
	int64_t (*count)(void);
	int64_t change;
	bool has_sections;
};

static const struct operation operations[] = {
	{ "ref get", ref_get, 0, of_ref, 1, true },
	{ "ref get of 5", ref_get_many, 0, of_ref, 5, true },
	{ "ref get, inline", ref_get_inline, 0, of_ref, 1, true },
	{ "ref tryget", ref_tryget, 1, of_ref, 1, true },
	{ "ref put", ref_put, 0, of_ref, -1, true },
	{ "ref put, inline", ref_put_inline, 0, of_ref, -1, true },
	{ "atomic ref get", atomic_get, 0, of_atomic, 1, true },
	{ "slot get", slot_get, 1, of_slot, 1, true },
	{ "slot get, inline", slot_get_inline, 1, of_slot, 1, true },
	{ "slot put", slot_put, 0, of_slot, -1, true },
	{ "slot put, inline", slot_put_inline, 0, of_slot, -1, true },
	{ "atomic slot get", idle_get, 1, of_idle, 1, true },
	{ "empty wake", wake_empty, 0, of_nothing, 0, true },
	{ "wait, another value", mismatch, -EAGAIN, of_nothing, 0, false },
	{ "wait that times out", times_out, -ETIMEDOUT, of_nothing, 0, true },
};

/* ---- the sweep ---- */

struct tally {
	unsigned int stops, in_sections, aborts;
	unsigned int missed, wrong_place, wrong_result, wrong_count, unbounded;
	unsigned int most; /* hits in one call */
};

static void complain(const struct operation *o, const struct trap_step *step,
		     const char *what)
{
	diag("%s, stopped at %#lx (%s %#lx): %s", o->name, step->address,
	     trap_section_of(step->address) ? "in the sequence at" : "not in",
	     trap_section_of(step->address) ?
		     (unsigned long)trap_section_of(step->address)->start : 0ul,
	     what);
}

static void stop_at(const struct operation *o, const struct trap_step *step,
		    bool always, bool quiet, struct tally *t)
{
	bool inside = trap_section_of(step->address);
	int64_t before = o->count();
	struct trap_seen seen;
	long ret = trap_at(step, always, o->call, NULL, &seen);
	int64_t change = o->count() - before;

	t->stops++;
	t->in_sections += inside;
	t->aborts += seen.aborts;
	t->missed += !seen.hits;
	t->wrong_place += seen.wrong;
	t->wrong_result += ret != o->want;
	t->wrong_count += change != o->change;
	t->unbounded += seen.unbounded || (inside && seen.hits > RETRIES_MAX);
	if (seen.hits > t->most)
		t->most = seen.hits;
	if (quiet)
		return;
	if (!seen.hits || seen.wrong)
		complain(o, step, seen.hits ? "not sent to the abort address" :
					      "not reached");
	if (ret != o->want)
		complain(o, step, "the result is wrong");
	if (change != o->change)
		complain(o, step, "the count is wrong");
	if (seen.unbounded)
		complain(o, step, "no end of retries");
}

static struct tally sweep(const struct operation *o, bool always, bool quiet)
{
	struct tally t = { 0 };

	o->call(); /* what is only done the first time */
	if (trap_record(&trace, o->call) != o->want)
		bail("%s: wrong when nothing disturbs it", o->name);
	for (unsigned int i = 0; i < trace.n; i++) {
		const struct trap_step *s = &trace.steps[i];

		/* Those of a sequence, and the one behind it. */
		if (trap_patchable(s->address) &&
		    (trap_section_of(s->address) ||
		     (i && trap_section_of(trace.steps[i - 1].address))))
			stop_at(o, s, always, quiet, &t);
	}
	return t;
}

/* Every sequence, every time: only the fallback is left. */
static void everywhere(const struct operation *o)
{
	int64_t before = o->count();
	struct trap_seen seen;
	long ret = trap_everywhere(o->call, &seen);

	is_int(ret, o->want, "%s: every sequence aborted: the result is right", o->name);
	is_int(o->count() - before, o->change, "the count is exact");
	ok(!seen.unbounded && !seen.wrong && (seen.aborts > 0) == o->has_sections,
	   "after %u aborts", seen.aborts);
}

static uint64_t given_up(void)
{
	struct ufx_capabilities caps;

	ufx_caps(&caps);
	return caps.aborts;
}

static void one(const struct operation *o)
{
	struct tally once = sweep(o, false, false), always;

	is_int(o->has_sections, once.in_sections > 0, "%s: aborted at each of %u "
	       "instructions of its sequences", o->name, once.in_sections);
	is_int(once.aborts, once.in_sections, "each of them aborts, none beside");
	is_int(once.missed + once.wrong_place, 0,
	       "and is left for the abort address only, the pointer cleared");
	is_int(once.wrong_result, 0, "the result is right each time");
	is_int(once.wrong_count, 0, "the count is exact each time");
	always = sweep(o, true, false);
	is_int(always.wrong_result + always.wrong_count + always.wrong_place, 0,
	       "aborted every time: right as well");
	is_int(always.unbounded, 0, "after at most %u tries", always.most);
	everywhere(o);
}

static void find_the_broken(void)
{
	static const struct operation o = { "a broken sequence", broken, 0,
					    of_broken, 1, true };
	struct tally once, always;

	broken_cells = ufx_cells_alloc();
	once = sweep(&o, false, true);
	is_int(once.wrong_count, 1, "a commit before the last instruction is "
	       "found, at one instruction");
	always = sweep(&o, true, true);
	ok(always.unbounded > 0, "and that its retries have no bound");
}

static void make_idle(void)
{
	ufx_object_init(&objects[1], UFX_SLOT_WHEN_IDLE, release);
	ufx_object_init(&objects[2], UFX_SLOT_WHEN_IDLE, release);
	if (ufx_slot_init(&idle, UFX_SLOT_WHEN_IDLE, &objects[1]) || !idle_get() ||
	    ufx_slot_replace_later(&idle, &objects[2]))
		bail("no slot");
	ufx_grace_barrier();
	ok(objects[1].counted.cells & UFX_STATE_ATOMIC,
	   "a pinned object to be replaced is in the atomic state");
}

int main(void)
{
	const char *why = trap_missing();
	uint64_t before;

	if (why) {
		skip(why, "aborts at each instruction");
		return tap_end();
	}
	ufx_object_init(&objects[0], UFX_SLOT_PUBLISH_FIRST, release);
	if (ufx_ref_init(&ref, ref_release) || ufx_ref_init(&atomic_ref, ref_release) ||
	    ufx_ref_switch_to_atomic(&atomic_ref) ||
	    ufx_slot_init(&slot, UFX_SLOT_PUBLISH_FIRST, &objects[0]))
		bail("nothing to count");
	make_idle();
	wake_empty();
	mismatch(); /* makes the table */
	before = given_up();
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		one(&operations[i]);
	ok(given_up() > before, "%llu sequences were given up for a bank",
	   (unsigned long long)(given_up() - before));
	find_the_broken();
	is_int(ufx_ref_kill(&ref), 0, "the ref is killed");
	ok(!ufx_ref_is_zero(&ref), "what was got is left of it");
	return tap_end();
}

#else

int main(void)
{
	(void)trace;
	skip(trap_missing(), "aborts at each instruction");
	return tap_end();
}

#endif
