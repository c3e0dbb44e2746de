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
 * Signal handlers: get_state and poll only. Others may wait for a thread.
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

/* Memory of a deferred call; the caller's until the function has run. */
struct ufx_call {
	struct ufx_call *next;
	void (*fn)(struct ufx_call *call);
	ufx_cookie cookie;
};

/*
 * Has fn(@call) run after a grace period, by whoever drives next: a hurried
 * call, a barrier, or the 64th pending one. Allocates nothing. @fn runs with
 * no lock of the library held and may use all of it but ufx_grace_barrier.
 * While the kernel refuses grace periods @fn does not run.
 */
UFX_API void ufx_grace_call(struct ufx_call *call,
			    void (*fn)(struct ufx_call *call));

/*
 * The same without delay: unless another thread is driving, which then takes
 * this call too, the caller makes the grace period and runs what is due
 * before it returns. (If the kernel refuses the period to that other thread,
 * the call waits for the next driver.)
 */
UFX_API void ufx_grace_call_hurry(struct ufx_call *call,
				  void (*fn)(struct ufx_call *call));

/*
 * Returns when all calls queued before have run. Returns 0; -EDEADLK inside a
 * deferred call; or -errno if the kernel refuses grace periods to this thread:
 * then some have not run, and wait for a thread that is allowed to.
 */
UFX_API int ufx_grace_barrier(void);

UFX_END

#endif
