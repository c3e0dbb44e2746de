/* SPDX-License-Identifier: MIT */
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
 */
#ifndef TESTS_SECTION_SWEEP_H
#define TESTS_SECTION_SWEEP_H

#include "trap.h"

#include <ufutex/futex.h>
#include <ufutex/ref.h>

#include "blocked.h"

/* Bits of @handlers, in the order of sweep_handlers. */
enum { SWEEP_WAKES = 1, SWEEP_COUNTS = 2, SWEEP_FORKS = 4, SWEEP_ALL = 7 };

/* What a program of its own does; main returns sweep(). */
struct sweep_plan {
	unsigned int every;    /* one instruction of so many; which, SEED says */
	unsigned int handlers; /* SWEEP_WAKES and so on */
	const char *way;       /* of replacing tables, or NULL */
};

/*
 * SWEEP_EVERY in the environment takes the place of @every: SWEEP_EVERY=1 meets
 * every instruction (in minutes).
 */
int sweep(const struct sweep_plan *plan);

#define PRIVATE(op) ((op) | UFX_FUTEX_PRIVATE)

/* ---- sleepers (sweep_sleepers.c) ---- */

#define SOON_MS 20000 /* a thread that was woken has run by then */

struct sleeper {
	uint32_t word; /* stays 0: a lost wake is lost for ever */
	uint32_t rings;
	uint32_t seen_asleep; /* 1 + rings when it was last seen asleep */
	int stop;
	struct blocked thread;
};

extern struct sleeper bell, first, second;
extern const struct timespec sweep_long_time;

long sleep_on_own(void *sleeper);

/* For one that waits on another's word: both take each other's wakes. */
long sleep_on_first(void *sleeper);

uint32_t rings(const struct sleeper *s);

/* Waits until it is; unless woken since it was last seen so, it still is. */
void asleep(struct sleeper *s);

/* False if it does not come to @value soon. */
bool comes_to(const struct sleeper *s, uint32_t value);

long sweep_wake(uint32_t *word, uint32_t n);

/* ---- operations (sweep_operations.c) ---- */

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

#define SWEEP_OPERATIONS 10
extern const struct operation sweep_operations[SWEEP_OPERATIONS];
extern uint32_t sweep_other_word, sweep_due;

long wake_first(void);
long times_out(void);
long sweep_set_slots(unsigned long n);

/* ---- handlers (sweep_handlers.c) ---- */

struct handler {
	const char *name;
	void (*action)(void);
	bool rings, forks;
};

#define SWEEP_HANDLERS 3
extern const struct handler sweep_handlers[SWEEP_HANDLERS];

void ring_first(void);

/* The word is set and woken: the wait may not sleep on. */
void set_and_wake(void);

/* What the handler has done. */
struct sweep_outcome {
	long rung; /* what its wake returned; -1: it was given a wrong object */
	pid_t child;
	bool in_child; /* that is where we are */
};

extern struct sweep_outcome sweep_seen;
extern struct ufx_ref sweep_ref;
extern struct ufx_object sweep_object;
extern struct ufx_slot sweep_slot;

/* In the child, after the operation that the handler came over. */
void sweep_end_child(void);

/* ---- runs (sweep_run.c, sweep_own.c) ---- */

struct tally {
	unsigned int acted, wrong;
};

void sweep_wrong(struct tally *t, const struct operation *o,
		 const struct handler *h, const char *what);

/* One operation, one handler: at the instructions of both ways. */
void sweep_one(const struct operation *o, const struct handler *h,
	       unsigned int every);

/* Handlers that are after the operation's own waiter or word. */
void sweep_same_word(unsigned int every);
void sweep_wake_of_own_wait(unsigned int every);

extern struct trap_trace sweep_trace; /* of the operation in hand */
extern const char *sweep_way;         /* of getting there, for messages */

/* Where to begin, of each @every instructions. SEED says. */
unsigned int sweep_first(unsigned int every);

/* The next instruction from @i on that a breakpoint can be set at. */
unsigned int sweep_patchable(unsigned int i);

#endif
