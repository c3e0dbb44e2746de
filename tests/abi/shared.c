// SPDX-License-Identifier: MIT
/*
 * Words without the private flag: both sides are the kernel's, so they reach
 * other processes, bare system calls, and what the kernel itself wakes. They
 * never meet private waiters on the same word.
 */
#include <limits.h>

#include "crowd.h"
#include "pages.h"
#include "subject.h"

static uint32_t *word;

static long wake(const struct subject *s, int op)
{
	return s->futex(word, op, INT_MAX, NULL, NULL, 0);
}

/* Private and shared waiters of one word are strangers. */
static void strangers(const struct subject *s, const char *memory)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_add(&c, word, FUTEX_WAIT_PRIVATE, 0);
	row(s, wake(s, FUTEX_WAKE), 0, "%s: shared WAKE, private waiter",
	    memory);
	row(s, wake(s, FUTEX_WAKE_PRIVATE), 1, "%s: private WAKE finds it",
	    memory);
	crowd_add(&c, word, FUTEX_WAIT, 0);
	row(s, wake(s, FUTEX_WAKE_PRIVATE), 0,
	    "%s: private WAKE, shared waiter", memory);
	row(s, wake(s, FUTEX_WAKE), 1, "%s: shared WAKE finds it", memory);
	row(s, crowd_close(&c), 0, "nobody is left");
}

/* A waiter on one side, a wake from the other. */
static void across(const struct subject *waiter, const struct subject *waker)
{
	struct crowd c;

	crowd_open(&c, waiter);
	crowd_add(&c, word, FUTEX_WAIT, 0);
	crowd_add(&c, word, FUTEX_WAIT_BITSET, 4);
	row(waker, wake(waker, FUTEX_WAKE), 2, "wakes shared waiters of the %s",
	    waiter->name);
	row(waiter, crowd_close(&c), 0, "nobody is left");
}

/* Shared operations of every kind, as one row each. */
static void operations(const struct subject *s)
{
	uint32_t *other = page_shared();
	struct crowd c;

	crowd_open(&c, s);
	crowd_add(&c, word, FUTEX_WAIT, 0);
	crowd_add(&c, word, FUTEX_WAIT_BITSET, 4);
	crowd_add(&c, word, FUTEX_WAIT, 0);
	crowd_add(&c, word, FUTEX_WAIT, 0);
	crowd_also(&c, other);
	row(s, s->futex(word, FUTEX_WAKE_BITSET, 9, NULL, NULL, 4), 4,
	    "shared WAKE_BITSET");
	crowd_add(&c, word, FUTEX_WAIT, 0);
	crowd_add(&c, word, FUTEX_WAIT, 0);
	crowd_add(&c, word, FUTEX_WAIT, 0);
	row(s, s->futex(word, FUTEX_REQUEUE, 0, (void *)1, other, 0), 1,
	    "shared REQUEUE");
	row(s, s->futex(word, FUTEX_CMP_REQUEUE, 0, (void *)1, other, 0), 1,
	    "shared CMP_REQUEUE");
	row(s, s->futex(word, FUTEX_WAKE_OP, 1, (void *)2, other,
			FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0)),
	    3, "shared WAKE_OP");
	row(s, *other, 1, "... and its word");
	row(s, crowd_close(&c), 0, "nobody is left");
}

/* A child waits on a word that it shares with us. */
static void processes(const struct subject *s)
{
	struct timespec pause = { 0, 100000 };
	pid_t pid = tap_fork();

	if (pid == 0) {
		row(s, s->futex(word, FUTEX_WAIT, 0, NULL, NULL, 0), 0,
		    "a child's shared WAIT returns 0");
		_exit(0);
	}
	/* The child's wait is over once somebody has been woken. */
	while (wake(s, FUTEX_WAKE) == 0)
		nanosleep(&pause, NULL);
	tap_reap(pid, "shared WAIT in a child");
}

static int end_at_once(void *arg)
{
	(void)arg;
	return 0;
}

/* The kernel stores 0 and wakes a shared waiter when a thread ends. */
static void thread_end(const struct subject *s)
{
	static char stack[16384] __attribute__((aligned(16)));
	static pid_t tid;
	pid_t pid;

	if (signals_delayed()) {
		row_skip(s, "ThreadSanitizer bears no bare clones",
			 "the end of a thread");
		return;
	}
	tid = -1;
	pid = clone(end_at_once, stack + sizeof(stack),
		    CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, NULL,
		    &tid);
	if (pid < 0) {
		row_skip(s, "an emulator refuses the clone",
			 "the end of a thread");
		return;
	}
	for (;;) {
		long result = s->futex((uint32_t *)&tid, FUTEX_WAIT, -1u, NULL,
				       NULL, 0);

		if (result == -EINTR)
			continue;
		ok(result == 0 || result == -EAGAIN,
		   "%s: shared WAIT for the end of a thread", s->name);
		break;
	}
	row(s, __atomic_load_n(&tid, __ATOMIC_ACQUIRE), 0, "... which is over");
	tap_reap(pid, "thread");
}

struct wait_args {
	const struct subject *s;
	struct ufx_waitv_entry v[2];
	bool single;
};

static long wait_on(void *arg)
{
	struct wait_args *w = arg;

	if (w->single)
		return w->s->wait(word, 0, 1, UFX_FUTEX2_U32, NULL,
				  CLOCK_MONOTONIC);
	return w->s->waitv(w->v, 2, 0, NULL, CLOCK_MONOTONIC);
}

static void one_futex2(const struct subject *s, bool single, long result)
{
	uint32_t *other = page_shared();
	struct wait_args w = {
		s,
		{ { 0, (uintptr_t)other, UFX_FUTEX2_U32, 0 },
		  { 0, (uintptr_t)word, UFX_FUTEX2_U32, 0 } },
		single,
	};
	const char *name = single ? "futex_wait" : "futex_waitv";
	const struct subject *raw = &subject_kernel;
	struct blocked b;

	blocked_start(&b, wait_on, &w, NULL);
	if (ok(blocked_wait(&b), "%s: shared %s sleeps", s->name, name)) {
		row(s, wake(s, FUTEX_WAKE_PRIVATE), 0, "private WAKE");
		row(raw, wake(raw, FUTEX_WAKE), 1,
		    "shared WAKE finds the %s of the %s", name, s->name);
	}
	row(s, blocked_join(&b), result, "shared %s returns %ld", name, result);
}

static void rows(const struct subject *s)
{
	word = page_private();
	strangers(s, "anonymous");
	word = page_shared();
	strangers(s, "shared memory");
	across(s, &subject_kernel);
	across(&subject_kernel, s);
	operations(s);
	processes(s);
	thread_end(s);
	if (kernel_lacks(KERNEL_WAITV))
		row_skip(s, kernel_lacks(KERNEL_WAITV), "shared futex_waitv");
	else
		one_futex2(s, false, 1);
	if (kernel_lacks(KERNEL_FUTEX2))
		row_skip(s, kernel_lacks(KERNEL_FUTEX2), "shared futex_wait");
	else
		one_futex2(s, true, 0);
}

int main(void)
{
	return subject_main(rows);
}
