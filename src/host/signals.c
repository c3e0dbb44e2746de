/* SPDX-License-Identifier: MIT */
#include <signal.h>

#include "host/signals.h"
#include "host/syscall.h"
#include "host/thread.h"

#define BIT(signal) (1ull << ((signal)-1))

/* Blocked, these would kill the process instead of coming late. */
#define OWN_FAULTS                                                             \
	(BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGILL) | BIT(SIGFPE) | BIT(SIGTRAP) | \
	 BIT(SIGSYS))

/* libc's calls would leave out the signals that it keeps for itself. */
static void set_mask(uint64_t mask, uint64_t *before)
{
	ufx_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, (long)before,
		    sizeof(mask), 0, 0);
}

uint64_t ufx_signals_block(void)
{
	uint64_t before = 0;

	set_mask(~OWN_FAULTS, &before);
	return before;
}

void ufx_signals_restore(uint64_t before)
{
	set_mask(before, 0);
}

/*
 * The kernel delivers them at the end of the call: each handler runs there. Any
 * handler that comes until then finds the mark, and lets them in itself: it
 * may wait for one of them, or never come back.
 */
void ufx_signals_let_in(void)
{
	uint64_t mask = ufx_load(&ufx_thread_deferred);

	if (!mask)
		return;
	ufx_syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&mask, 0, sizeof(mask), 0, 0);
	ufx_store(&ufx_thread_deferred, 0);
}
