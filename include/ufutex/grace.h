/* SPDX-License-Identifier: MIT */
/*
 * Grace periods: "has everybody who could still see the old pointer left?"
 *
 * What one covers: the read side of this library only, that is the few
 * instructions in which ufx_ref and ufx_slot get or put, and in which an
 * operation looks at a table. It is NOT a general RCU: code of yours between
 * two calls is not a reader. Hold a reference (ufutex/ref.h) for that.
 *
 * A grace period takes one to ten microseconds. Requests that arrive while one
 * is being made share the next one. No thread is created: work is done by
 * whoever asks for it.
 *
 * A cookie names a grace period that begins after the cookie was taken. So
 * take it after the publication that it is for; better, publish with a call
 * that returns it (ufx_grace_publish, ufx_slot_publish).
 *
 * Signal handlers: get_state, poll and pending only. Others may wait for a thread.
 *
 * fork: the child starts afresh; its parent's pending calls are not run there
 * (other than the rest of a batch in which a call itself forked),
 * and a cookie of the parent says nothing there.
 */
#ifndef UFUTEX_GRACE_H
#define UFUTEX_GRACE_H

#include <ufutex/base.h>

UFX_BEGIN

typedef struct {
	uint64_t period;
} ufx_cookie;

/* Stores @object to *@where (release) and returns the cookie for it. */
UFX_API ufx_cookie ufx_grace_publish(void **where, void *object);

/* A cookie for all that the caller stored before. A full fence. */
UFX_API ufx_cookie ufx_grace_get_state(void);

/* get_state, and asks that the period be made by the next one who can. */
UFX_API ufx_cookie ufx_grace_start_poll(void);

/* Has @cookie's grace period elapsed? If so, an acquire. Never waits. */
UFX_API bool ufx_grace_poll(ufx_cookie cookie);

/*
 * Returns when @cookie's grace period has elapsed; makes it if needed.
 * Returns 0, or -errno if the kernel refuses (a seccomp filter against
 * membarrier): then it has not elapsed and nothing may be freed.
 */
UFX_API int ufx_grace_cond_sync(ufx_cookie cookie);

/* cond_sync of get_state. A full fence. */
UFX_API int ufx_grace_synchronize(void);

/* ---- deferred calls --------------------------------------------------- */

/* Memory of a deferred call; the caller's until the function has run. */
struct ufx_call {
	struct ufx_call *next;
	void (*fn)(struct ufx_call *call);
	ufx_cookie cookie;
	size_t bytes; /* that wait for it */
};

/*
 * Has fn(@call) run after a grace period, by whoever drives next: a hurried
 * call, a barrier, ufx_grace_run, or the call that reaches a limit
 * (ufx_grace_limit), in its thread and before it returns. Calls run in the order
 * in which they were queued. Allocates nothing. @fn runs with no lock of the
 * library held and may use all of it but ufx_grace_barrier and ufx_grace_run.
 * While the kernel refuses grace periods @fn does not run. A call that is
 * queued must not be queued again before its function has begun.
 */
UFX_API void ufx_grace_call(struct ufx_call *call,
			    void (*fn)(struct ufx_call *call));

/* The same for a call that @bytes wait for: they count for the limit. */
UFX_API void ufx_grace_call_bytes(struct ufx_call *call,
				  void (*fn)(struct ufx_call *call), size_t bytes);

/*
 * The same without delay: unless another thread is driving, which then takes
 * this call too, the caller makes the grace period and runs what is due
 * before it returns. It waits for a thread in ufx_grace_run, which may stop
 * short. (If the kernel refuses the period to that other thread, the call
 * waits for the next driver. In a call that ufx_grace_run runs, what is
 * hurried is run within the same limits, or by the next driver.)
 */
UFX_API void ufx_grace_call_hurry(struct ufx_call *call,
				  void (*fn)(struct ufx_call *call));

/*
 * Calls that are not hurried wait until there are @calls of them, or calls for
 * @bytes; 0: no such limit. At first 64 and 1 MiB. For the whole process; kept
 * over fork. While another thread drives, or the kernel refuses grace periods,
 * more may wait. Who takes both limits away must drive. Safe at any time.
 */
UFX_API void ufx_grace_limit(uint64_t calls, uint64_t bytes);

/*
 * How many calls wait, and in *@bytes (may be NULL) how many bytes for them.
 * A look: others queue and drive meanwhile. Safe in signal handlers.
 */
UFX_API uint64_t ufx_grace_pending(uint64_t *bytes);

/*
 * Drives, within a budget: at most @calls of them, and after the first no
 * further one @ns nanoseconds later; 0: no such bound. What is left over waits, its period
 * elapsed. For event loops: never waits for another driver, and makes a grace
 * period only if there are calls that need one. (One function lasts as long as
 * it does.)
 *
 * Returns how many have run, 0 also if another thread is driving; -EDEADLK
 * inside a deferred call; -errno if the kernel refuses grace periods. Not from
 * a handler.
 */
UFX_API int ufx_grace_run(unsigned int calls, uint64_t ns);

/*
 * An eventfd that is readable when calls wait, so that a loop can poll it and
 * then ufx_grace_run, which clears it and, if it leaves some, sets it once
 * more. (It may be readable though nothing waits: others have driven. It is not
 * set again while all that is left was refused a grace period to the loop.)
 * A loop that likes larger batches need not come at once.
 *
 * One for the process, made at first; non-blocking, closed on exec. It is the
 * library's: neither read nor close it. A child of fork has none until it asks
 * for its own; the descriptor that it inherited is its parent's, and its to
 * close. Returns it, or -errno. Not from a handler.
 */
UFX_API int ufx_grace_event(void);

/*
 * Returns when all calls queued before have run. Returns 0; -EDEADLK inside a
 * deferred call; or -errno if the kernel refuses grace periods to this thread:
 * then some have not run, and wait for a thread that is allowed to.
 */
UFX_API int ufx_grace_barrier(void);

UFX_END

#endif
