/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "grace/period.h"
#include "host/atomic.h"
#include "host/fault.h"
#include "host/lock.h"
#include "host/memory.h"
#include "host/thread.h"
#include "ref/cells.h"
#include "ref/counted.h"
#include "ref/idle.h"

enum step {
	STEP_PERCPU,  /* nothing under way */
	STEP_DROPPED, /* begin is to be called after a grace period */
	STEP_BEGUN,   /* end is */
	STEP_FOLDED,  /* the atomic count tells the truth */
};

struct ufx_migration *ufx_idle_new(void)
{
	struct ufx_migration *m = ufx_pages_alloc(sizeof(*m));

	if (m && ufx_counters_init(&m->counters)) {
		ufx_pages_free(m, sizeof(*m));
		m = NULL;
	}
	if (m)
		m->keepers = 1;
	return m;
}

void ufx_idle_keep(struct ufx_migration *m)
{
	if (!UFX_FAULT(NO_KEEPER))
		ufx_fetch_add(&m->keepers, 1);
}

static void unkeep(struct ufx_migration *m)
{
	if (ufx_fetch_sub(&m->keepers, 1) != 1)
		return;
	ufx_cells_free(m->counters.cells);
	ufx_pages_free(m, sizeof(*m));
}

void ufx_idle_unkeep(struct ufx_migration *m)
{
	if (!UFX_FAULT(NO_KEEPER))
		unkeep(m);
}

/* I7: the last transition is complete, its object switched out. */
static void begin(struct ufx_migration *m)
{
	ufx_counted_begin(m->current);
	ufx_store_release(&m->step, STEP_BEGUN);
}

/* The same from a deferred call: the object may have gone. */
static bool begin_unless_gone(struct ufx_migration *m)
{
	bool gone;

	ufx_enter_inside();
	ufx_lock(&m->lock);
	gone = m->gone && !UFX_FAULT(GONE_UNSEEN);
	if (!gone)
		begin(m);
	ufx_unlock(&m->lock);
	ufx_leave_inside();
	return !gone;
}

static void end(struct ufx_migration *m)
{
	int64_t change;

	/*
	 * R4, I8: a grace period has passed since "atomic", so nobody counts on
	 * the cells. Collect, re-arm for the next object, say "folded", and only
	 * then fold: until that one instruction the count carries the bias, so
	 * at no instant does a user find zero and nobody who may switch.
	 */
	change = ufx_cells_collect(m->counters.cells) - 1;
	change -= UFX_FAULT(NO_BIAS) ? 1 : UFX_BIAS;
	if (!UFX_FAULT(NO_REARM))
		ufx_cells_add(m->counters.cells, 1);
	if (!UFX_FAULT(SAID_LATE))
		ufx_store_release(&m->step, STEP_FOLDED);
	if (ufx_fetch_add(&m->counters.count, change) + change == 0)
		ufx_idle_zero(&m->counters);
	if (UFX_FAULT(SAID_LATE))
		ufx_store_release(&m->step, STEP_FOLDED);
}

static void next_step(struct ufx_call *call)
{
	struct ufx_migration *m = ufx_container(call, struct ufx_migration, call);

	if (ufx_load(&m->step) == STEP_DROPPED) {
		if (begin_unless_gone(m))
			ufx_grace_call_hurry(&m->call, next_step);
		else
			ufx_idle_unkeep(m);
		return;
	}
	end(m);
	ufx_idle_unkeep(m); /* the last touch */
}

bool ufx_idle_drop(struct ufx_migration *m, struct ufx_counted *current)
{
	if (ufx_load(&m->step) != STEP_PERCPU)
		return false;
	m->current = current;
	ufx_idle_keep(m);
	if (ufx_grace_poll(m->published)) /* a period has elapsed: skip one */
		begin(m);
	else
		ufx_store_release(&m->step, STEP_DROPPED);
	return true;
}

void ufx_idle_hurry(struct ufx_migration *m)
{
	ufx_grace_call_hurry(&m->call, next_step);
}

bool ufx_idle_dead(const struct ufx_migration *m, const struct ufx_counted *current)
{
	return ufx_counted_atomic(current) &&
	       ufx_load_acquire(&m->step) == STEP_FOLDED &&
	       ufx_load_acquire(&m->counters.count) == 0;
}

void ufx_idle_publish(struct ufx_migration *m, void **where,
		      struct ufx_counted *next)
{
	ufx_store_release(&m->step, STEP_PERCPU);
	ufx_counted_init(next, &m->counters);
	/* R1: the cookie comes from the publication. */
	m->published = ufx_grace_publish(where, next);
}

/* Lets go of the CPU for somebody who may have a lower priority. */
static void nap(void)
{
	unsigned int round = UINT16_MAX;

	ufx_relax(&round);
}

int ufx_idle_wait(struct ufx_migration *m)
{
	uint32_t step = ufx_load_acquire(&m->step);
	int64_t count = ufx_load_acquire(&m->counters.count);
	int ret;

	if (step == STEP_FOLDED && count >= UFX_BIAS / 2) {
		nap(); /* about to be folded */
		return 0;
	}
	if (step == STEP_FOLDED && count) {
		/* Partner: ufx_idle_zero, after the count has changed. */
		ufx_word_wait_briefly(ufx_low_half(&m->counters.count),
				      (uint32_t)count);
		return 0;
	}
	if (step == STEP_FOLDED || step == STEP_PERCPU)
		return 0;
	/* Another thread drives our call: help, or wait until it has. */
	ret = ufx_grace_barrier();
	/* Refused for us is not refused for whoever got it done. */
	if (ufx_load_acquire(&m->step) != step)
		return 0;
	if (!ret) /* whoever dropped it is about to queue the call */
		nap();
	return ret;
}

void ufx_idle_zero(struct ufx_counters *k)
{
	ufx_word_wake(ufx_low_half(&k->count), INT32_MAX);
}

void ufx_idle_exit(struct ufx_migration *m)
{
	ufx_enter_inside();
	ufx_lock(&m->lock);
	m->gone = true;
	ufx_unlock(&m->lock);
	ufx_leave_inside();
	unkeep(m);
}
