/* SPDX-License-Identifier: MIT */
/*
 * Faults that a test build can put in, one at the least for each rule, fence
 * and second look, to see that the tests notice. In the library that is
 * shipped UFX_FAULT(x) is 0.
 */
#ifndef UFX_HOST_FAULT_H
#define UFX_HOST_FAULT_H

#include <stdint.h>

/* X(name, the rules that it breaks, what is wrong) */
#define UFX_FAULT_LIST(X)                                                      \
	X(COOKIE_EARLY, "R1", "the cookie is taken before publishing")         \
	X(PLAIN_BARRIER, "R2", "membarrier that does not abort sections")      \
	X(NO_BARRIER, "R2 R8", "no grace period at all")                       \
	X(GET_FROM_ZERO, "R3", "an atomic get takes zero to one")              \
	X(NO_BIAS, "R4", "the counter starts at zero")                         \
	X(ONE_CPU, "R5", "only this CPU's cell is summed")                     \
	X(NO_REARM, "R6", "counters not reset for the next object")            \
	X(NO_KEEPER, "R7", "a callback does not hold its slot")                \
	X(FREE_EARLY, "R8", "an old table is freed while pinned")              \
	X(WAIT_FOR_PINS, "R9", "a move waits until nobody pins")               \
	X(PUT_FREES, "R10", "the last put frees by itself")                    \
	X(NO_POSTING, "R11", "a handler's wake takes locks")                   \
	X(LOOK_BEFORE_CLEAR, "R11", "posted wakes looked at too early")        \
	X(NO_WAKE_FENCE, "empty-wake", "empty wake without its fence")         \
	X(COUNT_BEFORE_MARK, "empty-wake",                                     \
	  "a moved bucket's count falls before the mark")                      \
	X(NO_SETTLE, "R9", "the new table is used before its bucket moved")    \
	X(UNPROTECTED_GET, "R3", "outside sections and read sides")            \
	X(FOLD_TWICE, "R4", "the cells are added twice")                       \
	X(NO_DRAIN, "banks", "a grace period does not wait for banks")         \
	X(NO_READERS_WAIT, "readers", "nor for marked threads")                \
	X(COUNT_AFTER_LOAD, "empty-wake",                                      \
	  "a waiter looks, then counts itself up")                             \
	X(WAIT_INSIDE, "R11", "a handler's wait takes locks")                  \
	X(REQUEUE_INSIDE, "R11", "a handler's requeue does")                   \
	X(WAKE_CHASES, "wake-bound",                                           \
	  "a wake goes on to waiters that come later")                         \
	X(PEEK_IGNORES_MARK, "empty-wake",                                     \
	  "the count is tested without the mark")                              \
	X(MARK_LAST, "empty-wake",                                             \
	  "a bucket is marked after its waiters have left")                    \
	X(COUNTED_LATE, "empty-wake",                                          \
	  "a requeue's source is let go before its target counts")             \
	X(PREV_EARLY, "R9",                                                    \
	  "\"nothing in front\" is said before all has been moved")            \
	X(PUBLISH_LAST, "R9",                                                  \
	  "buckets are moved before the new table is published")               \
	X(SETTLE_ONE, "R9", "of two keys only the first is settled")           \
	X(DEAF_SECTIONS, "banks", "an unregistered thread runs sequences")     \
	X(NO_STRAGGLERS, "banks", "only the active bank is waited for")        \
	X(COOKIE_RUNNING, "R1", "a cookie names the period under way")         \
	X(SAID_LATE, "R4", "\"folded\" is said after the fold")                \
	X(GONE_UNSEEN, "R7",                                                   \
	  "a late call works for a container that has gone")                   \
	X(RETIRE_BLINDLY, "calls",                                             \
	  "a driver retires without looking once more")                        \
	X(BARRIER_IDLY, "calls", "a barrier does not wait for the driver")     \
	X(NO_DEQUEUE, "waiter-life",                                           \
	  "a waker leaves who it wakes in the queue")                          \
	X(TOUCH_WOKEN, "waiter-life",                                          \
	  "a waker reads a waiter that it has let go")                         \
	X(FORGET_WAKE, "waiter-life", "a timeout that meets a wake loses it")  \
	X(LEAVE_UNCHECKED, "waiter-life",                                      \
	  "who leaves does not look at its key again")                         \
	X(SLEEP_BLINDLY, "waiter-life",                                        \
	  "no look between \"asleep\" and the sleep")                          \
	X(RING_REQUEUED, "waiter-life",                                        \
	  "a ring for who sleeps on the word before a requeue")                \
	X(WAITV_FORGETS, "waiter-life",                                        \
	  "a mismatch hides an earlier word's wake")                           \
	X(NO_LOCK_WAKE, "bucket-lock",                                         \
	  "an unlock ignores who sleeps on the lock")                          \
	X(MARK_LOCK_ONCE, "bucket-lock",                                       \
	  "a woken locker does not tell of the others")                        \
	X(MOVED_ALONE, "bucket-lock",                                          \
	  "a woken locker leaves the others to a moved bucket")                \
	X(UNSORTED_LOCKS, "bucket-lock",                                       \
	  "two buckets are locked as they are named")                          \
	X(RELEASE_OUTSIDE, "R11", "waiters are let go without the mark")       \
	X(MERGE_PLAINLY, "R11", "two handlers' posts of one word lose one")    \
	X(INTERRUPT_QUEUED, "R12", "a handler that leaves leaves its waiter")  \
	X(INTERRUPT_INSIDE, "R12", "a handler leaves a critical section")      \
	X(INTERRUPT_ASLEEP, "R12",                                             \
	  "an interrupted wait is left to the kernel's restart")               \
	X(INTERRUPT_UNSEEN, "R12", "a wait does not see that it has ended")    \
	X(INTERRUPT_BOUND, "R12", "a handler leaves what others wait for")     \
	X(FORK_UNSEEN, "fork", "a wait does not notice that it is in a child") \
	X(HOST_LOCK_IDLE, "locks", "the library's own locks wake nobody")

#define UFX_FAULT_NAME(name, rules, text) UFX_FAULT_##name,
enum ufx_fault { UFX_FAULT_NONE, UFX_FAULT_LIST(UFX_FAULT_NAME) UFX_FAULT_COUNT };

#ifdef UFX_FAULTS
extern enum ufx_fault ufx_fault_chosen;
#define UFX_FAULT(x) __builtin_expect(ufx_fault_chosen == UFX_FAULT_##x, 0)
#else
#define UFX_FAULT(x) 0
#endif

/* Spins for ufx_test_delay rounds, to widen a window in a test build. */
#ifdef UFX_TEST_DELAYS
extern uint64_t ufx_test_delay;
extern uint64_t ufx_section_delay; /* rounds within a restartable sequence */
static inline void ufx_delay(void)
{
	for (volatile uint64_t i = 0; i < ufx_test_delay; i++)
		;
}
#else
static inline void ufx_delay(void)
{
}
#endif

#endif
