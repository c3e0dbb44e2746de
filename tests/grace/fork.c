// SPDX-License-Identifier: MIT
/*
 * A child of fork starts afresh: whatever its parent's threads were at, it has
 * no leader, no driver, no pending call and no reader.
 */
#include <ufutex/grace.h>

#include "grace/period.h"
#include "grace/reader.h"

#include "blocked.h"
#include "hammer.h"

static int ran;

static void count(struct ufx_call *call)
{
	(void)call;
	ran++;
}

static void child(ufx_cookie parents)
{
	struct ufx_call call;

	is_int((long long)ufx_periods_made(), 0, "no period has been made");
	ok(!ufx_grace_poll(parents), "the parent's cookie has not elapsed");
	is_int(ufx_grace_synchronize(), 0, "synchronize");
	ufx_grace_call(&call, count);
	is_int(ufx_grace_barrier(), 0, "a barrier");
	is_int(ran, 1, "the child's own call has run, not its parent's");
	is_int(ufx_grace_cond_sync(parents), 0, "cond_sync of the old cookie");
}

static void in_child(const char *when, ufx_cookie cookie)
{
	pid_t pid = tap_fork();

	if (pid == 0) {
		diag("forked %s", when);
		child(cookie);
		_exit(0);
	}
	tap_reap(pid, when);
}

static long synchronize(void *arg)
{
	(void)arg;
	return ufx_grace_synchronize();
}

static int running, go;

static void linger(struct ufx_call *call)
{
	(void)call;
	__atomic_store_n(&running, 1, __ATOMIC_SEQ_CST);
	wait_until(&go, 1);
}

static long drive(void *call)
{
	ufx_grace_call_hurry(call, linger);
	return 0;
}

int main(void)
{
	struct ufx_call pending, lingering;
	ufx_cookie cookie;
	struct ufx_read read;
	struct blocked b;

	for (int i = 0; i < 20; i++)
		ufx_grace_synchronize();
	cookie = ufx_grace_get_state();
	in_child("when nothing is under way", cookie);

	ufx_grace_call(&pending, count);
	in_child("with a call pending", cookie);

	read = ufx_read_begin();
	in_child("within a read side", cookie);
	cookie = ufx_grace_get_state();
	blocked_start(&b, synchronize, NULL, NULL);
	while (ufx_grace_get_state().period == cookie.period)
		sched_yield();
	in_child("while another thread makes a period", cookie);
	ufx_read_end(read);
	blocked_join(&b);

	blocked_start(&b, drive, &lingering, NULL);
	wait_until(&running, 1);
	cookie = ufx_grace_get_state();
	ran = 0; /* the pending one has run by now */
	in_child("while another thread runs calls", cookie);
	__atomic_store_n(&go, 1, __ATOMIC_SEQ_CST);
	blocked_join(&b);
	is_int(ufx_grace_barrier(), 0, "the parent goes on");
	return tap_end();
}
