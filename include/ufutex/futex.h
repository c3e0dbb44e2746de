/* SPDX-License-Identifier: MIT */
/*
 * futex(2), futex_waitv(2) and the futex2 calls, answered inside the process.
 *
 * Each function has the shape of the system call of that name and returns
 * what the call returns, but as a plain value: 0 or a count, or -errno. errno
 * itself is not touched. Validation order and every error are the kernel's.
 *
 * What is served: operations with UFX_FUTEX_PRIVATE on 32-bit words: WAIT,
 * WAKE, WAIT_BITSET, WAKE_BITSET, REQUEUE, CMP_REQUEUE, WAKE_OP; futex_waitv
 * whose words are all private; futex_wake, futex_wait, futex_requeue. What the
 * engine does not serve (words shared with other processes, priority
 * inheritance, NUMA and MPOL flags) goes to the kernel untouched. That split
 * is exact: the kernel keeps private and shared waiters under different keys,
 * so neither ever wakes the other.
 *
 * A word must be waited on and woken through the same side. A private word
 * that one thread waits on here and another wakes by a bare system call is
 * not woken.
 *
 * Words are touched under guard: one that is not mapped gives -EFAULT. The
 * guard is a handler for SIGSEGV and SIGBUS, installed at the first call. Its
 * limits: it does not work in a thread that blocks these signals, nor after
 * the program has put handlers of its own in its place; faults of others are
 * passed on to the handler that was there before.
 *
 * Signals: a thread that waits here returns -EINTR, or goes on waiting, by the
 * same rules as in the kernel (SA_RESTART included), because it sleeps in a
 * kernel call with those very rules. Where the kernel lacks futex_waitv (before
 * Linux 5.16, or filtered) every handler ends a wait with -EINTR. A handler
 * that changes a word without waking, in the last few instructions before its
 * thread sleeps, is not noticed by a wait of futex(2) with a timeout. Another
 * known difference: while a handler runs, its thread's waiter keeps its place in
 * the queue and can take a wake-up; in the kernel it has left the queue by then
 * and queues again at the tail. A handler that calls ufx_futex_interrupt first
 * has it as in the kernel.
 *
 * A handler that leaves by longjmp, or waits for other threads in whatever way
 * (fork waits for libc's locks, _Fork for nothing), must call
 * ufx_futex_interrupt first, and must do neither if that returns false: others
 * wait for its thread then.
 *
 * From a signal handler: every operation may be called. If the handler
 * interrupted the engine itself in a critical section, a wake (WAKE_OP
 * included) is carried out by the interrupted thread as soon as it leaves that
 * section, and the call returns 0; a wait returns -EINTR, a requeue -EAGAIN.
 * A handler must not change the number of slots (-EAGAIN over such a section).
 * A handler that forks over such a section must do so by _Fork and return in
 * the child.
 *
 * Memory order: a wait that returns 0, and one that returns -EAGAIN, acquire
 * what was released before the wake, or by the store that changed the word.
 * Neither is a full fence. A wake is a full fence between the caller's earlier
 * stores and its look at the queue.
 *
 * Order of wake-up: first in, first out for one word; real-time threads
 * (SCHED_FIFO, SCHED_RR) first, by priority. The scheduling class is read at
 * the thread's first wait, and at a later one if that was 64 waits or 100 ms ago.
 * A thread may spin and yield for a moment before it queues (UFUTEX_SPIN,
 * ufutex/caps.h): it comes after those that queue meanwhile.
 *
 * Memory: nothing is allocated by an operation, except the first table at the
 * first use and a record of a thread at its first wait (64 KiB of address
 * space, 5 KiB of it touched).
 */
#ifndef UFUTEX_FUTEX_H
#define UFUTEX_FUTEX_H

#include <stdbool.h>

#include <ufutex/base.h>

UFX_BEGIN

#define UFX_FUTEX_WAIT 0
#define UFX_FUTEX_WAKE 1
#define UFX_FUTEX_REQUEUE 3
#define UFX_FUTEX_CMP_REQUEUE 4
#define UFX_FUTEX_WAKE_OP 5
#define UFX_FUTEX_WAIT_BITSET 9
#define UFX_FUTEX_WAKE_BITSET 10
#define UFX_FUTEX_PRIVATE 128        /* v1: flag beside the operation */
#define UFX_FUTEX_CLOCK_REALTIME 256 /* v1: timeouts are on that clock */

/* Flags of futex_waitv and the futex2 calls. */
#define UFX_FUTEX2_U32 0x02
#define UFX_FUTEX2_NUMA 0x04
#define UFX_FUTEX2_MPOL 0x08
#define UFX_FUTEX2_PRIVATE 128
#define UFX_FUTEX_WAITV_MAX 128

/* One word of futex_waitv and futex_requeue; laid out as the kernel's. */
struct ufx_waitv_entry {
	uint64_t val;   /* expected value, at most 32 bits */
	uint64_t uaddr; /* address of the word */
	uint32_t flags; /* UFX_FUTEX2_* */
	uint32_t reserved; /* 0 */
};

/*
 * futex(2). @timeout is a count (val2) for REQUEUE, CMP_REQUEUE and WAKE_OP,
 * as in the system call. A WAIT's timeout is relative, a WAIT_BITSET's
 * absolute; seconds and nanoseconds.
 */
UFX_API long ufx_futex(uint32_t *uaddr, int op, uint32_t val,
		       const struct timespec *timeout, uint32_t *uaddr2,
		       uint32_t val3);

/*
 * futex_waitv(2): waits on up to 128 words at once. @timeout is absolute on
 * @clock (CLOCK_MONOTONIC or CLOCK_REALTIME), or NULL. Returns the index of a
 * word that was woken. Either all words are private or none is; a mixture, which
 * the kernel takes, is -EINVAL. Takes 24 bytes of stack a word.
 */
UFX_API long ufx_futex_waitv(struct ufx_waitv_entry *waiters, unsigned int nr,
			     unsigned int flags, struct timespec *timeout,
			     clockid_t clock);

/* futex_wake(2). @mask has at least one of 32 bits; @nr 0 wakes nobody. */
UFX_API long ufx_futex_wake(void *uaddr, unsigned long mask, int nr,
			    unsigned int flags);

/* futex_wait(2). @timeout is absolute on @clock, or NULL. */
UFX_API long ufx_futex_wait(void *uaddr, unsigned long val, unsigned long mask,
			    unsigned int flags, struct timespec *timeout,
			    clockid_t clock);

/*
 * futex_requeue(2): @waiters[0] is the word to wake and requeue from, with
 * its expected value, @waiters[1] the one to requeue to.
 */
UFX_API long ufx_futex_requeue(struct ufx_waitv_entry *waiters,
			       unsigned int flags, int nr_wake, int nr_requeue);

/*
 * For a signal handler that may stop its thread for long, or never return
 * (longjmp, an exception), before all else. Ends the waits that the thread is
 * in: it leaves their queues, as in the kernel before a handler runs, and takes
 * no wake-up any more. If the handler returns, such a wait returns 0 if it had
 * been woken before; else -EINTR, or, if @restart (pass whether the handler has
 * SA_RESTART) and the kind of wait allow it, it compares its word again and
 * queues at the tail. Returns true; the thread then holds no lock of the engine.
 * False, and nothing is done: the handler came over a critical section, or over
 * what others wait for (posted wakes, deferred calls). It has to return and come
 * later (send the signal again). All handlers of a thread that may leave must
 * call this. Safe in handlers only; may sleep briefly, until a waker that is at
 * it is done.
 */
UFX_API bool ufx_futex_interrupt(bool restart);

#define UFX_PR_FUTEX_HASH 78
#define UFX_PR_FUTEX_HASH_SET_SLOTS 1
#define UFX_PR_FUTEX_HASH_GET_SLOTS 2

/*
 * prctl(PR_FUTEX_HASH, @op, @arg3, @arg4, @arg5) on the process's default
 * domain. SET_SLOTS: @arg3 slots (0, or a power of two from 2 to 2^24), @arg4
 * 0. 0 slots ask for a table of the kernel's global size that is never
 * replaced again. GET_SLOTS: the number in force; 0 means that nobody asked
 * for a table and there has only been one thread, or that 0 was set.
 */
UFX_API long ufx_prctl_futex_hash(unsigned long op, unsigned long arg3,
				  unsigned long arg4, unsigned long arg5);

UFX_END

#endif
