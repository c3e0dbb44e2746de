// SPDX-License-Identifier: MIT
/* A debug build (UFX_DEBUG): what guests' callers may not do, and their callbacks. */
#include "futex_numbers.h"

#include <ufutex/wake.h>

#include "broken.h"
#include "guest_memory.h"
#include "tap.h"

static struct memory m;
static struct ufx_guest_ops ops;
static struct ufx_guest guest = { .ops = &ops, .space = &m, .size = LIMIT };
static struct ufx_guest_thread thread = { .guest = &guest };

static void no_thread(void)
{
	ufx_guest_futex(NULL, AT(0, 0), FUTEX_WAKE, 1, 0, 0, 0);
}

static void no_guest(void)
{
	struct ufx_guest_thread nobody = { .guest = NULL };

	ufx_guest_waitv(&nobody, AT(0, 0), 1, 0, 0, CLOCK_MONOTONIC);
}

static void no_error(void)
{
	ufx_guest_signal(&thread, EINTR);
}

static void no_tid(void)
{
	ufx_guest_robust_exit(&guest, AT(0, 0), 0);
}

static void nobody_ends(void)
{
	ufx_guest_clear_tid(NULL, AT(0, 0));
}

static int load_and_wake(void *space, uint64_t at, uint32_t *value, bool locked)
{
	if (locked)
		ufx_domain_wake(guest.domain, at + 4, 1, UFX_ALL);
	return memory_load(space, at, value, locked);
}

static void calls(int op)
{
	ops.load = load_and_wake;
	ufx_guest_futex(&thread, AT(0, 0), op, 0, 0, AT(0, 0), 0);
}

static void wait_calls(void)
{
	calls(FUTEX_WAIT_PRIVATE);
}

static void requeue_calls(void)
{
	calls(FUTEX_CMP_REQUEUE_PRIVATE);
}

static void wake_op_calls(void)
{
	calls(FUTEX_WAKE_OP_PRIVATE);
}

int main(void)
{
	ops = memory_ops;
	if (ufx_domain_create(&guest.domain, NULL))
		bail("no domain");
	broken(no_thread, "ufx_guest_futex: broken rule");
	broken(no_guest, "ufx_guest_waitv: broken rule");
	broken(no_error, "an error below 0");
	broken(no_tid, "a thread of 30 bits");
	broken(nobody_ends, "ufx_guest_clear_tid: broken rule");
	broken(wait_calls, "a callback does not call the library");
	broken(requeue_calls, "a callback does not call the library");
	broken(wake_op_calls, "a callback does not call the library");
	return tap_end();
}
