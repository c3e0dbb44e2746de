/* SPDX-License-Identifier: MIT */
/*
 * What the library keeps for each thread: a few marks in TLS, and a record in
 * memory that is never unmapped, so that a late waker may touch it.
 *
 * Fork wipes the records. The thread that goes on in the child finds its own
 * unclaimed and takes a new one.
 */
#ifndef UFX_HOST_THREAD_H
#define UFX_HOST_THREAD_H

#include <ufutex/base.h>

#include "host/atomic.h"
#include "host/fault.h"

#if UFX_MODEL /* exchanged when fibers are */
#define UFX_TLS __attribute__((section("fiber_tls")))
#else
#define UFX_TLS __thread __attribute__((tls_model("initial-exec")))
#endif

struct ufx_thread;

/*
 * The marks of a thread.
 *
 * ufx_thread_inside, R11: how deep it is in critical sections of the engine. A
 * signal handler that finds it not zero may not wait for any lock of the engine:
 * its own thread may hold it.
 *
 * ufx_thread_unregistered: not zero in a child of vfork: it reads its parent's CPU
 * number, but the kernel neither restarts its sequences nor keeps that number up
 * to date.
 *
 * ufx_thread_bound: not zero: between its critical sections it has something to
 * finish that others wait for, as posted wakes or deferred calls. A handler does
 * all there as ever, but may not leave (ufx_futex_interrupt).
 *
 * ufx_thread_posted: not zero: at the end of its critical section it has to carry
 * out wakes that handlers left, or to let handlers in that were put off.
 *
 * ufx_thread_deferred: signals (bit 0: number 1) whose handlers may only run once
 * it is neither inside nor bound. They are blocked, and pending in the kernel.
 *
 * ufx_thread_hurried: not zero: a wait of it that is not queued yet ends with
 * -EINTR. Set by a handler after which the program must not go to sleep once more.
 *
 * ufx_thread_driving: not zero: it runs deferred calls (grace/call.c).
 */
#if UFX_PORTABLE /* they are where the host says */
#include <ufutex/host.h>

#define ufx_thread_inside (ufx_host_marks()->inside)
#define ufx_thread_unregistered (ufx_host_marks()->unregistered)
#define ufx_thread_bound (ufx_host_marks()->bound)
#define ufx_thread_posted (ufx_host_marks()->posted)
#define ufx_thread_deferred (ufx_host_marks()->deferred)
#define ufx_thread_hurried (ufx_host_marks()->hurried)
#define ufx_thread_driving (ufx_host_marks()->driving)
#define ufx_thread_record (ufx_host_marks()->record)
#else
extern UFX_TLS uint32_t ufx_thread_inside, ufx_thread_unregistered, ufx_thread_bound,
	ufx_thread_posted, ufx_thread_hurried, ufx_thread_driving;
extern UFX_TLS uint64_t ufx_thread_deferred;
extern UFX_TLS struct ufx_thread *ufx_thread_record;
#endif

static inline bool ufx_thread_is_unregistered(void)
{
	return ufx_load(&ufx_thread_unregistered) && !UFX_FAULT(DEAF_SECTIONS);
}

static inline void ufx_bind(void)
{
	if (UFX_FAULT(INTERRUPT_BOUND))
		return;
	ufx_store(&ufx_thread_bound, ufx_load(&ufx_thread_bound) + 1);
	ufx_compiler_barrier();
}

/* What is posted, carried out; defined by the layer that knows how. */
extern void (*const ufx_thread_run_posted)(void);

/* Unblocks the deferred signals; to be called when neither inside nor bound. */
void ufx_signals_let_in(void);

/* As ufx_leave_inside: clears, then looks. */
static inline void ufx_unbind(void)
{
	if (UFX_FAULT(INTERRUPT_BOUND))
		return;
	ufx_compiler_barrier();
	ufx_store(&ufx_thread_bound, ufx_load(&ufx_thread_bound) - 1);
	ufx_compiler_barrier();
	if (ufx_likely(!ufx_load(&ufx_thread_deferred)) || ufx_load(&ufx_thread_bound))
		return;
	if (ufx_thread_inside)
		ufx_store(&ufx_thread_posted, 1); /* for ufx_leave_inside */
	else
		ufx_signals_let_in();
}

/* A wake that a handler left for the thread that it interrupted. */
struct ufx_posted {
	void *domain;
	uint64_t key;
	uint32_t count;
	uint32_t mask;
};

#define UFX_POSTED_MAX 31

struct ufx_posted_page {
	struct ufx_posted_page *next; /* where this one was full */
	uint32_t used;
	struct ufx_posted wakes[UFX_POSTED_MAX];
};

#define UFX_LINE 64
#define UFX_THREAD_LINES (UFX_PORTABLE ? 320 : 1000)

struct ufx_blocked;

struct ufx_thread {
	uint32_t claimed; /* owner's tid; 0: free, or wiped by fork */
	uint32_t park;    /* 1: asleep, or about to be, in the kernel */
	uint32_t lobby;   /* where it gathers threads that it wakes together */
	uint64_t reader;  /* modes membarrier, fence: depth, periods entered */
	uint32_t cell;    /* 1 + index of the cells that it counts on; 0: none yet */
	uint32_t lines_used;
	struct ufx_blocked *blocked; /* the wait that it is in (futex/block.c) */
	uint32_t waits;        /* so far */
	uint32_t priority;     /* 0, or real-time priority 1 to 99, 100: deadline */
	/* futex/spin.c */
	uint32_t cpus; /* that it may use while it waits; 0: is to sleep at once */
	uint32_t spin_credit; /* nanoseconds */
	uint32_t yield_credit;
	uint32_t spins, spins_helped; /* so far */
	uint64_t looked; /* when, at its class and CPUs */
	struct ufx_thread *next;
	/*
	 * Its pool, not wiped: queues of the parent hang together there. The first
	 * line stands apart, beside those of other threads: most waiters are one,
	 * and who walks a queue touches fewer pages.
	 */
	char *first, *lines;
	struct ufx_posted_page posted; /* wakes that handlers left */
} __attribute__((aligned(UFX_LINE)));

/*
 * The calling thread's record; NULL if there is no memory for one. Safe in
 * signal handlers.
 */
struct ufx_thread *ufx_thread_self_slow(void);

static inline struct ufx_thread *ufx_thread_self(void)
{
	struct ufx_thread *t = ufx_thread_record;

	if (ufx_likely(t && ufx_load(&t->claimed)))
		return t;
	return ufx_thread_self_slow();
}

/*
 * @n consecutive lines of the thread's pool, or NULL. Given back in reverse
 * order of taking, as a handler's frames nest in those that it interrupted.
 */
void *ufx_thread_lines(struct ufx_thread *t, unsigned int n);
void ufx_thread_lines_free(struct ufx_thread *t, unsigned int n);

/* All records that were ever claimed: for (t = first; t; t = t->next). */
struct ufx_thread *ufx_thread_first(void);

/* Prepares what the others need. Returns 0 or -ENOMEM. */
int ufx_thread_start(void);

/* How many threads has the process? */
unsigned int ufx_threads_count(void);

/* Has this process ever had a second thread? */
bool ufx_threads_ever_several(void);

static inline void ufx_enter_inside(void)
{
	ufx_store(&ufx_thread_inside, ufx_load(&ufx_thread_inside) + 1);
	ufx_compiler_barrier(); /* the mark before the lock, for handlers */
}

/*
 * Clears the mark, then looks. A handler between the two finds no mark and
 * wakes by itself; one before finds it, and we see what it posted. Looking
 * first would lose a wake posted between the look and the clearing.
 */
static inline void ufx_leave_inside(void)
{
	uint32_t inside = ufx_load(&ufx_thread_inside) - 1;
	uint32_t early = UFX_FAULT(LOOK_BEFORE_CLEAR) ?
				 ufx_load(&ufx_thread_posted) : 1;

	if (UFX_FAULT(LOOK_BEFORE_CLEAR))
		ufx_delay();
	ufx_compiler_barrier();
	ufx_store(&ufx_thread_inside, inside);
	ufx_compiler_barrier();
	if (ufx_unlikely(ufx_load(&ufx_thread_posted)) && !inside && early)
		ufx_thread_run_posted();
}

#endif
