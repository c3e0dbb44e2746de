/* SPDX-License-Identifier: MIT */
/* host/memory.h, over any host. */
#include <string.h>

#include <ufutex/host.h>

#include "host/atomic.h"
#include "host/memory.h"

static size_t fail_size;
static unsigned int fail_times;

void ufx_pages_fail(size_t size, unsigned int times)
{
	fail_size = size;
	ufx_store(&fail_times, times);
}

static bool must_fail(size_t size)
{
	if (ufx_likely(!ufx_load(&fail_times)) || size < fail_size)
		return false;
	ufx_fetch_sub(&fail_times, 1);
	return true;
}

void *ufx_pages_alloc(size_t size)
{
	return must_fail(size) ? NULL : ufx_host_alloc(size);
}

void ufx_pages_free(void *pages, size_t size)
{
	ufx_host_free(pages, size);
}

/* No sequence reads them, so they may go. */
void *ufx_pages_alloc_stable(size_t size)
{
	return ufx_pages_alloc(size);
}

void ufx_pages_free_stable(void *pages, size_t size)
{
	ufx_host_free(pages, size);
}

/* ---- what is zero in the child of a fork ---- */

/* Lies behind it. */
struct wiped {
	struct wiped *next;
	void *pages;
	size_t size;
};

static struct wiped *wiped_list;
static struct ufx_wiped_locks locks;
struct ufx_wiped_locks *ufx_wiped_locks = &locks;

static void *alloc(size_t size, size_t behind)
{
	char *p = ufx_pages_alloc(size + behind + sizeof(struct wiped));
	struct wiped *w = (struct wiped *)(void *)(p + size + behind);

	if (!p)
		return NULL;
	w->pages = p;
	w->size = size;
	w->next = ufx_load(&wiped_list);
	while (!ufx_cas(&wiped_list, &w->next, w))
		;
	return p;
}

void *ufx_pages_alloc_wiped(size_t size)
{
	return alloc((size + 63) & ~(size_t)63, 0);
}

void *ufx_pages_alloc_pair(size_t size)
{
	return alloc(size, size);
}

bool ufx_pages_wiped(void)
{
	return false; /* by ufx_host_forked alone */
}

void ufx_host_forked(void)
{
	memset(&locks, 0, sizeof(locks));
	for (struct wiped *w = wiped_list; w; w = w->next)
		memset(w->pages, 0, w->size);
}
