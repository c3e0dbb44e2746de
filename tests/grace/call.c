// SPDX-License-Identifier: MIT
/* Deferred calls: when they run, in which order, and who waits for them. */
#include <ufutex/grace.h>

#include "grace/reader.h"

#include "blocked.h"
#include "hammer.h"

#define CALLS 200

struct note {
	struct ufx_call call;
	int number, ran;
	ufx_cookie cookie; /* taken before it was queued */
};

static struct note notes[CALLS];
static int order[CALLS], ran, early;

static void note(struct ufx_call *call)
{
	struct note *n = (struct note *)call;

	if (!ufx_grace_poll(n->cookie))
		early++;
	n->ran++;
	order[__atomic_fetch_add(&ran, 1, __ATOMIC_SEQ_CST)] = n->number;
}

static struct note *prepare(int i)
{
	notes[i] = (struct note){ .number = i, .cookie = ufx_grace_get_state() };
	return &notes[i];
}

static void begin(void)
{
	ran = early = 0;
}

static bool in_order(int n)
{
	for (int i = 0; i < n; i++)
		if (order[i] != i || notes[i].ran != 1)
			return false;
	return ran == n;
}

static void lazy(void)
{
	begin();
	for (int i = 0; i < 63; i++)
		ufx_grace_call(&prepare(i)->call, note);
	is_int(ran, 0, "63 calls wait");
	ufx_grace_call(&prepare(63)->call, note);
	ok(in_order(64), "the 64th runs them all, in their order");
	for (int i = 0; i < 10; i++)
		ufx_grace_call(&prepare(i)->call, note);
	is_int(ran, 64, "ten more wait");
	is_int(ufx_grace_barrier(), 0, "a barrier");
	is_int(ran, 74, "runs them");
	is_int(early, 0, "each after its grace period");
	is_int(ufx_grace_barrier(), 0, "a barrier with nothing to do");
}

static void hurried(void)
{
	begin();
	ufx_grace_call_hurry(&prepare(0)->call, note);
	ok(in_order(1), "a hurried call has run on return");
	begin();
	for (int i = 0; i < 5; i++)
		ufx_grace_call(&prepare(i)->call, note);
	ufx_grace_call_hurry(&prepare(5)->call, note);
	ok(in_order(6), "and those that waited, before it");
	is_int(early, 0, "each after its grace period");
}

/* ---- from within a call ---- */

static int barrier_said, sync_said;

static void ask_for_barrier(struct ufx_call *call)
{
	(void)call;
	barrier_said = ufx_grace_barrier();
	sync_said = ufx_grace_synchronize();
}

static void chain(struct ufx_call *call)
{
	struct note *n = (struct note *)call;
	int next = n->number + 1;

	note(call);
	if (next % 2)
		ufx_grace_call(&prepare(next)->call, next < 20 ? chain : note);
	else
		ufx_grace_call_hurry(&prepare(next)->call,
				     next < 20 ? chain : note);
}

static void requeue_itself(struct ufx_call *call)
{
	struct note *n = (struct note *)call;

	if (++n->ran < 10)
		ufx_grace_call(call, requeue_itself);
}

static void from_within(void)
{
	struct ufx_call call;

	barrier_said = sync_said = 1;
	ufx_grace_call_hurry(&call, ask_for_barrier);
	is_int(barrier_said, -EDEADLK, "a barrier inside a call");
	is_int(sync_said, 0, "synchronize inside a call");
	begin();
	ufx_grace_call_hurry(&prepare(0)->call, chain);
	is_int(ufx_grace_barrier(), 0, "calls that queue calls");
	ok(in_order(21), "all have run");
	is_int(early, 0, "each after its grace period");
	prepare(0);
	ufx_grace_call(&notes[0].call, requeue_itself);
	is_int(ufx_grace_barrier(), 0, "a call that queues itself");
	is_int(notes[0].ran, 10, "runs each time");
}

/* ---- several threads ---- */

static int go;

static void linger(struct ufx_call *call)
{
	(void)call;
	__atomic_store_n(&ran, 1, __ATOMIC_SEQ_CST);
	wait_until(&go, 1);
}

static long drive(void *call)
{
	ufx_grace_call_hurry(call, linger);
	return 0;
}

static long barrier(void *arg)
{
	(void)arg;
	return ufx_grace_barrier();
}

static void one_driver(void)
{
	struct blocked driver, waiter;
	struct ufx_call call;

	begin();
	go = 0;
	blocked_start(&driver, drive, &call, NULL);
	wait_until(&ran, 1);
	ufx_grace_call_hurry(&prepare(0)->call, note);
	is_int(notes[0].ran, 0, "a hurried call is left to who drives already");
	blocked_start(&waiter, barrier, NULL, NULL);
	ok(blocked_wait(&waiter), "a barrier waits for a call that is running");
	is_int(ufx_grace_synchronize(), 0, "a grace period does not");
	__atomic_store_n(&go, 1, __ATOMIC_SEQ_CST);
	is_int(blocked_join(&waiter), 0, "the barrier ends");
	is_int(notes[0].ran, 1, "the call has run");
	blocked_join(&driver);
}

struct box {
	struct ufx_call call;
	int *count;
};

static void unbox(struct ufx_call *call)
{
	struct box *box = (struct box *)call;

	__atomic_fetch_add(box->count, 1, __ATOMIC_SEQ_CST);
	free(box);
}

static void post(struct hammer *h)
{
	struct box *box = malloc(sizeof(*box));

	box->count = h->arg;
	switch (hammer_random(h, 8)) {
	case 0:
		ufx_grace_call_hurry(&box->call, unbox);
		break;
	case 1:
		ufx_grace_call(&box->call, unbox);
		ufx_grace_barrier();
		break;
	default:
		ufx_grace_call(&box->call, unbox);
	}
}

static void storm(void)
{
	struct crew c = { 0 };
	int i, count = 0;
	uint64_t posted;

	for (i = 0; i < 4; i++)
		crew_add(&c, post, &count);
	nap_us(300000);
	posted = crew_stop(&c);
	is_int(ufx_grace_barrier(), 0, "%llu calls from four threads",
	       (unsigned long long)posted);
	is_int(count, (long long)posted, "each has run once");
}

int main(void)
{
	lazy();
	hurried();
	from_within();
	one_driver();
	storm();
	return tap_end();
}
