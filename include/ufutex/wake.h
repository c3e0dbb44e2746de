/* SPDX-License-Identifier: MIT */
/*
 * Waking those who wait on a key (ufutex/wait.h, and ufutex/futex.h by the
 * address of their word).
 *
 * Counts are exact: what a function returns is how many waits it ended, or moved;
 * each is ended once. Nobody is woken who was not queued when it began.
 *
 * Memory order: a full fence between the caller's earlier stores and the look at
 * the queue. So change the condition first, then wake. With nobody there it
 * takes neither a lock nor a reference.
 *
 * Callbacks here are called with the locks of the buckets held. They must be
 * short, must not block, fault, allocate, or call this library. Who waits by a
 * parker of his own (ufutex/wait.h) is told after the locks are gone.
 *
 * Signal handlers: all may be called. In one that interrupted the library in a
 * critical section ufx_domain_wake is carried out by the interrupted thread as
 * soon as it leaves that, and returns 0; the others return -EAGAIN.
 */
#ifndef UFUTEX_WAKE_H
#define UFUTEX_WAKE_H

#include <ufutex/base.h>

UFX_BEGIN

struct ufx_domain;

#define UFX_ALL UINT32_MAX

/*
 * Wakes up to @n of @key's waiters that share a bit with @mask (UFX_ALL: all),
 * in their order. Their answer is 0. Returns how many; -EINVAL: no mask.
 */
UFX_API long ufx_domain_wake(struct ufx_domain *domain, uint64_t key, uint32_t n,
			     uint32_t mask);

/* Is it likely that somebody waits on @key? A full fence first, no lock. */
UFX_API bool ufx_domain_maybe_waiters(struct ufx_domain *domain, uint64_t key);

/* A waiter, as a callback sees it. */
struct ufx_seen {
	uint64_t key;
	uint64_t token;    /* of its condition; 0 for a wait of ufutex/futex.h */
	const void *owner; /* the same; NULL */
	uint32_t mask;
	uint32_t woken; /* how many this wake has taken so far */
	bool more;      /* others wait on this key behind it */
};

enum ufx_verdict {
	UFX_TAKE, /* is woken */
	UFX_SKIP, /* goes on waiting; look at the next */
	UFX_STOP, /* goes on waiting; that was all */
};

/* What came of it. */
struct ufx_taken {
	uint32_t woken;
	uint32_t moved; /* of a requeue */
	bool more;      /* others wait on the key (of a requeue: the first) still */
	uint64_t token; /* what the woken ones get; may be changed */
};

/* Zero what is not used. */
struct ufx_waker {
	uint32_t n;     /* at most so many */
	uint32_t mask;  /* 0: all */
	uint64_t token; /* their answer */
	/* Decides for each; may change *@token, the answer of this one. */
	enum ufx_verdict (*each)(const struct ufx_seen *seen, uint64_t *token,
				 void *arg);
	/*
	 * At the end, also if nobody was there; the lock is still held, so who
	 * looks at a word under it finds what this leaves. If it changes the
	 * token all that were woken get that.
	 */
	void (*last)(struct ufx_taken *taken, void *arg);
	void *arg;
};

/* Returns how many were woken; -EINVAL, -ENOMEM, -EAGAIN (see above). */
UFX_API long ufx_domain_wake_by(struct ufx_domain *domain, uint64_t key,
				const struct ufx_waker *waker);

/* Zero what is not used. */
struct ufx_mover {
	uint32_t wake; /* at most so many are woken */
	uint32_t move; /* and so many of the others moved */
	uint64_t token;
	/* Compared under the locks (and before): -EAGAIN if it differs. */
	const void *word;
	uint64_t expected;
	uint32_t size; /* 1, 2, 4, 8 */
	/*
	 * Then this, under both locks: may change wake and move. Not 0: an error
	 * (-errno) that is returned, with nothing done.
	 */
	int (*check)(struct ufx_mover *mover);
	void (*last)(struct ufx_taken *taken, void *arg); /* as a waker's */
	void *arg;
};

/*
 * Wakes some of @from's waiters and moves others behind those of @to, in one
 * step. A copy of @mover is worked on. Returns woken plus moved; -EAGAIN,
 * -EFAULT, -EINVAL, -ENOMEM.
 */
UFX_API long ufx_domain_requeue(struct ufx_domain *domain, uint64_t from, uint64_t to,
				const struct ufx_mover *mover);

enum ufx_word_operation { UFX_SET, UFX_ADD, UFX_OR, UFX_ANDN, UFX_XOR };
enum ufx_word_comparison { UFX_EQ, UFX_NE, UFX_LT, UFX_LE, UFX_GT, UFX_GE };

/* An atomic operation on a word, and a comparison of what it was. */
struct ufx_word_op {
	void *word;
	uint32_t size; /* 1, 2, 4, 8 */
	enum ufx_word_operation operation;
	uint64_t operand;
	enum ufx_word_comparison comparison; /* of signed numbers of that size */
	int64_t operand2;
	/*
	 * If not NULL, instead of all that: called once, under both locks. 1 if
	 * the comparison held, 0 if not, or -errno: then nobody is woken.
	 */
	int (*operate)(void *arg);
	void *arg;
};

/*
 * Does @op, wakes up to @n1 of @key1 and, if the comparison holds for the word's
 * old value, up to @n2 of @key2; all under both locks. Returns how many; -EFAULT,
 * -EINVAL, -ENOMEM, -EAGAIN.
 */
UFX_API long ufx_domain_wake_op(struct ufx_domain *domain, uint64_t key1, uint32_t n1,
				uint64_t key2, uint32_t n2,
				const struct ufx_word_op *op);

UFX_END

#endif
