/* SPDX-License-Identifier: MIT */
/* Calls in a constructor that runs before all others but the preload's: see early_lib.c. */
#include "early.h"
#include "served.h"

int main(int argc, char **argv)
{
	(void)argc;
	setenv("UFUTEX_SLOTS", "256", 1); /* set by the preload's constructor */
	served(argv);
	is_int(early.wait, -1, "an early wait for another value returns -1");
	is_int(early.wait_errno, EAGAIN, "with EAGAIN");
	is_int(early.wake, 0, "an early wake");
	is_int(early.slots_before, 256, "the preload's constructor has run");
	ok(early.vfork && WEXITSTATUS(early.vfork_status) == 3, "an early vfork");
	is_int(early.created, 0, "an early thread");
	is_int(early.slots_after, 256, "which changes nothing of that");
	ok(engine_answers(), "calls are answered");
	while (!__atomic_load_n(&early.tid, __ATOMIC_ACQUIRE) ||
	       !blocked_now(early.tid))
		sched_yield();
	is_int(call_futex(&early.word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 1,
	       "the thread that waits since then is woken");
	pthread_join(early.thread, NULL);
	is_int(early.waiter, 0, "its wait returns 0");
	return tap_end();
}
