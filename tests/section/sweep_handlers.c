// SPDX-License-Identifier: MIT
/* What the handlers of a sweep do, and what a child does that one has forked. */
#include "sweep.h"

#include "host/thread.h"
#include "tap.h"
#include "trap.h"

#ifdef __x86_64__

struct ufx_ref sweep_ref;
struct ufx_slot sweep_slot;
struct ufx_object sweep_object;
struct sweep_outcome sweep_seen;
static const char *child_wrong;

static void ring(void)
{
	sweep_seen.rung = sweep_wake(&bell.word, 1);
}

void ring_first(void)
{
	sweep_seen.rung = sweep_wake(&first.word, 1);
}

static void count(void)
{
	struct ufx_object *o;

	ufx_ref_get(&sweep_ref);
	ufx_ref_get_inline(&sweep_ref);
	o = ufx_slot_get(&sweep_slot);
	if (o != &sweep_object)
		sweep_seen.rung = -1;
	else
		ufx_slot_put_inline(&sweep_slot, o);
	ufx_ref_put_inline(&sweep_ref);
	ufx_ref_put(&sweep_ref);
}

void set_and_wake(void)
{
	__atomic_store_n(&sweep_due, 1, __ATOMIC_SEQ_CST);
	sweep_seen.rung = sweep_wake(&sweep_due, 1);
}

/* Over a critical section the child has to return before it waits. */
static void fork_here(void)
{
	sweep_seen.child = fork();
	if (sweep_seen.child)
		return;
	if (trap_deaf) /* only a debugger's trap comes here: no promise is made */
		_exit(0);
	sweep_seen.in_child = true;
	alarm(10);
	if (sweep_wake(&bell.word, 1))
		child_wrong = "a waiter of the parent is woken in the handler";
	count();
}

/* ---- the child, after its operation ---- */

static int released;

static void note_release(struct ufx_ref *r)
{
	(void)r;
	released++;
}

static long wait_for_long(void *arg)
{
	return ufx_futex(arg, PRIVATE(UFX_FUTEX_WAIT), 0, &sweep_long_time, NULL, 0);
}

static const char *child_uses_the_engine(void)
{
	static const struct timespec soon = { 0, 1000 };
	static uint32_t own;
	struct ufx_ref mine;
	struct blocked b;

	if (ufx_thread_inside)
		return "the mark is left set";
	if (sweep_wake(&bell.word, 1))
		return "a waiter of the parent is woken";
	if (ufx_futex(&own, PRIVATE(UFX_FUTEX_WAIT), 0, &soon, NULL, 0) != -ETIMEDOUT)
		return "a wait does not time out";
	if (sweep_set_slots(64))
		return "slots cannot be set";
	blocked_start(&b, wait_for_long, &own, NULL);
	blocked_wait(&b);
	if (sweep_wake(&own, 2) != 1 || blocked_join(&b))
		return "its own waiter is not woken";
	if (ufx_ref_init(&mine, note_release))
		return "no ref";
	ufx_ref_get(&mine);
	ufx_ref_put_inline(&mine);
	if (ufx_ref_kill(&mine) || released != 1)
		return "its ref is not released";
	return NULL;
}

void sweep_end_child(void)
{
	const char *wrong = child_wrong ? child_wrong : child_uses_the_engine();

	if (wrong)
		diag("in the child, forked at %#lx: %s", trap_where, wrong);
	_exit(wrong != NULL);
}

const struct handler sweep_handlers[SWEEP_HANDLERS] = {
	{ "wakes", ring, true, false },
	{ "counts", count, false, false },
	{ "forks", fork_here, false, true },
};

#endif
