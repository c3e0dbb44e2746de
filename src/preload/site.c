/* SPDX-License-Identifier: MIT */
#include "preload/site.h"

#include "abi/served.h"
#include "host/syscall.h"
#include "host/thread.h"
#include "preload/handlers.h"
#include "preload/operations.h"
#include "preload/preload.h"

static bool done(struct ufx_site_call *call, long result)
{
	call->number = result;
	return true;
}

/* By the slot, which does not count. */
static bool passed(enum ufx_operation kind, unsigned int call)
{
	ufx_operation_passes(kind);
	if (call < UFX_COUNT_MORE)
		ufx_count(call);
	return false;
}

#define NOT_COUNTED UFX_COUNT_MORE /* a call of a kind that nobody asks for */

static bool futex(struct ufx_site_call *s)
{
	enum ufx_operation kind = ufx_operation_of((int)s->b);
	uint32_t before;

	if (!ufx_preload_on() || !ufx_futex_serves((int)s->b))
		return passed(kind, UFX_COUNT_FUTEX);
	before = ufx_operation_begins(kind);
	return done(s, ufx_operation_ends(before,
			ufx_futex((uint32_t *)s->a, (int)s->b, (uint32_t)s->c,
				  (const struct timespec *)s->d, (uint32_t *)s->e,
				  (uint32_t)s->f)));
}

static bool waitv(struct ufx_site_call *s)
{
	struct ufx_waitv_entry *waiters = (struct ufx_waitv_entry *)s->a;
	uint32_t before;

	if (!ufx_preload_on() || !ufx_waitv_serves(waiters, (unsigned int)s->b))
		return passed(UFX_OPERATION_WAITV, UFX_COUNT_WAITV);
	before = ufx_operation_begins(UFX_OPERATION_WAITV);
	return done(s, ufx_operation_ends(before,
			ufx_futex_waitv(waiters, (unsigned int)s->b, (unsigned int)s->c,
					(struct timespec *)s->d, (clockid_t)s->e)));
}

static bool wake(struct ufx_site_call *s)
{
	uint32_t before;

	if (!ufx_preload_on() || !ufx_futex2_serves((unsigned int)s->d))
		return passed(UFX_OPERATION_WAKE, NOT_COUNTED);
	before = ufx_operation_begins(UFX_OPERATION_WAKE);
	return done(s, ufx_operation_ends(before,
			ufx_futex_wake((void *)s->a, (unsigned long)s->b, (int)s->c,
				       (unsigned int)s->d)));
}

static bool wait(struct ufx_site_call *s)
{
	uint32_t before;

	if (!ufx_preload_on() || !ufx_futex2_serves((unsigned int)s->d))
		return passed(UFX_OPERATION_WAIT, NOT_COUNTED);
	before = ufx_operation_begins(UFX_OPERATION_WAIT);
	return done(s, ufx_operation_ends(before,
			ufx_futex_wait((void *)s->a, (unsigned long)s->b,
				       (unsigned long)s->c, (unsigned int)s->d,
				       (struct timespec *)s->e, (clockid_t)s->f)));
}

static bool requeue(struct ufx_site_call *s)
{
	struct ufx_waitv_entry *waiters = (struct ufx_waitv_entry *)s->a;
	uint32_t before;

	if (!ufx_preload_on() || !ufx_waitv_serves(waiters, 2))
		return passed(UFX_OPERATION_REQUEUE, NOT_COUNTED);
	before = ufx_operation_begins(UFX_OPERATION_REQUEUE);
	return done(s, ufx_operation_ends(before,
			ufx_futex_requeue(waiters, (unsigned int)s->b, (int)s->c,
					  (int)s->d)));
}

static UFX_TLS struct ufx_site_call *now;

bool ufx_site_is_over(uintptr_t stack_pointer)
{
	/* One that was left by a jump is above the stack's end by now. */
	return stack_pointer > (uintptr_t)now;
}

static bool serve(struct ufx_site_call *s)
{
	switch ((uint32_t)s->number) { /* the kernel looks at no more */
	case SYS_futex:
		return futex(s);
	case SYS_rt_sigaction:
		return ufx_preload_on() &&
		       done(s, ufx_handlers_change((int)s->a,
						   (const struct ufx_sigaction *)s->b,
						   (struct ufx_sigaction *)s->c,
						   (size_t)s->d));
	case UFX_NR_futex_waitv:
		return waitv(s);
	case UFX_NR_futex_wake:
		return wake(s);
	case UFX_NR_futex_wait:
		return wait(s);
	case UFX_NR_futex_requeue:
		return requeue(s);
	default:
		return false;
	}
}

bool ufx_preload_site(struct ufx_site_call *s)
{
	struct ufx_site_call *outer = now; /* that our handler interrupted */
	bool served;

	if (!ufx_preload_on())
		return serve(s); /* only counts */
	ufx_store(&now, s);
	ufx_compiler_barrier();
	served = serve(s);
	ufx_compiler_barrier();
	ufx_store(&now, outer);
	if (served && ufx_unlikely(ufx_load(&ufx_thread_hurried)))
		ufx_store(&ufx_thread_hurried, 0); /* else the slot looks */
	return served;
}
