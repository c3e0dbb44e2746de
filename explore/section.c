/* SPDX-License-Identifier: MIT */
/*
 * Restartable sequences, step by step: what section-model.h is made of. Before
 * each step the sequence may be aborted: by a choice (preempted, and perhaps
 * continued on another CPU), by another thread on its CPU, a signal, or a grace
 * period.
 *
 * A load may also be a page fault: then an abort takes effect only after it,
 * so the load happens although it should not matter any more.
 */
#include <ufutex/section.h>

#include "host/thread.h"
#include "state.h"

void section_begin(struct section *s)
{
	s->aborted = false;
	s->cpu = fiber_now()->cpu;
	/* Of a thread that the kernel does not know of, nothing is restarted. */
	if (model->exploring && !ufx_thread_unregistered)
		fiber_now()->section = s;
}

void section_end(struct section *s)
{
	(void)s;
	fiber_now()->section = NULL;
}

/* Preempted: it goes on on the next CPU, but in a child of vfork. */
static void preempt(struct section *s)
{
	struct fiber *f = fiber_now();

	if (f->section != s)
		return;
	s->aborted = true;
	f->section = NULL;
	f->cpu = (f->cpu + 1) % CPUS;
	trace_note("-- preempted, goes on on CPU %u --", f->cpu);
}

enum { HERE, PREEMPTED, FAULT };

static bool abandoned(struct section *s)
{
	trace_note("-- its sequence is aborted --");
	section_end(s);
	return false;
}

static uint64_t raw(const void *addr, unsigned int size)
{
	return size == 4 ? *(const uint32_t *)addr : *(const uint64_t *)addr;
}

bool section_load(struct section *s, const void *addr, unsigned int size, int order,
		  uint64_t *value)
{
	unsigned int what;

	if (!model->exploring) {
		*value = raw(addr, size);
		return true;
	}
	what = choose(CHOICE_SECTION, 3, 6);
	if (what == PREEMPTED)
		preempt(s);
	else
		point(addr);
	if (s->aborted) {
		if (what == FAULT)
			memory_check_mapped(addr, size);
		return abandoned(s);
	}
	order = order_at((uintptr_t)__builtin_return_address(0), order);
	memory_check(addr, size);
	race_check(addr, size, ACCESS_ATOMIC_READ);
	*value = view_load(addr, size, order);
	trace_step("section: load", addr, "%#lx", *value);
	return true;
}

/* Before a commit. False: aborted. */
static bool reaches(struct section *s, void *word)
{
	if (choose(CHOICE_SECTION, 2, 2))
		preempt(s);
	else
		point(word);
	return !s->aborted || abandoned(s);
}

bool section_add(struct section *s, void *word, uint64_t n)
{
	if (!model->exploring) {
		*(uint64_t *)word += n;
		return true;
	}
	if (!reaches(s, word))
		return false;
	model->pc = (uintptr_t)__builtin_return_address(0);
	memory_check(word, 8);
	race_check(word, 8, ACCESS_ATOMIC_WRITE);
	trace_step("section: commit", word, "%#lx + %ld", *(uint64_t *)word, (long)n);
	view_rmw(word, 8, *(uint64_t *)word + n, __ATOMIC_RELAXED);
	section_end(s);
	return true;
}

bool section_swap(struct section *s, void *word, uint64_t expected, uint64_t desired,
		  int order)
{
	if (!model->exploring) {
		*(uint64_t *)word = desired;
		return true;
	}
	if (!reaches(s, word))
		return false;
	order = order_at((uintptr_t)__builtin_return_address(0), order);
	memory_check(word, 8);
	race_check(word, 8, ACCESS_ATOMIC_WRITE);
	section_end(s);
	if (*(uint64_t *)word != expected) {
		trace_step("section: swap failed", word, "%#lx", *(uint64_t *)word);
		return false;
	}
	trace_step("section: commit", word, "%#lx -> %#lx", expected, desired);
	view_rmw(word, 8, desired, order);
	return true;
}
