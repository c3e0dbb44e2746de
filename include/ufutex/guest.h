/* SPDX-License-Identifier: MIT */
/*
 * futex(2) for a guest: a program that an emulator, a library OS or a sandbox runs,
 * with a memory of its own. Guest addresses are not host addresses; its words are
 * read and changed by callbacks, which may say -EFAULT. The library needs no
 * signal handlers for that.
 *
 * Operations, checks, their order, and errors are those of Linux, quirks included
 * (a wake of none wakes one). Served are WAIT, WAKE, REQUEUE, CMP_REQUEUE,
 * WAKE_OP, WAIT_BITSET, WAKE_BITSET and futex_waitv; priority inheritance and the
 * rest are -ENOSYS. Words are 32 bits wide, pointers 64.
 *
 *	struct ufx_guest guest = { .ops = &ops, .space = memory,
 *				   .size = memory_size, .domain = domain };
 *	struct ufx_guest_thread self = { .guest = &guest };
 *
 *	case SYS_futex:
 *		return ufx_guest_futex(&self, a[0], a[1], a[2], a[3], a[4], a[5]);
 *
 * One domain a guest: its private words are keyed by their addresses there, so
 * guests with the same addresses do not meet. When a guest is killed:
 * ufx_domain_cancel, and each of its waits returns -ECANCELED.
 *
 * Memory: nothing is allocated, but what wait.h says. A wait on many words takes
 * 120 bytes of stack a word.
 *
 * Signal handlers (of the host): as wait.h and wake.h. -EINTR and -EAGAIN from
 * handlers look like those of Linux: make no guest calls from handlers.
 */
#ifndef UFUTEX_GUEST_H
#define UFUTEX_GUEST_H

#include <ufutex/base.h>
#include <ufutex/wait.h>

UFX_BEGIN

/*
 * How the guest's memory is reached. Addresses are below the guest's size, numbers
 * in the host's byte order. All return 0 or -EFAULT, unless told otherwise.
 */
struct ufx_guest_ops {
	/*
	 * *@value = the word at @at, aligned to 4: atomic, an acquire. @locked: a
	 * bucket's lock is held, so it must not block nor call this library; if it
	 * would have to, to bring in a page, -EBUSY: it is called once more
	 * without the lock and shall bring it in.
	 */
	int (*load)(void *space, uint64_t at, uint32_t *value, bool locked);
	/*
	 * Compares and swaps, a full fence: 1: it is @desired now; 0: *@expected
	 * is what it was instead. Or an error, also if it is read-only. @locked as
	 * above.
	 */
	int (*cas)(void *space, uint64_t at, uint32_t *expected, uint32_t desired,
		   bool locked);
	/* *@value = the number of @size bytes (4 or 8) at @at; aligned or not. */
	int (*read)(void *space, uint64_t at, uint32_t size, uint64_t *value);
	/*
	 * The key of a shared word (no FUTEX_PRIVATE_FLAG): 1 and *@key, one for all
	 * guests that map this memory, as the host's address of it; or 0: the memory
	 * is this guest's alone. @write: it is to be writable, or -EFAULT.
	 * NULL: all is its own; what can be loaded is mapped.
	 */
	int (*shared_key)(void *space, uint64_t at, bool write, uint64_t *key);
	/* Reads a timeout. NULL: two numbers of 8 bytes, seconds and nanoseconds. */
	int (*timeout)(void *space, uint64_t at, struct timespec *timeout);
	/*
	 * The deadline that a checked @timeout on the guest's @clock means, on a
	 * clock of the host. NULL: the clocks are the same.
	 */
	void (*deadline)(void *space, const struct timespec *timeout, clockid_t clock,
			 bool relative, struct ufx_deadline *deadline);
};

/* Zero what is not used. It does not change while calls are made. */
struct ufx_guest {
	const struct ufx_guest_ops *ops;
	void *space;   /* for the callbacks */
	uint64_t size; /* addresses are below; 0: all 64 bits */
	struct ufx_domain *domain;
	/*
	 * Of words with keys by shared_key: one for all guests that may share some.
	 * NULL: @domain; the keys must then be no addresses of the guest's, nor one
	 * more than such. Otherwise an operation on two words cannot
	 * take one from each domain: -EINVAL, the one difference from Linux.
	 */
	struct ufx_domain *shared;
};

/* A thread of a guest, which calls from one host thread at a time. */
struct ufx_guest_thread {
	const struct ufx_guest *guest;
	int signal; /* the library's; 0 at first */
};

/*
 * futex(2). Addresses are the guest's; @timeout too, or a count (val2). A WAIT's
 * timeout is relative, a WAIT_BITSET's absolute. Returns what the call returns: 0,
 * a count, -errno; what ufx_guest_signal says; -ECANCELED; -ENOMEM.
 */
UFX_API long ufx_guest_futex(struct ufx_guest_thread *thread, uint64_t uaddr, int op,
			     uint32_t val, uint64_t timeout, uint64_t uaddr2,
			     uint32_t val3);

/* futex_waitv(2); private and shared words may be mixed. */
UFX_API long ufx_guest_waitv(struct ufx_guest_thread *thread, uint64_t waiters,
			     unsigned int nr, unsigned int flags, uint64_t timeout,
			     clockid_t clock);

/*
 * A signal for @thread, from any other: its wait ends and returns @error, as -EINTR,
 * or -512 (ERESTARTSYS) if the embedder restarts calls; as does each later one that
 * would block, until ufx_guest_signal_taken. One that has been woken already returns
 * 0. Returns whether it waited. Looks at every bucket. @thread exists until this
 * returns. False, and nothing is done, if @error is not below 0.
 */
UFX_API bool ufx_guest_signal(struct ufx_guest_thread *thread, int error);

/* By @thread itself, before it looks at which signals there are. */
UFX_API void ufx_guest_signal_taken(struct ufx_guest_thread *thread);

/*
 * What CLONE_CHILD_CLEARTID and set_tid_address(2) ask for at the end of a thread:
 * stores 0 at @at and wakes one (shared, as Linux does). Returns whether there was one;
 * -EFAULT, -EINVAL.
 */
UFX_API long ufx_guest_clear_tid(const struct ufx_guest *guest, uint64_t at);

#define UFX_GUEST_ROBUST_LIMIT 2048

/*
 * What set_robust_list(2) asks for at the end of a thread, before its clear_tid:
 * each lock on the list at @head that @tid holds gets FUTEX_OWNER_DIED in place of
 * the thread, and if there are FUTEX_WAITERS one is woken (shared, as Linux does:
 * one that waits privately is not). Follows at most UFX_GUEST_ROBUST_LIMIT entries,
 * then list_op_pending, and stops at what cannot be read. The layout is that of
 * 64 bits. Returns how many locks were given up so.
 */
UFX_API long ufx_guest_robust_exit(const struct ufx_guest *guest, uint64_t head,
				   uint32_t tid);

UFX_END

#endif
