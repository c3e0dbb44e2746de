/* SPDX-License-Identifier: MIT */
/*
 * A parking lot: queues of parked threads by key, for locks and the like that are
 * a few bits in a word. Over ufutex/wait.h and wake.h, nothing but inlines.
 *
 *	static struct ufx_lot lot;
 *
 *	ufx_lot_init(&lot, domain);
 *	how = ufx_lot_park(&lot, (uintptr_t)&word, &parking, NULL, &token);
 *
 * Keys are any 64 bits, as an address of what is waited for. Parking asks under
 * the lock of the key's queue whether it is still to be done, unparking tells under
 * that lock what it found: so a word that is changed only in these callbacks (or
 * by who leaves what they say alone) always knows whether somebody is parked.
 *
 * Callbacks called "with the queue locked" must be short and must not block,
 * fault, allocate, or call this library. Each may be NULL. @arg is theirs.
 *
 * Nothing is lost and nothing made up: UFX_LOT_UNPARKED means that an unpark counted
 * this very thread; and first in, first out for each key.
 *
 * Eventual fairness: an unlock that wakes somebody usually lets whoever comes
 * first have the lock. That is fast, but may starve the one that was woken. So
 * callbacks are told @be_fair every 0.5 ms on average: then the lock should be
 * handed over. A lot has a few timers, and a key always uses the same one. A timer is
 * a point in time; the first unpark after it that unparks somebody is to be fair,
 * and sets it to a random point up to 1 ms from then. The clock is read only if
 * somebody was really unparked, and if there is a callback to tell.
 *
 * Signal handlers: as of wait.h (park) and wake.h (unpark). Errors: -EINVAL (a
 * NULL), -ENOMEM, -EINTR and -EAGAIN (in handlers). With an error no callback
 * has been called.
 */
#ifndef UFUTEX_PARKING_H
#define UFUTEX_PARKING_H

#include <errno.h>
#include <string.h>

#include <ufutex/wait.h>
#include <ufutex/wake.h>

UFX_BEGIN

#define UFX_LOT_TIMERS 64

/* Two lots on one domain see each other's threads, if their keys are the same. */
struct ufx_lot {
	struct ufx_domain *domain;
	uint64_t timers[UFX_LOT_TIMERS]; /* nanoseconds of CLOCK_MONOTONIC */
};

static inline void ufx_lot_init(struct ufx_lot *lot, struct ufx_domain *domain)
{
	memset(lot, 0, sizeof(*lot));
	lot->domain = domain;
}

/* How parking ended. */
enum ufx_lot_ending {
	UFX_LOT_UNPARKED = UFX_WOKEN,   /* with a token */
	UFX_LOT_INVALID = UFX_MISMATCH, /* @validate said no; it was never queued */
	UFX_LOT_TIMED_OUT = UFX_TIMED_OUT,
	UFX_LOT_INTERRUPTED = UFX_INTERRUPTED, /* ufx_domain_interrupt_owner; a reason */
	UFX_LOT_CANCELLED = UFX_CANCELLED,     /* its domain, or key, is going */
};

/* What a thread that parks has to say. Zero what is not used. */
struct ufx_lot_parking {
	/* With the queue locked: false, and it does not park. */
	bool (*validate)(void *arg);
	/* Without a lock, once it is queued; may unpark others, or itself. */
	void (*before_sleep)(void *arg);
	/*
	 * With the queue locked, if the deadline passed, once it has left. @key is
	 * that of the queue it was in, maybe another one after a requeue; @was_last:
	 * nobody is parked there any more.
	 */
	void (*timed_out)(uint64_t key, bool was_last, void *arg);
	void *arg;
	uint64_t token;    /* shown to filters */
	const void *owner; /* for ufx_domain_interrupt_owner */
};

/* What an unpark came to, as its callback sees it. */
struct ufx_lot_unparked {
	uint32_t unparked;
	uint32_t requeued;
	bool more;    /* others are parked on the key (of a requeue: the first) still */
	bool be_fair; /* never if nobody was unparked */
};

/* ---- inside ---- */

struct ufx_lot_inside {
	struct ufx_lot *lot;
	uint64_t key;
	const struct ufx_lot_parking *parking;
	const struct ufx_node *node;
	enum ufx_verdict (*filter)(uint64_t token, void *arg);
	uint64_t (*callback)(const struct ufx_lot_unparked *result, void *arg);
	void *arg;
};

/* Any bit of @x changes half of all. */
static inline uint64_t ufx_lot_mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* Keys that share a timer may be under different locks, so the timer is atomic. */
static inline bool ufx_lot_be_fair(struct ufx_lot *lot, uint64_t key)
{
	uint64_t *timer = &lot->timers[ufx_lot_mix(key) % UFX_LOT_TIMERS];
	uint64_t at = __atomic_load_n(timer, __ATOMIC_RELAXED), now;
	/* By its own name the clock is hidden from strict C11. */
	struct timespec t = ufx_deadline_in(0).at;

	now = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	if (now < at)
		return false;
	return __atomic_compare_exchange_n(timer, &at,
					   now + ufx_lot_mix(now ^ key) % 1000001, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static inline struct ufx_lot_unparked ufx_lot_result(const struct ufx_lot_inside *in,
						     const struct ufx_taken *taken)
{
	struct ufx_lot_unparked result;

	result.unparked = taken->woken;
	result.requeued = taken->moved;
	result.more = taken->more;
	result.be_fair = taken->woken && ufx_lot_be_fair(in->lot, in->key);
	return result;
}

static inline void ufx_lot_last(struct ufx_taken *taken, void *arg)
{
	struct ufx_lot_inside *in = (struct ufx_lot_inside *)arg;
	struct ufx_lot_unparked result = ufx_lot_result(in, taken);

	taken->token = in->callback(&result, in->arg);
}

static inline enum ufx_verdict ufx_lot_each(const struct ufx_seen *seen, uint64_t *token,
					    void *arg)
{
	struct ufx_lot_inside *in = (struct ufx_lot_inside *)arg;

	(void)token;
	return in->filter(seen->token, in->arg);
}

static inline void ufx_lot_left(bool more, void *arg)
{
	struct ufx_lot_inside *in = (struct ufx_lot_inside *)arg;

	/* Its key stays while its queue is locked. */
	in->parking->timed_out(in->node->line.key, !more, in->parking->arg);
}

static inline long ufx_lot_wake(struct ufx_lot_inside *in, uint32_t n, uint64_t token)
{
	struct ufx_waker waker;

	memset(&waker, 0, sizeof(waker));
	waker.n = n;
	waker.token = token;
	waker.each = in->filter ? ufx_lot_each : NULL;
	waker.last = in->callback ? ufx_lot_last : NULL;
	waker.arg = in;
	return ufx_domain_wake_by(in->lot->domain, in->key, &waker);
}

/* ---- parking ---- */

/*
 * Parks the calling thread in the queue of @key until it is unparked or @deadline,
 * if not NULL, has passed. Returns an enum ufx_lot_ending or -errno. *@token, if
 * not NULL, gets what the unpark gave, or the reason of an interrupt.
 */
static inline int ufx_lot_park(struct ufx_lot *lot, uint64_t key,
			       const struct ufx_lot_parking *parking,
			       const struct ufx_deadline *deadline, uint64_t *token)
{
	struct ufx_lot_inside in;
	struct ufx_condition condition;
	struct ufx_node node;
	int ret;

	if (!lot || !parking)
		return -EINVAL;
	memset(&in, 0, sizeof(in));
	memset(&node, 0, sizeof(node));
	memset(&condition, 0, sizeof(condition));
	in.parking = parking;
	in.node = &node;
	condition.key = key;
	condition.check = parking->validate;
	condition.arg = parking->arg;
	condition.token = parking->token;
	condition.owner = parking->owner;
	ret = ufx_node_prepare(lot->domain, &node, &condition, NULL, NULL);
	if (ret)
		return ret == -EAGAIN	 ? (int)UFX_LOT_INVALID
		       : ret == -ECANCELED ? (int)UFX_LOT_CANCELLED
					   : ret;
	if (parking->before_sleep)
		parking->before_sleep(parking->arg);
	return ufx_node_block_by(&node, deadline, token,
				 parking->timed_out ? ufx_lot_left : NULL, &in);
}

/* ---- unparking ---- */

/*
 * Unparks the first of @key's queue. @callback is called with the queue locked,
 * also if nobody was there; what it returns is the token of the one that was
 * unparked. Without it: 0. Returns how many were unparked, or -errno.
 */
static inline long
ufx_lot_unpark_one(struct ufx_lot *lot, uint64_t key,
		   uint64_t (*callback)(const struct ufx_lot_unparked *result, void *arg),
		   void *arg)
{
	struct ufx_lot_inside in;

	if (!lot)
		return -EINVAL;
	memset(&in, 0, sizeof(in));
	in.lot = lot;
	in.key = key;
	in.callback = callback;
	in.arg = arg;
	return ufx_lot_wake(&in, 1, 0);
}

/* Unparks all of @key's queue with @token. Returns how many, or -errno. */
static inline long ufx_lot_unpark_all(struct ufx_lot *lot, uint64_t key, uint64_t token)
{
	struct ufx_lot_inside in;

	if (!lot)
		return -EINVAL;
	memset(&in, 0, sizeof(in));
	in.lot = lot;
	in.key = key;
	return ufx_lot_wake(&in, UINT32_MAX, token);
}

/*
 * Shows @filter, with the queue locked, the park token of each in @key's queue, from the
 * first on: UFX_TAKE (unpark it), UFX_SKIP, or UFX_STOP (leave it and those
 * behind it). Then @callback, as of unpark_one; its token is for all that were
 * unparked. Returns how many, or -errno.
 */
static inline long ufx_lot_unpark_filter(
	struct ufx_lot *lot, uint64_t key,
	enum ufx_verdict (*filter)(uint64_t token, void *arg),
	uint64_t (*callback)(const struct ufx_lot_unparked *result, void *arg), void *arg)
{
	struct ufx_lot_inside in;

	if (!lot || !filter)
		return -EINVAL;
	memset(&in, 0, sizeof(in));
	in.lot = lot;
	in.key = key;
	in.filter = filter;
	in.callback = callback;
	in.arg = arg;
	return ufx_lot_wake(&in, UINT32_MAX, 0);
}

/* ---- requeueing ---- */

enum ufx_lot_requeue {
	UFX_LOT_ABORT, /* nothing at all, nor is the callback called */
	UFX_LOT_UNPARK_ONE_REQUEUE_REST,
	UFX_LOT_REQUEUE_ALL,
	UFX_LOT_UNPARK_ONE,
	UFX_LOT_REQUEUE_ONE,
};

struct ufx_lot_requeueing {
	struct ufx_lot_inside in;
	enum ufx_lot_requeue (*validate)(void *arg);
	uint64_t (*callback)(enum ufx_lot_requeue op, const struct ufx_lot_unparked *result,
			     void *arg);
	enum ufx_lot_requeue op;
};

static inline int ufx_lot_requeue_check(struct ufx_mover *mover)
{
	struct ufx_lot_requeueing *r = (struct ufx_lot_requeueing *)mover->arg;

	r->op = r->validate(r->in.arg);
	mover->wake = r->op == UFX_LOT_UNPARK_ONE_REQUEUE_REST || r->op == UFX_LOT_UNPARK_ONE;
	mover->move = r->op == UFX_LOT_REQUEUE_ONE ? 1
		      : r->op == UFX_LOT_UNPARK_ONE ? 0 : UINT32_MAX;
	return r->op == UFX_LOT_ABORT ? -ECANCELED : 0;
}

static inline void ufx_lot_requeue_last(struct ufx_taken *taken, void *arg)
{
	struct ufx_lot_requeueing *r = (struct ufx_lot_requeueing *)arg;
	struct ufx_lot_unparked result = ufx_lot_result(&r->in, taken);

	taken->token = r->callback(r->op, &result, r->in.arg);
}

/*
 * Asks @validate, with both queues locked, what to do with those parked on @from:
 * unpark the first, move others behind those parked on @to, both, or neither.
 * Then @callback, with both locked, what it came to; it returns the token of
 * the one that was unparked. Returns unparked plus requeued, 0 after an abort, or
 * -errno.
 */
static inline long ufx_lot_unpark_requeue(
	struct ufx_lot *lot, uint64_t from, uint64_t to,
	enum ufx_lot_requeue (*validate)(void *arg),
	uint64_t (*callback)(enum ufx_lot_requeue op, const struct ufx_lot_unparked *result,
			     void *arg),
	void *arg)
{
	struct ufx_lot_requeueing r;
	struct ufx_mover mover;
	long ret;

	if (!lot || !validate)
		return -EINVAL;
	memset(&r, 0, sizeof(r));
	memset(&mover, 0, sizeof(mover));
	r.in.lot = lot;
	r.in.key = from;
	r.in.arg = arg;
	r.validate = validate;
	r.callback = callback;
	mover.check = ufx_lot_requeue_check;
	mover.last = callback ? ufx_lot_requeue_last : NULL;
	mover.arg = &r;
	ret = ufx_domain_requeue(lot->domain, from, to, &mover);
	return ret == -ECANCELED ? 0 : ret;
}

UFX_END

#endif
