/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "host/atomic.h"
#include "host/memory.h"
#include "host/syscall.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

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

#if UFX_TSAN
/* The sanitizer must see that an address is used again for something else. */
void *ufx_pages_alloc(size_t size)
{
	void *p = must_fail(size) ? MAP_FAILED :
				    mmap(NULL, size, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void ufx_pages_free(void *pages, size_t size)
{
	munmap(pages, size);
}
#else
void *ufx_pages_alloc(size_t size)
{
	long p;

	if (must_fail(size))
		return NULL;
	p = ufx_syscall(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p < 0 && p > -4096 ? NULL : (void *)p;
}

void ufx_pages_free(void *pages, size_t size)
{
	ufx_syscall(SYS_munmap, (long)pages, (long)size, 0, 0, 0, 0);
}
#endif

/* ---- where the kernel does not wipe ---- */

struct wiped {
	struct wiped *next;
	void *pages;
	size_t size;
};

static struct wiped *wiped_list;
static int unwiped; /* the kernel refused once: the fork handler is in place */

static void wipe_in_child(void)
{
	for (struct wiped *w = wiped_list; w; w = w->next)
		memset(w->pages, 0, w->size);
}

/* Remembers @pages for the fork handler, in a page of its own behind them. */
static void remember(void *pages, size_t size, struct wiped *w)
{
	if (!ufx_xchg(&unwiped, 1))
		pthread_atfork(NULL, NULL, wipe_in_child);
	w->pages = pages;
	w->size = size;
	w->next = ufx_load(&wiped_list);
	while (!ufx_cas(&wiped_list, &w->next, w))
		;
}

/* Has fork wipe @pages; @spare is memory to remember them in otherwise. */
static bool wipe_on_fork(void *pages, size_t size, void *spare)
{
	if (!ufx_syscall(SYS_madvise, (long)pages, (long)size, MADV_WIPEONFORK, 0,
			 0, 0))
		return true;
	remember(pages, size, spare);
	return false;
}

void *ufx_pages_alloc_wiped(size_t size)
{
	char *p = ufx_pages_alloc(size + 4096);

	if (p && wipe_on_fork(p, size, p + size))
		ufx_pages_free(p + size, 4096);
	return p;
}

void *ufx_pages_alloc_pair(size_t size)
{
	char *p = ufx_pages_alloc(2 * size);

	if (p)
		wipe_on_fork(p, size, p + 2 * size - sizeof(struct wiped));
	return p;
}

void ufx_pages_free_pair(void *pages, size_t size)
{
	if (ufx_pages_wiped())
		ufx_pages_free(pages, 2 * size);
	else /* the fork handler's list names it; give the memory back only */
		ufx_syscall(SYS_madvise, (long)pages, (long)size, MADV_DONTNEED, 0,
			    0, 0);
}

bool ufx_pages_wiped(void)
{
	return !ufx_load(&unwiped);
}
