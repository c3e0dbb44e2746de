/* SPDX-License-Identifier: MIT */
/*
 * Faults that a test build can put in, one for each rule, to see that the
 * rule's test notices. In the library that is shipped UFX_FAULT(x) is 0.
 */
#ifndef UFX_HOST_FAULT_H
#define UFX_HOST_FAULT_H

#include <stdint.h>

enum ufx_fault {
	UFX_FAULT_NONE,
	UFX_FAULT_COOKIE_EARLY,    /* R1: the cookie is taken before publishing */
	UFX_FAULT_PLAIN_BARRIER,   /* R2: membarrier that does not abort sections */
	UFX_FAULT_NO_BARRIER,      /* R2, R8: no grace period at all */
	UFX_FAULT_GET_FROM_ZERO,   /* R3: an atomic get takes zero to one */
	UFX_FAULT_NO_BIAS,         /* R4: the counter starts at zero */
	UFX_FAULT_ONE_CPU,         /* R5: only this CPU's cell is summed */
	UFX_FAULT_NO_REARM,        /* R6: counters not reset for the next object */
	UFX_FAULT_NO_KEEPER,       /* R7: a callback does not hold its slot */
	UFX_FAULT_FREE_EARLY,      /* R8: an old table is freed while pinned */
	UFX_FAULT_WAIT_FOR_PINS,   /* R9: a move waits until nobody pins */
	UFX_FAULT_PUT_FREES,       /* R10: the last put frees by itself */
	UFX_FAULT_NO_POSTING,      /* R11: a handler's wake takes locks */
	UFX_FAULT_LOOK_BEFORE_CLEAR, /* R11: posted wakes looked at too early */
	UFX_FAULT_NO_WAKE_FENCE,   /* empty wake without its fence */
	UFX_FAULT_COUNT_BEFORE_MARK, /* a moved bucket's count falls before the mark */
	UFX_FAULT_NO_SETTLE,       /* the new table is used before its bucket moved */
	UFX_FAULT_UNPROTECTED_GET, /* R3: outside sections and read sides */
	UFX_FAULT_FOLD_TWICE,      /* R4: the cells are added twice */
	UFX_FAULT_NO_DRAIN,        /* a grace period does not wait for banks */
	UFX_FAULT_NO_READERS_WAIT, /* nor for marked threads */
	UFX_FAULT_COUNT_AFTER_LOAD, /* a waiter looks, then counts itself up */
	UFX_FAULT_WAIT_INSIDE,     /* R11: a handler's wait takes locks */
	UFX_FAULT_REQUEUE_INSIDE,  /* R11: a handler's requeue does */
	UFX_FAULT_WAKE_CHASES,     /* a wake goes on to waiters that come later */
	UFX_FAULT_COUNT
};

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
