/* SPDX-License-Identifier: MIT */
/*
 * Blocking a thread on words. Its record names the wait that it is in, from
 * before the first waiter is queued until all have left, so that a handler
 * that may not come back can end it (ufx_futex_interrupt). Both ends are marked
 * inside: such a handler comes before or after all of them.
 */
#include <errno.h>

#include <ufutex/futex.h>

#include "futex/bell.h"
#include "futex/spin.h"
#include "futex/wait.h"
#include "host/clock.h"
#include "host/count.h"
#include "host/guard.h"
#include "table/domain.h"

static uint64_t foreign_wakes;

uint64_t ufx_wait_foreign_wakes(void)
{
	return ufx_load(&foreign_wakes);
}

/* A blocked thread: its words (from 1) and their waiters (from 0). */
struct ufx_blocked {
	struct ufx_domain *domain;
	struct ufx_thread *thread;
	struct ufx_waiter *waiters; /* NULL: it only looks at the words yet */
	struct ufx_waitv_entry *words;
	unsigned int n;
	unsigned int watched; /* entries of words that the kernel watches too */
	uint32_t mask;
	struct ufx_rings rings; /* of the first word's bell */
	const struct ufx_deadline *deadline;
	enum ufx_wait_kind kind;
	bool slept;
	struct ufx_blocked *outer; /* that this one's handler interrupted */
	/* By ufx_futex_interrupt: then @waiters are not ours any more. */
	bool interrupted, again;
	long result;
};

static bool interrupted(const struct ufx_blocked *b)
{
	return ufx_load(&b->interrupted) && !UFX_FAULT(INTERRUPT_UNSEEN);
}

static bool any_woken(const struct ufx_blocked *b)
{
	for (unsigned int i = 0; i < b->n; i++)
		if (ufx_wait_woken(&b->waiters[i]))
			return true;
	return false;
}

static uint32_t *word_of(const struct ufx_waitv_entry *entry)
{
	return (uint32_t *)(uintptr_t)entry->uaddr;
}

/* This sleep does not watch the word: look at it once more before. */
static int sleep_alone(const struct ufx_blocked *b)
{
	uint32_t value;

	if (b->watched > 1) { /* not requeued */
		if (ufx_guarded_load(word_of(&b->words[1]), &value))
			return -EFAULT;
		if (value != b->words[1].val)
			return -EAGAIN;
	}
	return ufx_park_alone(&b->thread->park, b->deadline);
}

/* Leaves the queue of its @i-th word, if it is there and the wait still ours. */
static bool leave(struct ufx_blocked *b, unsigned int i)
{
	bool left;

	ufx_enter_inside();
	left = !ufx_load(&b->interrupted) &&
	       ufx_wait_leave(b->domain, &b->waiters[i], b->words[i + 1].uaddr);
	ufx_leave_inside();
	return left;
}

/*
 * The kernel found a word changed, or the park word awake. A changed word ends
 * the wait if its waiter is still queued there; a requeued one is not about
 * that word any more. Returns -EAGAIN to end, 0 to sleep again.
 */
static int after_mismatch(struct ufx_blocked *b)
{
	for (unsigned int i = 0; i + 1 < b->watched; i++) {
		uint32_t value;

		if (ufx_guarded_load(word_of(&b->words[i + 1]), &value))
			return -EFAULT;
		if (value == b->words[i + 1].val)
			continue;
		if (leave(b, i))
			return -EAGAIN;
		b->watched = 1; /* requeued, or taken: the park word alone */
	}
	return 0;
}

/* A wait counts once, however often it sleeps. */
static int sleep_in_kernel(struct ufx_blocked *b)
{
	int ret = b->kind == UFX_WAIT_RESTARTS ?
			  ufx_park_words(b->words, b->watched, b->deadline) :
			  sleep_alone(b);

	if (!b->slept && ret != -EAGAIN && ret != -EFAULT) {
		b->slept = true;
		ufx_count(UFX_COUNT_SLEPT);
	}
	return ret;
}

/* 0 or -EAGAIN: look what has happened. Else what the kernel says. */
static int sleep_once(struct ufx_blocked *b)
{
	uint32_t *park = &b->thread->park;
	int ret = 0;

	/* As which it sleeps: so a waker knows whether the word's bell will do. */
	b->words[0].val = b->kind == UFX_WAIT_RESTARTS && b->watched > 1 &&
					  ufx_park_has_waitv() ?
				  UFX_PARK_WATCHING : UFX_PARK_ASLEEP;

	/*
	 * Asleep, then look. Partner: the waker stores "woken", then exchanges
	 * the same word (ufx_unpark). If its exchange comes first, ours acquires
	 * "woken"; if ours does, it finds us asleep and wakes. The same with
	 * "interrupted" and ufx_futex_interrupt in a handler of this thread.
	 */
	ufx_xchg(park, (uint32_t)b->words[0].val);
	if (any_woken(b) && !UFX_FAULT(SLEEP_BLINDLY))
		ret = 0;
	else if (interrupted(b) || ufx_wait_forked(b->domain, &b->waiters[0]))
		ret = -EAGAIN;
	else
		ret = sleep_in_kernel(b);
	/*
	 * Acquires what the waker exchanged into it. A store would hide that from
	 * the next exchange, and only the kernel's own order of waking would be
	 * left to show us "woken" before we sleep again.
	 */
	ufx_xchg(park, UFX_PARK_AWAKE);
	return ret;
}

/* Too soon to spend the time otherwise than asleep. */
static bool ends_soon(const struct ufx_deadline *deadline)
{
	struct timespec now;
	int64_t left;

	if (!deadline)
		return false;
	ufx_clock(deadline->clock, &now);
	left = (int64_t)deadline->at.tv_sec - now.tv_sec;
	if (left > 1)
		return false;
	return left * 1000000000 + deadline->at.tv_nsec - now.tv_nsec < 1000000;
}

/* Block's for -EINTR, where that is not what the kernel says. */
#define IN_CHILD -ECHILD

/*
 * Sleeps until a waiter is woken (0), the kernel says that a word was (its
 * number, from 1), or something else ends it (-errno).
 */
static int block(struct ufx_blocked *b)
{
	for (;;) {
		int ret = sleep_once(b);

		/*
		 * By a wake of ours: of us, which we will see, or of those before us.
		 * Or, where there may be other copies of the engine, of theirs.
		 */
		if (ret > 0 &&
		    (UFX_EMBEDDED || ufx_bell_rang(b->words[ret].uaddr, &b->rings)))
			ret = 0;
		if (interrupted(b))
			return ret;
		if (any_woken(b))
			return 0;
		if (ufx_wait_forked(b->domain, &b->waiters[0]))
			return IN_CHILD;
		if (ret > 0) { /* somebody woke the word by a system call */
			ufx_add_relaxed(&foreign_wakes, 1);
			ufx_count(UFX_COUNT_FOREIGN);
			return ret;
		}
		if (ret == -EAGAIN) /* awake already, or a word has changed */
			ret = after_mismatch(b);
		if (ret)
			return ret;
	}
}

/* ---- the two ends; marked inside ---- */

static void set_up(struct ufx_blocked *b)
{
	for (unsigned int i = 0; i < b->n; i++) {
		struct ufx_waiter *w = &b->waiters[i];

		w->mask = b->mask;
		w->park = &b->thread->park;
		w->priority = ufx_domain_config(b->domain)->options.fifo ?
				      0 : (uint8_t)b->thread->priority;
		/* Another copy's threads would take our ring for a wake from outside. */
		w->here = b->n == 1 && !UFX_EMBEDDED;
		w->node = w->guest = 0; /* the line may have been one's */
		w->ending = UFX_WOKEN;
	}
	b->rings = ufx_bell_look(b->words[1].uaddr);
	b->words[0] = ufx_park_entry(&b->thread->park, UFX_PARK_ASLEEP);
	/* The kernel takes 128: then the last word goes without. */
	b->watched = b->n + 1 > UFX_FUTEX_WAITV_MAX ? UFX_FUTEX_WAITV_MAX : b->n + 1;
	b->interrupted = false;
}

/* Ends the first @n of them; the highest woken one wins over @ret. */
static long finish(struct ufx_blocked *b, unsigned int n, long ret)
{
	bool woken = false;

	for (unsigned int i = n; i-- > 0;) {
		if (!ufx_wait_finish(b->domain, &b->waiters[i]) || woken)
			continue;
		/* A wake comes before a cancel: it counted us, and is lost on others. */
		woken = b->waiters[i].ending == UFX_WOKEN;
		ret = woken ? (long)i : -ECANCELED;
	}
	ufx_thread_lines_free(b->thread, b->n);
	ufx_store(&b->thread->blocked, b->outer);
	return ret;
}

/* Has a handler forked since @b's thread took its record, and is this the child? */
static bool disowned(const struct ufx_blocked *b)
{
	return !ufx_load(&b->thread->claimed);
}

/* From here on handlers find this wait. Its @outer is still there at the end. */
static void name(struct ufx_blocked *b)
{
	b->outer = ufx_load(&b->thread->blocked);
	/* A child of vfork has its parent's record, and may die here. */
	if (!ufx_load(&ufx_thread_unregistered))
		ufx_store(&b->thread->blocked, b);
}

/*
 * Spins before it queues: whoever wakes the words meanwhile finds nobody there.
 * True: it has ended, with -EAGAIN or by a handler.
 */
static bool ends_unqueued(struct ufx_blocked *b)
{
	bool changed;

	if (!b->thread->cpus || ends_soon(b->deadline))
		return false;
	ufx_enter_inside();
	name(b);
	ufx_leave_inside();
	changed = ufx_spin(b->thread, &b->words[1], b->n, &b->interrupted);
	ufx_enter_inside();
	if (!ufx_load(&b->interrupted)) {
		b->result = -EAGAIN;
		if (!disowned(b))
			ufx_store(&b->thread->blocked, b->outer);
	}
	ufx_leave_inside();
	return changed || ufx_load(&b->interrupted);
}

/* Queues all. False: it has ended, with a result. */
static bool begin(struct ufx_blocked *b)
{
	b->result = -EINTR;
	if (ufx_load(&ufx_thread_hurried)) /* from now on handlers find us named */
		return false;
	b->waiters = ufx_thread_lines(b->thread, b->n);
	b->result = disowned(b) ? -EINTR : -ENOMEM;
	if (!b->waiters)
		return false;
	set_up(b);
	name(b);
	for (unsigned int i = 0; i < b->n; i++) {
		long ret = ufx_wait_prepare(b->domain, &b->waiters[i],
					    word_of(&b->words[i + 1]),
					    (uint32_t)b->words[i + 1].val);

		if (ret) { /* an earlier one may have been woken: that counts */
			b->result = finish(b, i, ret);
			if (UFX_FAULT(WAITV_FORGETS))
				b->result = ret;
			return false;
		}
	}
	/* Later the waiters tell; but these may be queued in the child's table. */
	if (!disowned(b))
		return true;
	b->result = finish(b, b->n, -EINTR);
	return false;
}

/* After ufx_futex_interrupt: its answer stands unless there was more than it. */
static void end_interrupted(struct ufx_blocked *b, long ret)
{
	if (b->result >= 0 || b->result == -ECANCELED) /* ended before */
		return;
	if (ret == 0 || ret == -EAGAIN || ret == IN_CHILD)
		return;
	/* A system call woke the word; time; or a handler without SA_RESTART too. */
	b->result = ret > 0 ? ret - 1 : ret;
	b->again = false;
}

/* @ret: block's. */
static void end(struct ufx_blocked *b, long ret)
{
	if (ufx_load(&b->interrupted))
		end_interrupted(b, ret);
	else if (ret == IN_CHILD)
		b->result = finish(b, b->n, -EINTR);
	else
		b->result = finish(b, b->n, ret > 0 ? ret - 1 : ret);
}

/* True if it is to be made again, at the tail. */
static bool wait_once(struct ufx_blocked *b)
{
	bool queued;
	int ret;

	b->again = false;
	ufx_enter_inside();
	queued = begin(b);
	ufx_leave_inside();
	if (!queued)
		return false;
	ret = block(b);
	ufx_enter_inside();
	end(b, ret);
	ufx_leave_inside();
	return b->again && b->result < 0;
}

long ufx_wait(struct ufx_domain *d, struct ufx_waitv_entry *words, unsigned int n,
	      uint32_t mask, const struct ufx_deadline *deadline,
	      enum ufx_wait_kind kind)
{
	struct ufx_blocked b = { .domain = d, .words = words, .n = n, .mask = mask,
				 .deadline = deadline, .kind = kind };

	/* R11: a handler over a critical section of its own thread. */
	if (ufx_thread_inside && !UFX_FAULT(WAIT_INSIDE))
		return -EINTR;
	b.thread = ufx_thread_self();
	if (!b.thread)
		return -ENOMEM;
	ufx_spin_prepare(b.thread);
	if (ends_unqueued(&b) && !b.again)
		return b.result;
	while (wait_once(&b))
		;
	return b.result;
}

/* ---- for handlers ---- */

static void interrupt(struct ufx_blocked *b, bool restart)
{
	b->again = restart && b->kind == UFX_WAIT_RESTARTS;
	if (b->waiters) {
		b->result = finish(b, b->n, -EINTR);
		b->again = b->again && b->result == -EINTR;
	} else {
		b->result = -EINTR;
		ufx_store(&b->thread->blocked, b->outer);
	}
	ufx_store(&b->interrupted, true);
}

bool ufx_futex_interrupt(bool restart)
{
	struct ufx_thread *t = ufx_thread_record;
	struct ufx_blocked *b;

	if ((ufx_thread_inside || ufx_load(&ufx_thread_bound)) &&
	    !UFX_FAULT(INTERRUPT_INSIDE))
		return false;
	if (!t || !ufx_load(&t->claimed) || UFX_FAULT(INTERRUPT_QUEUED))
		return true;
	ufx_enter_inside();
	while ((b = ufx_load(&t->blocked))) /* those that earlier handlers made too */
		interrupt(b, restart);
	/*
	 * R12: a sleep that the kernel restarts finds itself awake. Partner:
	 * sleep_once, which looks whether it is interrupted once it is asleep.
	 */
	if (!UFX_FAULT(INTERRUPT_ASLEEP))
		ufx_xchg(&t->park, UFX_PARK_AWAKE);
	ufx_leave_inside();
	return true;
}
