/* SPDX-License-Identifier: MIT */
/*
 * Who runs next. A schedule ends when all fibers have ended, or with a
 * finding: a claim that does not hold, a race, memory used after it was given
 * back, or nobody who can go on (a lost wake-up).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <ufutex/section.h>

#include "scenario.h"
#include "state.h"

enum { RUN = 0 << 4, TIMEOUT = 1 << 4, SIGNAL = 2 << 4 };

struct fiber *fiber_now(void)
{
	return &model->fibers[model->now];
}

static void leave_for_good(void)
{
	void *dead;

	fiber_switch(&dead, model->main_stack_pointer);
	__builtin_unreachable();
}

void finding(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(model->message, sizeof(model->message), format, list);
	va_end(list);
	model->found = true;
	trace_note("%s", model->message);
	leave_for_good();
	__builtin_unreachable();
}

/* What of @fiber another thread on its CPU, or the kernel, cuts short. */
static void abort_section(struct fiber *fiber)
{
	if (fiber->section)
		fiber->section->aborted = true;
	fiber->section = NULL;
}

void abort_sections(void)
{
	for (unsigned int i = 0; i < model->fibers_used; i++)
		if (i != model->now)
			abort_section(&model->fibers[i]);
}

static void switch_to(unsigned int next)
{
	struct fiber *from = fiber_now(), *to = &model->fibers[next];

	if (to == from)
		return;
	/* One CPU runs one thread: whoever was amid a section there is out. */
	for (unsigned int i = 0; i < model->fibers_used; i++)
		if (i != next && model->fibers[i].cpu == to->cpu)
			abort_section(&model->fibers[i]);
	image_tls_out(from);
	model->now = next;
	image_tls_in(to);
	fiber_switch(&from->stack_pointer, to->stack_pointer);
}

/* ---- signals ---- */

#define HANDLERS 2 /* that run at most, one over the other */

static bool takes_signals(const struct fiber *f)
{
	return f->handlers < HANDLERS && !f->blocks_signals;
}

static void run_handler(struct fiber *f)
{
	f->signals--;
	f->handlers++;
	abort_section(f);
	trace_note("-- signal: its handler runs --");
	model->scenario->handler();
	trace_note("-- the handler returns --");
	f->handlers--;
}

bool take_signal(void)
{
	struct fiber *f = fiber_now();

	if (!f->signalled)
		return false;
	f->signalled = false;
	run_handler(f);
	return true;
}

void take_all_signals(void)
{
	while (fiber_now()->signals)
		run_handler(fiber_now());
}

void **scenario_landing(void)
{
	return fiber_now()->landing;
}

bool scenario_may_leave(void)
{
	return fiber_now()->landing[1]; /* of the code; before it the frame pointer */
}

void scenario_stay(void)
{
	fiber_now()->landing[1] = NULL;
}

void scenario_leave(void)
{
	trace_note("-- the handler leaves --");
	fiber_now()->handlers--;
	__builtin_longjmp(fiber_now()->landing, 1);
}

void point_local(void)
{
	struct fiber *f = fiber_now();

	if (++model->steps > STEPS_MAX)
		finding("it goes in circles: %d steps", STEPS_MAX);
	if (f->signals && takes_signals(f) && choose(CHOICE_SIGNAL, 2, 2))
		run_handler(f);
}

/* ---- the next fiber ---- */

struct candidates {
	uint8_t list[3 * FIBERS];
	unsigned int n;
	uint32_t costly;
};

static void add(struct candidates *c, unsigned int fiber, unsigned int why, bool costly)
{
	c->costly |= (uint32_t)costly << c->n;
	c->list[c->n++] = (uint8_t)(fiber | why);
}

static void add_runnable(struct candidates *c)
{
	struct fiber *now = fiber_now();
	bool stays = now->state == FIBER_RUNNABLE && !now->yielded;

	if (stays)
		add(c, model->now, RUN, false);
	for (unsigned int i = 0; i < model->fibers_used; i++) {
		struct fiber *f = &model->fibers[i];

		if (f != now && f->state == FIBER_RUNNABLE && !f->yielded)
			add(c, i, RUN, stays);
	}
}

/* Things that happen to sleepers: at a price while somebody else can run. */
static void add_events(struct candidates *c)
{
	bool others = c->n;

	for (unsigned int i = 0; i < model->fibers_used; i++) {
		struct fiber *f = &model->fibers[i];

		if (f->state != FIBER_ASLEEP)
			continue;
		if (f->sleeper.timed)
			add(c, i, TIMEOUT, others);
		if (f->signals && takes_signals(f))
			add(c, i, SIGNAL, others);
	}
}

/* The running fiber has taken a step since they gave way. */
static void forget_yields_of_others(void)
{
	for (unsigned int i = 0; i < model->fibers_used; i++)
		if (i != model->now)
			model->fibers[i].yielded = false;
}

static void happen(uint8_t candidate)
{
	struct fiber *f = &model->fibers[candidate & 15];

	if (candidate >> 4 == TIMEOUT >> 4)
		f->sleeper.result = -ETIMEDOUT;
	if (candidate >> 4 == SIGNAL >> 4) {
		f->sleeper.result = -EINTR;
		f->signalled = true;
	}
	f->state = FIBER_RUNNABLE;
}

static bool all_done(void)
{
	for (unsigned int i = 0; i < model->fibers_used; i++)
		if (model->fibers[i].state != FIBER_DONE)
			return false;
	return true;
}

static void nobody_can_go_on(void)
{
	char who[80] = "";

	if (all_done())
		leave_for_good();
	for (unsigned int i = 0; i < model->fibers_used; i++)
		if (model->fibers[i].state == FIBER_ASLEEP)
			snprintf(who + strlen(who), sizeof(who) - strlen(who), " T%u", i + 1);
	finding("nobody can go on: asleep for ever are%s", who);
}

static void reschedule(void)
{
	struct candidates c = { .n = 0 };
	unsigned int chosen;

	forget_yields_of_others();
	add_runnable(&c);
	if (!c.n) {
		fiber_now()->yielded = false;
		add_runnable(&c);
	}
	add_events(&c);
	if (!c.n)
		nobody_can_go_on();
	chosen = choose_fiber(c.list, c.n, c.costly);
	if (c.list[chosen] >> 4)
		happen(c.list[chosen]);
	if ((c.list[chosen] & 15) == model->now)
		return;
	switch_to(c.list[chosen] & 15);
}

void point(const void *addr)
{
	if (!model->exploring)
		return;
	point_local();
	if (!addr || view_shared(addr))
		reschedule();
}

void point_yield(void)
{
	if (!model->exploring)
		return;
	point_local();
	abort_section(fiber_now());
	fiber_now()->yielded = true;
	reschedule();
	fiber_now()->yielded = false;
	view_settle();
}

void point_sleep(void)
{
	model->steps++;
	fiber_now()->state = FIBER_ASLEEP;
	reschedule();
}

void only_this_fiber(void)
{
	for (unsigned int i = 0; i < model->fibers_used; i++)
		if (i != model->now)
			model->fibers[i].state = FIBER_DONE;
	model->forked = true;
	memory_wipe();
	view_settle();
	races_reset();
}

/* ---- a schedule ---- */

/* What every fiber runs: its thread, then what signals it has not got yet. */
static void thread_of_scenario(void)
{
	struct fiber *f = fiber_now();

	model->scenario->threads[model->now]();
	take_all_signals();
	f->state = FIBER_DONE;
	model->steps++;
	reschedule();
}

static void set_up_fibers(void)
{
	const struct scenario *s = model->scenario;

	model->fibers_used = 0;
	for (unsigned int i = 0; i < FIBERS && s->threads[i]; i++) {
		struct fiber *f = &model->fibers[i];

		memset(f, 0, offsetof(struct fiber, priority));
		f->state = FIBER_RUNNABLE;
		f->run = thread_of_scenario;
		f->cpu = i % CPUS;
		f->signals = s->signals[i];
		image_tls_out(f); /* as the set-up left it: nothing claimed */
		fiber_prepare(i);
		model->fibers_used++;
	}
}

void run_schedule(void)
{
	uint8_t all[FIBERS];

	image_restore();
	views_reset();
	races_reset();
	model->found = model->forked = false;
	model->steps = 0;
	model->trace_used = 0;
	set_up_fibers();
	choose_begin();
	model->exploring = true;
	for (unsigned int i = 0; i < model->fibers_used; i++)
		all[i] = (uint8_t)i;
	model->now = choose_fiber(all, model->fibers_used, 0);
	image_tls_in(fiber_now());
	fiber_switch(&model->main_stack_pointer, fiber_now()->stack_pointer);
	model->exploring = false;
	if (!model->found && model->scenario->check)
		model->scenario->check();
	model->statistics.schedules++;
	model->statistics.steps += model->steps;
	if (model->statistics.deepest < model->steps)
		model->statistics.deepest = model->steps;
}
