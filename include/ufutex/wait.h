/* SPDX-License-Identifier: MIT */
/*
 * Waiting on keys, in two phases: prepare queues a node if its condition holds,
 * finish takes it out again and says why the wait ended. Between them the caller
 * blocks on whatever it likes, and is told by the node's parker when to go on.
 * Blocking a thread (ufx_node_block, ufx_domain_wait) is a wrapper over the two.
 *
 *	struct ufx_condition c = { .key = (uintptr_t)&word, .word = &word,
 *				   .size = 4, .expected = 0 };
 *
 *	how = ufx_domain_wait(domain, &c, NULL, NULL);
 *
 * Keys: any 64 bits. The key is what wakers name; the word is what the condition
 * looks at, and belongs to the waiter alone, as does its size. Where both are one
 * memory, its address is a natural key; a guest's address in a guest's domain is
 * another.
 *
 * No wake-up is lost if whoever makes the condition false does so before the
 * wake (ufutex/wake.h), and none is made up: UFX_WOKEN means that a wake counted
 * this very node. Waits of ufutex/futex.h on the same domain queue in the same
 * places, by the address of their word.
 *
 * Order: first in, first out for one key, but for nodes of a higher priority,
 * which come before. In a domain with the option fifo there are no priorities.
 *
 * Memory order: UFX_WOKEN and UFX_MISMATCH acquire what was released before the
 * wake, or by the store that changed the word. Neither is a full fence.
 *
 * Memory: nothing is allocated, except a domain's first table at its first
 * wait, and a record of a thread at its first blocking wait. A node is the
 * caller's, and must stay where it is from prepare until finish has returned.
 *
 * Signal handlers: a prepare in a handler that interrupted the library in a
 * critical section returns -EINTR; everything else here may not be called from
 * one. A handler that leaves by longjmp over a blocking wait of this header
 * leaves its node queued: don't.
 *
 * fork: a node that was queued in the parent is not queued in the child; its
 * finish returns UFX_CANCELLED there.
 *
 * Errors of all functions that return int or long: -EINVAL (a NULL, a misaligned
 * word, a size that is not 1, 2, 4 or 8, a value with bits beyond the size).
 * With UFX_DEBUG (a build option) broken rules that can be told end the program,
 * with a message that names the function and the rule.
 */
#ifndef UFUTEX_WAIT_H
#define UFUTEX_WAIT_H

#include <ufutex/base.h>

UFX_BEGIN

struct ufx_domain;

/* How a wait ended. */
enum ufx_ending {
	UFX_WOKEN,       /* by a wake, whose token is the answer */
	UFX_MISMATCH,    /* the condition did not hold; nothing was queued */
	UFX_TIMED_OUT,   /* the deadline has passed */
	UFX_INTERRUPTED, /* by ufx_node_interrupt and its like; a reason */
	UFX_CANCELLED,   /* the domain is going, or the key was purged */
	UFX_FAULTED,     /* the word is not mapped (ufx_faults_guard) */
	UFX_LEFT,        /* finish alone: nobody had ended it yet */
};

/* A point in time: absolute, on CLOCK_MONOTONIC or CLOCK_REALTIME. */
struct ufx_deadline {
	struct timespec at;
	clockid_t clock;
};

/*
 * The deadline in @ns nanoseconds from now on CLOCK_MONOTONIC; in the past if @ns is
 * negative, saturating.
 */
UFX_API struct ufx_deadline ufx_deadline_in(int64_t ns);

/*
 * What a wait is about. Zero what is not used. With neither word nor check it
 * queues in any case.
 */
struct ufx_condition {
	uint64_t key;
	const void *word;  /* naturally aligned; or NULL */
	uint64_t expected; /* the word's value, as an unsigned number */
	uint32_t size;     /* of the word: 1, 2, 4, 8 bytes */
	uint32_t mask;     /* wakes with a common bit find it; 0: all wakes do */
	/*
	 * Called with the bucket's lock held, once, after the word has been found
	 * as expected: false is a mismatch. Must be short, must not block, fault,
	 * allocate, or call this library (a wake would be carried out later and
	 * return 0, all else fail).
	 */
	bool (*check)(void *arg);
	void *arg;
	uint64_t token;   /* shown to wakers' callbacks */
	const void *owner; /* for ufx_domain_interrupt_owner */
	uint32_t priority; /* 0 to 255, the higher the sooner; 0 as most are */
};

/*
 * Tells whoever waits, and not a sleeping thread, to go on. @unpark is called
 * once for each prepared node that a wake, interrupt, purge or cancel ends: in
 * the thread that does, with no lock held, and after that node's last touch: it
 * may be finished, and gone, by then; the handle may not: it must bear a call that
 * comes late, after a finish that found the node ended already.
 *
 * It should be short, and return in the thread that called it. It may wake others,
 * prepare nodes, and finish its own, but no other one that the same call may end:
 * that one is told afterwards, and its finish waits for that. Threads that the call
 * ends go on before the first parker is called.
 *
 * It is called in a signal handler if a wake is made there; and a wake that was
 * left to the interrupted thread is carried out at the end of any function of this
 * library: so hold no lock over these that @unpark takes.
 */
struct ufx_parker {
	void (*unpark)(void *handle);
};

/*
 * A waiter's place in a queue: a cache line. All fields are the library's; in
 * user memory it comes as the first of a node.
 */
struct ufx_waiter {
	uint64_t key;   /* changed by a requeue, under both locks */
	uint32_t state;
	uint32_t mask;
	/* The FIFO of its key, a ring; the head's @prev is the tail. */
	struct ufx_waiter *next, *prev;
	/* Of a head only: the bucket's tree of keys. */
	struct ufx_waiter *left, *right;
	uint32_t *park; /* its thread's park word, never unmapped */
	uint8_t head;
	uint8_t here : 1;  /* its thread may sleep on @key's word too, and on no other */
	uint8_t node : 1;  /* a struct ufx_node */
	uint8_t guest : 1; /* of one with a parker of its own */
	uint8_t priority;
	uint8_t ending; /* enum ufx_ending, by who took it */
	uint32_t epoch; /* of the domain's start: another one after a fork */
};

/* Zeroed before its first use. All fields are the library's. */
struct ufx_node {
	struct ufx_waiter line;
	struct ufx_domain *domain;
	const struct ufx_parker *parker;
	void *handle;
	const void *owner;
	uint64_t token;  /* the waiter's */
	uint64_t answer; /* the waker's token, or the reason */
	uint64_t prepared;
} __attribute__((aligned(64)));

/*
 * Phase one. Queues @node on @domain if @condition holds; it is compared under
 * the lock that wakers take. @parker tells about its end with @handle; NULL: the
 * calling thread's own, for ufx_node_block by the same thread.
 * Returns 0: queued. -EAGAIN: a mismatch. -EFAULT, -EINVAL, -ENOMEM, -EINTR (see
 * above), -ECANCELED (the domain is going), -EBUSY (@node is prepared already).
 * But for 0 nothing was queued and no finish is due.
 */
UFX_API int ufx_node_prepare(struct ufx_domain *domain, struct ufx_node *node,
			     const struct ufx_condition *condition,
			     const struct ufx_parker *parker, void *handle);

/* Has @node been ended? Never waits. An acquire if so. */
UFX_API bool ufx_node_ended(const struct ufx_node *node);

/*
 * Phase two, due after each successful prepare. Takes @node out if it still
 * queues (UFX_LEFT: the caller had enough), else says how it was ended; then
 * @answer, if not NULL, gets the token or reason. The node is free afterwards.
 * May wait, very briefly, for a waker that is at it. -EINVAL: not prepared.
 */
UFX_API int ufx_node_finish(struct ufx_node *node, uint64_t *answer);

/*
 * The same; if it still queued, @left is called with the bucket's lock held, once
 * it has left: @more says whether others wait on the key. What a check may not do it may
 * not do either.
 */
UFX_API int ufx_node_finish_by(struct ufx_node *node, uint64_t *answer,
			       void (*left)(bool more, void *arg), void *arg);

/*
 * Phase two for a thread: sleeps until @node (prepared by this thread, without a
 * parker) has been ended or @deadline, if not NULL, has passed, and finishes
 * it. Spins a little before it sleeps (UFUTEX_SPIN). Signal handlers run and
 * do not end it. Never UFX_LEFT, but UFX_TIMED_OUT.
 */
UFX_API int ufx_node_block(struct ufx_node *node, const struct ufx_deadline *deadline,
			   uint64_t *answer);
UFX_API int ufx_node_block_by(struct ufx_node *node, const struct ufx_deadline *deadline,
			      uint64_t *answer, void (*left)(bool more, void *arg),
			      void *arg);

/*
 * Both phases in one: blocks the calling thread. Returns an enum ufx_ending, or
 * -EINVAL, -ENOMEM, -EINTR (in a handler, see above). -ETIMEDOUT and the like do
 * not exist: the endings say so.
 */
UFX_API int ufx_domain_wait(struct ufx_domain *domain,
			    const struct ufx_condition *condition,
			    const struct ufx_deadline *deadline, uint64_t *answer);

#define UFX_WAIT_ANY_MAX 128

/*
 * Waits until one of @n conditions (1 to 128) is woken. *@index, if not NULL,
 * says which: of those that were, the last; or which one mismatched or faulted. A
 * wake that came before a later one's mismatch, or before an interrupt, is not
 * lost: it ends the wait.
 */
UFX_API int ufx_domain_wait_any(struct ufx_domain *domain,
				const struct ufx_condition *conditions, unsigned int n,
				const struct ufx_deadline *deadline,
				unsigned int *index, uint64_t *answer);

/*
 * Ends @node's wait with UFX_INTERRUPTED and @reason, if it still queues; true
 * if so. @node must not be finished meanwhile by others, unless they wait for
 * this to return.
 */
UFX_API bool ufx_node_interrupt(struct ufx_node *node, uint64_t reason);

/*
 * The same for all of @owner's that wait on @domain. Looks at every bucket, after a
 * full fence: whoever stores a mark before and has waits look at it in their check
 * ends those, too, that are about to queue. Returns how many.
 */
UFX_API long ufx_domain_interrupt_owner(struct ufx_domain *domain, const void *owner,
					uint64_t reason);

UFX_END

#endif
