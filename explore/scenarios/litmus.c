/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <sys/syscall.h>

#include <ufutex/futex.h>

#include "grace/membarrier.h"
#include "host/syscall.h"
#include "litmus.h"

static uint32_t x, y, z;    /* what threads share */
static uint32_t data;       /* plain */
static uint32_t seen[4][2]; /* what thread i found; plain, and its own */
static volatile uint32_t clock_hand; /* known to all at once; see tell_time */

#define LOAD(from, order) __atomic_load_n(&(from), __ATOMIC_##order)
#define STORE(to, value, order) __atomic_store_n(&(to), value, __ATOMIC_##order)
#define ADD(to, value, order) __atomic_fetch_add(&(to), value, __ATOMIC_##order)
#define FENCE(order) __atomic_thread_fence(__ATOMIC_##order)

/* static void name(void) of one thread */
#define THREAD(name, ...)                                                      \
	static void name(void)                                                 \
	{                                                                      \
		__VA_ARGS__;                                                   \
	}

#define OUTCOME(name, condition)                                               \
	static void name(void)                                                 \
	{                                                                      \
		must(!(condition));                                            \
	}

/* ---- message passing: x is the message, y the flag ---- */

THREAD(sends_relaxed, STORE(x, 1, RELAXED); STORE(y, 1, RELAXED))
THREAD(sends_release, STORE(x, 1, RELAXED); STORE(y, 1, RELEASE))
THREAD(sends_fence, STORE(x, 1, RELAXED); FENCE(RELEASE); STORE(y, 1, RELAXED))
THREAD(gets_relaxed, seen[1][0] = LOAD(y, RELAXED); seen[1][1] = LOAD(x, RELAXED))
THREAD(gets_acquire, seen[1][0] = LOAD(y, ACQUIRE); seen[1][1] = LOAD(x, RELAXED))
THREAD(gets_fence, seen[1][0] = LOAD(y, RELAXED); FENCE(ACQUIRE);
       seen[1][1] = LOAD(x, RELAXED))
OUTCOME(flag_without_message, seen[1][0] == 1 && !seen[1][1])

/* y again, by a read-modify-write of another, or by a store */
THREAD(adds_relaxed, ADD(y, 1, RELAXED))
THREAD(overwrites, if (LOAD(y, RELAXED) == 1) STORE(y, 2, RELAXED))
THREAD(gets_second, seen[1][0] = LOAD(y, ACQUIRE); seen[1][1] = LOAD(x, RELAXED))
OUTCOME(second_without_message, seen[1][0] == 2 && !seen[1][1])

/* handed on: x to y, y to z */
THREAD(hands_on_relaxed, if (LOAD(x, RELAXED)) STORE(y, 1, RELAXED))
THREAD(hands_on, if (LOAD(x, ACQUIRE)) STORE(y, 1, RELEASE))
THREAD(stores_x, STORE(x, 1, RELAXED))
THREAD(stores_x_release, STORE(x, 1, RELEASE))
THREAD(stores_y_release, STORE(y, 1, RELEASE))
THREAD(gets_third_relaxed, seen[2][0] = LOAD(y, RELAXED); seen[2][1] = LOAD(x, RELAXED))
THREAD(gets_third, seen[2][0] = LOAD(y, ACQUIRE); seen[2][1] = LOAD(x, RELAXED))
OUTCOME(third_misses, seen[2][0] && !seen[2][1])

/* ---- store buffering ---- */

#define BUFFERS(name, i, mine, other, store, between, load)                    \
	THREAD(name, STORE(mine, 1, store); between;                           \
	       seen[i][0] = LOAD(other, load))

BUFFERS(buffers_x, 0, x, y, RELAXED, , RELAXED)
BUFFERS(buffers_y, 1, y, x, RELAXED, , RELAXED)
BUFFERS(buffers_x_ordered, 0, x, y, RELEASE, , ACQUIRE)
BUFFERS(buffers_y_ordered, 1, y, x, RELEASE, , ACQUIRE)
BUFFERS(buffers_x_seq, 0, x, y, SEQ_CST, , SEQ_CST)
BUFFERS(buffers_y_seq, 1, y, x, SEQ_CST, , SEQ_CST)
BUFFERS(buffers_x_fence, 0, x, y, RELAXED, FENCE(SEQ_CST), RELAXED)
BUFFERS(buffers_y_fence, 1, y, x, RELAXED, FENCE(SEQ_CST), RELAXED)
BUFFERS(buffers_x_half, 0, x, y, RELAXED, FENCE(ACQ_REL), RELAXED)
BUFFERS(buffers_y_half, 1, y, x, RELAXED, FENCE(ACQ_REL), RELAXED)
BUFFERS(buffers_x_rmw, 0, x, y, RELAXED, ADD(data, 1, SEQ_CST), RELAXED)
BUFFERS(buffers_y_rmw, 1, y, x, RELAXED, ADD(z, 1, SEQ_CST), RELAXED)
BUFFERS(buffers_y_barrier, 1, y, x, RELAXED,
	ufx_syscall(SYS_membarrier, UFX_MEMBARRIER_PRIVATE, 0, 0, 0, 0, 0), RELAXED)
BUFFERS(buffers_y_rseq, 1, y, x, RELAXED,
	ufx_syscall(SYS_membarrier, UFX_MEMBARRIER_RSEQ, 0, 0, 0, 0, 0), RELAXED)
OUTCOME(both_missed, !seen[0][0] && !seen[1][0])

/* ---- one word ---- */

THREAD(counts_x, STORE(x, 1, RELAXED); STORE(x, 2, RELAXED))
THREAD(looks_twice, seen[1][0] = LOAD(x, RELAXED); seen[1][1] = LOAD(x, RELAXED))
OUTCOME(went_back, seen[1][0] > seen[1][1])
OUTCOME(jumped, seen[1][0] == 0 && seen[1][1] == 1)
THREAD(looks_at_own, STORE(x, 1, RELAXED); seen[0][0] = LOAD(x, RELAXED))
OUTCOME(own_missed, !seen[0][0])
THREAD(adds_x, ADD(x, 1, RELAXED))
OUTCOME(add_lost, x != 2)
THREAD(stores_x_2, STORE(x, 2, RELAXED))
THREAD(watches_2, seen[2][0] = LOAD(x, RELAXED); seen[2][1] = LOAD(x, RELAXED))
THREAD(watches_3, seen[3][0] = LOAD(x, RELAXED); seen[3][1] = LOAD(x, RELAXED))
OUTCOME(two_orders, seen[2][0] == 1 && seen[2][1] == 2 && seen[3][0] == 2 &&
	seen[3][1] == 1)

/* Of the schedule's own time, which no memory model knows: not instrumented. */
__attribute__((noinline, no_sanitize_thread)) static void tell_time(void)
{
	clock_hand = 1;
}

__attribute__((noinline, no_sanitize_thread)) static uint32_t ask_time(void)
{
	return clock_hand;
}

THREAD(stores_in_time, STORE(x, 1, RELAXED); tell_time(); STORE(z, 1, RELAXED))
THREAD(loads_later, LOAD(z, RELAXED); seen[1][0] = ask_time();
       seen[1][1] = LOAD(x, RELAXED))
THREAD(adds_later, LOAD(z, RELAXED); seen[1][0] = ask_time();
       seen[1][1] = ADD(x, 1, RELAXED))
OUTCOME(later_missed, seen[1][0] && !seen[1][1])

/* ---- two writers, two readers ---- */

THREAD(stores_y, STORE(y, 1, RELAXED))
THREAD(reads_xy, seen[2][0] = LOAD(x, ACQUIRE); seen[2][1] = LOAD(y, ACQUIRE))
THREAD(reads_yx, seen[3][0] = LOAD(y, ACQUIRE); seen[3][1] = LOAD(x, ACQUIRE))
THREAD(reads_xy_fence, seen[2][0] = LOAD(x, RELAXED); FENCE(SEQ_CST);
       seen[2][1] = LOAD(y, RELAXED))
THREAD(reads_yx_fence, seen[3][0] = LOAD(y, RELAXED); FENCE(SEQ_CST);
       seen[3][1] = LOAD(x, RELAXED))
OUTCOME(readers_differ, seen[2][0] && !seen[2][1] && seen[3][0] && !seen[3][1])

/* ---- load buffering ---- */

THREAD(loads_y_stores_x, seen[0][0] = LOAD(y, RELAXED); STORE(x, 1, RELAXED))
THREAD(loads_x_stores_y, seen[1][0] = LOAD(x, RELAXED); STORE(y, 1, RELAXED))
OUTCOME(both_from_ahead, seen[0][0] && seen[1][0])

/* ---- races ---- */

THREAD(writes, data = 1)
THREAD(reads, seen[1][0] = data)
THREAD(reads_too, seen[2][0] = data)
THREAD(writes_atomic, STORE(data, 1, RELAXED))
THREAD(reads_atomic, seen[1][0] = LOAD(data, RELAXED))
THREAD(reads_atomic_too, seen[3][0] = LOAD(data, RELAXED))
THREAD(publishes, data = 1; STORE(y, 1, RELEASE))
THREAD(publishes_relaxed, data = 1; STORE(y, 1, RELAXED))
THREAD(publishes_fence, data = 1; FENCE(RELEASE); STORE(y, 1, RELAXED))
THREAD(publishes_early, STORE(y, 1, RELEASE); data = 1)
THREAD(uses, if (LOAD(y, ACQUIRE)) seen[1][0] = data)
THREAD(uses_relaxed, if (LOAD(y, RELAXED)) seen[1][0] = data)
THREAD(uses_fence, if (LOAD(y, RELAXED)) { FENCE(ACQUIRE); seen[1][0] = data; })
OUTCOME(published_is_lost, LOAD(y, RELAXED) && !data)

/* ---- the kernel, and memory ---- */

static void sleeps(void)
{
	if (!ufx_syscall(SYS_futex, (long)&z, UFX_FUTEX_WAIT | UFX_FUTEX_PRIVATE, 0, 0, 0, 0)) {
		seen[0][0] = 1;
		seen[0][1] = LOAD(x, RELAXED);
	}
}

static long wake_one(void)
{
	return ufx_syscall(SYS_futex, (long)&z, UFX_FUTEX_WAKE | UFX_FUTEX_PRIVATE, 1, 0, 0, 0);
}

THREAD(wakes, wake_one())
THREAD(stores_and_wakes, STORE(x, 1, RELAXED); while (!wake_one()) scenario_pause())
THREAD(stores_z_and_wakes, STORE(z, 1, RELAXED); wake_one())
OUTCOME(woken_without_store, seen[0][0] && !seen[0][1])

static uint32_t *block;

static void make_block(void)
{
	block = scene_memory(64);
}

THREAD(frees, scenario_free(block))
THREAD(frees_and_tells, scenario_free(block); STORE(y, 1, RELEASE))
THREAD(stores_in_block, if (LOAD(y, ACQUIRE)) STORE(*block, 1, RELAXED))
THREAD(goes_in_circles, while (!LOAD(x, RELAXED)))

/* ---- the list ---- */

#define THREADS(...) .threads = { __VA_ARGS__ }
#define OUT(outcome) .check = outcome

/* A name, what to expect, what it is about; the members of its scenario. */
#define CLAIM(n, when, text, ...)                                              \
	{ { .name = n, .what = text, .rules = "memory", __VA_ARGS__ },         \
	  LITMUS_##when, "not so" }
#define REPORT(n, when, message, text, ...)                                    \
	{ { .name = n, .what = text, .rules = "memory", __VA_ARGS__ },         \
	  LITMUS_##when, message }

const struct litmus litmus[] = {
	CLAIM("mp-relaxed", WEAK, "message passing, relaxed",
	      THREADS(sends_relaxed, gets_relaxed), OUT(flag_without_message)),
	CLAIM("mp-release-acquire", NEVER, "message passing, release and acquire",
	      THREADS(sends_release, gets_acquire), OUT(flag_without_message)),
	CLAIM("mp-fences", NEVER, "message passing, fences",
	      THREADS(sends_fence, gets_fence), OUT(flag_without_message)),
	CLAIM("mp-fence-acquire", NEVER, "a release fence and an acquire load",
	      THREADS(sends_fence, gets_acquire), OUT(flag_without_message)),
	CLAIM("mp-release-fence", NEVER, "a release store and an acquire fence",
	      THREADS(sends_release, gets_fence), OUT(flag_without_message)),
	CLAIM("mp-release-only", WEAK, "a release that nobody acquires",
	      THREADS(sends_release, gets_relaxed), OUT(flag_without_message)),
	CLAIM("mp-acquire-only", WEAK, "an acquire of what was not released",
	      THREADS(sends_relaxed, gets_acquire), OUT(flag_without_message)),
	CLAIM("mp-release-fence-only", WEAK, "a release fence that nobody acquires",
	      THREADS(sends_fence, gets_relaxed), OUT(flag_without_message)),
	CLAIM("mp-acquire-fence-only", WEAK, "an acquire fence without a release",
	      THREADS(sends_relaxed, gets_fence), OUT(flag_without_message)),
	CLAIM("release-sequence", NEVER, "a relaxed read-modify-write goes on with it",
	      THREADS(sends_release, gets_second, adds_relaxed),
	      OUT(second_without_message)),
	CLAIM("release-sequence-fence", NEVER, "the same after a release fence",
	      THREADS(sends_fence, gets_second, adds_relaxed),
	      OUT(second_without_message)),
	CLAIM("release-sequence-end", WEAK, "another's store ends a release sequence",
	      THREADS(sends_release, gets_second, overwrites),
	      OUT(second_without_message)),
	CLAIM("handed-on", NEVER, "what is handed on carries what was before it",
	      THREADS(stores_x_release, hands_on, gets_third), OUT(third_misses)),
	CLAIM("handed-on-relaxed", WEAK, "handed on relaxed, it does not",
	      THREADS(stores_x, hands_on_relaxed, gets_third_relaxed), OUT(third_misses)),
	CLAIM("sb-relaxed", WEAK, "store buffering, relaxed",
	      THREADS(buffers_x, buffers_y), OUT(both_missed)),
	CLAIM("sb-release-acquire", WEAK, "release and acquire do not prevent it",
	      THREADS(buffers_x_ordered, buffers_y_ordered), OUT(both_missed)),
	CLAIM("sb-seq-cst", WEAK, "C forbids it, this machine does not: no access is a fence",
	      THREADS(buffers_x_seq, buffers_y_seq), OUT(both_missed)),
	CLAIM("sb-rmw", WEAK, "nor is a read-modify-write of another word",
	      THREADS(buffers_x_rmw, buffers_y_rmw), OUT(both_missed)),
	CLAIM("sb-half-fences", WEAK, "nor do fences of acquire and release",
	      THREADS(buffers_x_half, buffers_y_half), OUT(both_missed)),
	CLAIM("sb-one-fence", WEAK, "nor does one full fence",
	      THREADS(buffers_x_fence, buffers_y), OUT(both_missed)),
	CLAIM("sb-fences", NEVER, "two full fences do",
	      THREADS(buffers_x_fence, buffers_y_fence), OUT(both_missed)),
	CLAIM("sb-membarrier", NEVER, "a membarrier does, for both",
	      THREADS(buffers_x, buffers_y_barrier), OUT(both_missed)),
	CLAIM("sb-membarrier-rseq", NEVER, "so does that of sequences",
	      THREADS(buffers_x, buffers_y_rseq), OUT(both_missed)),
	CLAIM("coherence", NEVER, "loads of one word do not go back",
	      THREADS(counts_x, looks_twice), OUT(went_back)),
	CLAIM("progress", ALWAYS, "they may go on by one",
	      THREADS(counts_x, looks_twice), OUT(jumped)),
	CLAIM("own-store", NEVER, "a thread sees its own stores",
	      THREADS(looks_at_own, stores_x_2), OUT(own_missed)),
	CLAIM("add", NEVER, "no relaxed addition is lost",
	      THREADS(adds_x, adds_x), OUT(add_lost)),
	CLAIM("one-order", NEVER, "all see the stores to one word in one order",
	      THREADS(stores_x, stores_x_2, watches_2, watches_3), OUT(two_orders)),
	CLAIM("stale", WEAK, "a load may miss a store of before",
	      THREADS(stores_in_time, loads_later), OUT(later_missed)),
	CLAIM("stale-rmw", NEVER, "a read-modify-write may not",
	      THREADS(stores_in_time, adds_later), OUT(later_missed)),
	CLAIM("iriw-acquire", WEAK, "two readers see two stores in different order",
	      THREADS(stores_x_release, stores_y_release, reads_xy, reads_yx),
	      OUT(readers_differ)),
	CLAIM("iriw-fences", NEVER, "not with full fences between their loads",
	      THREADS(stores_x, stores_y, reads_xy_fence, reads_yx_fence),
	      OUT(readers_differ)),
	CLAIM("load-buffering", NEVER, "which C allows and this machine does not show",
	      THREADS(loads_y_stores_x, loads_x_stores_y), OUT(both_from_ahead)),
	REPORT("race", ALWAYS, "data race", "a plain load with a plain store",
	       THREADS(writes, reads)),
	REPORT("race-stores", ALWAYS, "data race", "two plain stores",
	       THREADS(writes, writes)),
	REPORT("race-atomic-load", ALWAYS, "data race", "an atomic load, a plain store",
	       THREADS(writes, reads_atomic)),
	REPORT("race-atomic-store", ALWAYS, "data race", "an atomic store, a plain load",
	       THREADS(writes_atomic, reads)),
	REPORT("no-race-atomic", NEVER, "", "atomic accesses do not race",
	       THREADS(writes_atomic, reads_atomic)),
	REPORT("no-race-reads", NEVER, "", "nor do plain loads",
	       THREADS(reads, reads_too, reads_atomic_too)),
	REPORT("race-published-relaxed", ALWAYS, "data race", "published relaxed",
	       THREADS(publishes_relaxed, uses)),
	REPORT("race-used-relaxed", ALWAYS, "data race", "published, used relaxed",
	       THREADS(publishes, uses_relaxed)),
	REPORT("race-published-early", ALWAYS, "data race", "stored after the release",
	       THREADS(publishes_early, uses)),
	CLAIM("published", NEVER, "a published plain store is no race, and is seen",
	      THREADS(publishes, uses), OUT(published_is_lost)),
	CLAIM("published-fences", NEVER, "nor is one published by fences",
	      THREADS(publishes_fence, uses_fence), OUT(published_is_lost)),
	CLAIM("woken", WEAK, "who is woken learns nothing of the waker's memory",
	      THREADS(sleeps, stores_and_wakes),
	      OUT(woken_without_store)),
	REPORT("asleep", ALWAYS, "asleep for ever", "a wake-up that nobody sends",
	       THREADS(sleeps, wakes)),
	REPORT("not-asleep", NEVER, "", "one after a store to the word is not lost",
	       THREADS(sleeps, stores_z_and_wakes)),
	REPORT("freed", ALWAYS, "after it was given back", "memory used after that",
	       .setup = make_block, THREADS(frees_and_tells, stores_in_block)),
	REPORT("freed-twice", ALWAYS, "given back twice", "memory freed by two",
	       .setup = make_block, THREADS(frees, frees)),
	REPORT("circles", ALWAYS, "it goes in circles", "a loop that never ends",
	       THREADS(goes_in_circles)),
	{ .scenario.name = NULL },
};
