/* SPDX-License-Identifier: MIT */
/*
 * Posted wakes (R11). A handler that interrupts its own thread in a critical
 * section leaves its wakes here. The interrupted frame carries them out once
 * it has cleared the mark (ufx_leave_inside). Handlers nest: another one may
 * post between any two instructions here, so each change that others build on
 * is one instruction. Whoever finds the list half changed returns before the
 * changer goes on.
 */
#include "futex/wake.h"
#include "host/memory.h"
#include "host/thread.h"

/* Adds, up to all; in one step, since a handler here may merge as well. */
static void add(uint32_t *count, uint32_t n)
{
	uint32_t old = ufx_load(count);

	if (UFX_FAULT(MERGE_PLAINLY)) {
		ufx_store(count, old + n);
		return;
	}
	while (!ufx_cas(count, &old, old + n < n ? UINT32_MAX : old + n))
		;
}

static bool merge(struct ufx_posted_page *page, struct ufx_domain *d,
		  uint64_t key, uint32_t n, uint32_t mask)
{
	for (uint32_t i = 0; i < ufx_load(&page->used); i++) {
		struct ufx_posted *p = &page->wakes[i];

		if (p->domain == d && p->key == key && p->mask == mask && p->count) {
			add(&p->count, n);
			return true;
		}
	}
	return false;
}

static bool append(struct ufx_posted_page *page, struct ufx_domain *d,
		   uint64_t key, uint32_t n, uint32_t mask)
{
	uint32_t i = ufx_load(&page->used);

	/* Taken before it is filled: a handler over us takes the next. */
	do {
		if (i == UFX_POSTED_MAX)
			return false;
	} while (!ufx_cas(&page->used, &i, i + 1));
	/* The count last: with it the entry is one to merge with. */
	page->wakes[i] = (struct ufx_posted){ d, key, 0, mask };
	ufx_compiler_barrier();
	ufx_store(&page->wakes[i].count, n);
	return true;
}

/* The page behind, made where there is none; NULL: no memory. */
static struct ufx_posted_page *next_of(struct ufx_posted_page *page)
{
	struct ufx_posted_page *none = NULL, *made;

	if (page->next)
		return page->next;
	made = ufx_pages_alloc(sizeof(*made));
	if (made && !ufx_cas(&page->next, &none, made)) /* a handler was faster */
		ufx_pages_free(made, sizeof(*made));
	return page->next;
}

void ufx_post(struct ufx_domain *d, uint64_t key, uint32_t n, uint32_t mask)
{
	struct ufx_thread *t = ufx_thread_self();
	struct ufx_posted_page *page;

	if (!t)
		return;
	for (page = &t->posted; page; page = next_of(page))
		if (merge(page, d, key, n, mask) || append(page, d, key, n, mask))
			break;
	if (!page)
		return;
	ufx_store(&ufx_thread_posted, 1);
}

static void run_page(struct ufx_posted_page *page)
{
	struct ufx_posted wakes[UFX_POSTED_MAX];
	uint32_t used = ufx_load(&page->used);

	/* Copied out first: a wake of ours may be interrupted and posted to. */
	for (uint32_t i = 0; i < used; i++) {
		/*
		 * The count last, in one step: a handler here may run what is
		 * left, and use the entry again; then there is no count to take.
		 */
		wakes[i] = page->wakes[i];
		ufx_compiler_barrier();
		wakes[i].count = ufx_xchg(&page->wakes[i].count, 0);
	}
	ufx_store(&page->used, 0);
	for (uint32_t i = 0; i < used; i++)
		if (wakes[i].count)
			ufx_wake(wakes[i].domain, wakes[i].key, wakes[i].count,
				 wakes[i].mask);
}

static void run_posted(void)
{
	struct ufx_thread *t = ufx_thread_self();

	ufx_bind(); /* what is copied out is nowhere else */
	ufx_store(&ufx_thread_posted, 0);
	ufx_compiler_barrier();
	for (struct ufx_posted_page *page = t ? &t->posted : NULL; page;
	     page = page->next)
		run_page(page);
	ufx_unbind(); /* lets handlers in */
}

void (*const ufx_thread_run_posted)(void) = run_posted;
