/* SPDX-License-Identifier: MIT */
#include "preload/order.h"

#include "host/atomic.h"
#include "host/syscall.h"
#include "host/thread.h"

#define FIRST_QUEUED 32
#define SIGNALS 64
#define SENT_AGAIN 0x75667578

/* Of each number, to this thread. One lost (sigwait) makes others slower, no more. */
static UFX_TLS uint32_t on_their_way[SIGNALS + 1 - FIRST_QUEUED];

bool ufx_order_again(int signal, siginfo_t *info)
{
	uint32_t *number = signal < FIRST_QUEUED || info->si_errno ?
				   NULL : &on_their_way[signal - FIRST_QUEUED];

	if (number) { /* before: it may come at once */
		info->si_errno = SENT_AGAIN;
		ufx_fetch_add(number, 1);
	}
	if (!ufx_syscall(SYS_rt_tgsigqueueinfo,
			 ufx_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0),
			 ufx_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0), signal, (long)info,
			 0, 0))
		return true;
	if (number) {
		info->si_errno = 0;
		ufx_fetch_add(number, (uint32_t)-1);
	}
	return false;
}

bool ufx_order_kept(int signal, siginfo_t *info)
{
	uint32_t *number;

	if (signal < FIRST_QUEUED)
		return true;
	number = &on_their_way[signal - FIRST_QUEUED];
	if (info->si_errno == SENT_AGAIN) {
		info->si_errno = 0;
		ufx_fetch_add(number, (uint32_t)-1);
		return true;
	}
	return !ufx_load(number) || info->si_errno || !ufx_order_again(signal, info);
}
