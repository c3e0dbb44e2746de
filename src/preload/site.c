/* SPDX-License-Identifier: MIT */
#include "preload/site.h"

#include "abi/served.h"
#include "host/syscall.h"
#include "host/thread.h"
#include "preload/handlers.h"
#include "preload/preload.h"

static bool done(struct ufx_site_call *call, long result)
{
	call->number = result;
	return true;
}

static bool futex(struct ufx_site_call *s)
{
	if (!ufx_futex_serves((int)s->b))
		return false;
	return done(s, ufx_futex((uint32_t *)s->a, (int)s->b, (uint32_t)s->c,
				 (const struct timespec *)s->d, (uint32_t *)s->e,
				 (uint32_t)s->f));
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
		return done(s, ufx_handlers_change((int)s->a,
						   (const struct ufx_sigaction *)s->b,
						   (struct ufx_sigaction *)s->c,
						   (size_t)s->d));
	case UFX_NR_futex_waitv:
		return done(s, ufx_futex_waitv((struct ufx_waitv_entry *)s->a,
					       (unsigned int)s->b, (unsigned int)s->c,
					       (struct timespec *)s->d, (clockid_t)s->e));
	case UFX_NR_futex_wake:
		return done(s, ufx_futex_wake((void *)s->a, (unsigned long)s->b,
					      (int)s->c, (unsigned int)s->d));
	case UFX_NR_futex_wait:
		return done(s, ufx_futex_wait((void *)s->a, (unsigned long)s->b,
					      (unsigned long)s->c, (unsigned int)s->d,
					      (struct timespec *)s->e, (clockid_t)s->f));
	case UFX_NR_futex_requeue:
		return done(s, ufx_futex_requeue((struct ufx_waitv_entry *)s->a,
						 (unsigned int)s->b, (int)s->c,
						 (int)s->d));
	default:
		return false;
	}
}

bool ufx_preload_site(struct ufx_site_call *s)
{
	struct ufx_site_call *outer = now; /* that our handler interrupted */
	bool served;

	if (!ufx_preload_on())
		return false;
	ufx_store(&now, s);
	ufx_compiler_barrier();
	served = serve(s);
	ufx_compiler_barrier();
	ufx_store(&now, outer);
	if (ufx_unlikely(ufx_load(&ufx_thread_hurried)))
		ufx_store(&ufx_thread_hurried, 0);
	return served;
}
