/* SPDX-License-Identifier: MIT */
/*
 * Posted wakes (R11). A handler that interrupts its own thread in a critical
 * section leaves its wakes here. The interrupted frame carries them out once
 * it has cleared the mark (ufx_leave_inside). Handlers nest, so whoever finds
 * the list half changed returns before the changer goes on.
 */
#include "futex/wake.h"
#include "host/memory.h"
#include "host/thread.h"

static bool merge(struct ufx_posted_page *page, struct ufx_domain *d,
		  uint64_t key, uint32_t n, uint32_t mask)
{
	for (uint32_t i = 0; i < ufx_load(&page->used); i++) {
		struct ufx_posted *p = &page->wakes[i];

		if (p->domain == d && p->key == key && p->mask == mask && p->count) {
			p->count = p->count + n < n ? UINT32_MAX : p->count + n;
			return true;
		}
	}
	return false;
}

static bool append(struct ufx_posted_page *page, struct ufx_domain *d,
		   uint64_t key, uint32_t n, uint32_t mask)
{
	uint32_t i = ufx_load(&page->used);

	if (i == UFX_POSTED_MAX)
		return false;
	/* Taken before it is filled: a handler over us takes the next. */
	ufx_store(&page->used, i + 1);
	ufx_compiler_barrier();
	page->wakes[i] = (struct ufx_posted){ d, key, n, mask };
	return true;
}

void ufx_post(struct ufx_domain *d, uint64_t key, uint32_t n, uint32_t mask)
{
	struct ufx_thread *t = ufx_thread_self();
	struct ufx_posted_page *page;

	if (!t)
		return;
	for (page = &t->posted;; page = page->next) {
		if (merge(page, d, key, n, mask) || append(page, d, key, n, mask))
			break;
		if (!page->next)
			page->next = ufx_pages_alloc(sizeof(*page));
		if (!page->next)
			return;
	}
	ufx_store(&ufx_thread_posted, 1);
}

static void run_page(struct ufx_posted_page *page)
{
	struct ufx_posted wakes[UFX_POSTED_MAX];
	uint32_t used = ufx_load(&page->used);

	/* Copied out first: a wake of ours may be interrupted and posted to. */
	for (uint32_t i = 0; i < used; i++) {
		/* In one step: a handler here may run what is left. */
		uint32_t count = ufx_xchg(&page->wakes[i].count, 0);

		wakes[i] = page->wakes[i];
		wakes[i].count = count;
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

	if (!UFX_FAULT(POSTED_FORGOTTEN))
		ufx_store(&ufx_thread_posted, 0);
	ufx_compiler_barrier();
	for (struct ufx_posted_page *page = t ? &t->posted : NULL; page;
	     page = page->next)
		run_page(page);
	if (UFX_FAULT(POSTED_FORGOTTEN))
		ufx_store(&ufx_thread_posted, 0);
}

void (*const ufx_thread_run_posted)(void) = run_posted;
