/* SPDX-License-Identifier: MIT */
/*
 * A small fiber scheduler whose fibers wait on ufutex: many fibers on a few
 * worker threads, one run queue, timeouts. Fibers and plain threads wait in the
 * same queues and wake one another.
 *
 *	struct fibers *s = fibers_start(domain, 3, 10000);
 *
 *	fibers_spawn(s, work, arg);
 *	fibers_end(s);
 *
 * A fiber may go on in another thread than it stopped in, wherever it waits or
 * yields: it must not hold a pthread mutex over that, nor the address of something
 * thread-local (errno: the compiler may keep its address, so look at it on one
 * side only).
 */
#ifndef EXAMPLES_FIBER_H
#define EXAMPLES_FIBER_H

#include <stdbool.h>
#include <stdint.h>

#include <ufutex/wait.h>

struct fibers;

/* Room for @most fibers at a time on @workers threads; NULL: no memory. */
struct fibers *fibers_start(struct ufx_domain *domain, unsigned int workers,
			    unsigned int most);

/* From any thread or fiber. False: there are as many as may be. */
bool fibers_spawn(struct fibers *s, void (*run)(void *arg), void *arg);

/*
 * Waits until all fibers have returned, and frees @s. By a thread. Whoever may be
 * about to unpark one of its fibers (a wake that has not returned yet) must be
 * done: join such threads before.
 */
void fibers_end(struct fibers *s);

/* How often fibers were resumed in another thread than they had stopped in. */
unsigned long fibers_moves(const struct fibers *s);

/* Is the caller a fiber? */
bool fiber_is_one(void);

/* Lets the others run. By a thread: sched_yield. */
void fiber_yield(void);

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t fiber_now(void);

#define FIBER_FOREVER INT64_MAX

/*
 * Both phases in one, for fibers and threads alike: ufx_domain_wait, but with a
 * deadline in the nanoseconds of fiber_now().
 */
int fiber_wait(struct ufx_domain *domain, const struct ufx_condition *condition,
	       int64_t until, uint64_t *answer);

/*
 * What it is made of, for whoever waits otherwise (on several nodes, say): prepare
 * nodes with this parker and fiber_handle(), park until one has ended, finish them.
 */
extern const struct ufx_parker fiber_parker;
void *fiber_handle(void); /* of the fiber that calls */

/* A fiber alone. Returns when told, at @until, or for no reason: so look. */
void fiber_park(int64_t until);

#endif
