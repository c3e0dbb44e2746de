/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "host/atomic.h"
#include "host/lock.h"
#include "host/memory.h"
#include "host/syscall.h"
#include "host/thread.h"

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

/* ---- pages that a fork wipes ---- */

/* Lies behind the pages, where no fork wipes. */
struct wiped {
	struct wiped *next;
	struct wiped *next_free; /* pairs that may be used again */
	void *pages;
	size_t size;
};

#define CLASSES 64

struct stable {
	struct stable *next;
};

/*
 * What may be used again, with its locks; wiped. A fork copies page by page
 * while others run: of a list that they change the child could get one end
 * before and the other after.
 */
struct spare {
	struct ufx_wiped_locks locks;
	struct wiped *pairs;            /* all of one size */
	struct stable *stable[CLASSES]; /* by the logarithm of their size */
};

static struct wiped *wiped_list;
static struct spare *spare;
struct ufx_wiped_locks *ufx_wiped_locks;
static uint32_t unwiped; /* the kernel, or what plays it, did not do it once */

/*
 * MADV_WIPEONFORK needs Linux 4.14; some emulators take it and do nothing. So
 * a fork handler looks whether it was done, and does it if not. (A raw clone
 * and _Fork run no handler: there it is the kernel or nobody.)
 */
static void look_after_fork(void)
{
	if (ufx_load(&ufx_wiped_locks->canary)) {
		ufx_store(&unwiped, 1);
		for (struct wiped *w = wiped_list; w; w = w->next)
			memset(w->pages, 0, w->size);
	}
	ufx_store(&ufx_wiped_locks->canary, 1);
}

static void remember(void *pages, size_t size, struct wiped *w)
{
	w->pages = pages;
	w->size = size;
	w->next = ufx_load(&wiped_list);
	while (!ufx_cas(&wiped_list, &w->next, w))
		;
}

/* Has forks wipe @pages; @w is memory to remember them in. */
static void wipe_on_fork(void *pages, size_t size, struct wiped *w)
{
	if (ufx_syscall(SYS_madvise, (long)pages, (long)size, MADV_WIPEONFORK, 0, 0,
			0))
		ufx_store(&unwiped, 1);
	remember(pages, size, w);
}

int ufx_pages_start(void)
{
	spare = ufx_pages_alloc_wiped(4096);
	if (!spare)
		return -ENOMEM;
	ufx_wiped_locks = &spare->locks;
	ufx_wiped_locks->canary = 1;
	pthread_atfork(NULL, NULL, look_after_fork);
	return 0;
}

void *ufx_pages_alloc_wiped(size_t size)
{
	char *p = ufx_pages_alloc(size + 4096);

	if (p)
		wipe_on_fork(p, size, (struct wiped *)(p + size));
	return p;
}

/* Pairs are listed for ever, so those that were freed are used again. */
static struct wiped *behind(void *pair, size_t size)
{
	return (struct wiped *)((char *)pair + 2 * size) - 1;
}

static void *take_free_pair(void)
{
	struct wiped *w;

	ufx_enter_inside();
	ufx_lock(&ufx_wiped_locks->pairs);
	w = spare->pairs;
	if (w)
		spare->pairs = w->next_free;
	ufx_unlock(&ufx_wiped_locks->pairs);
	ufx_leave_inside();
	return w ? w->pages : NULL;
}

void *ufx_pages_alloc_pair(size_t size)
{
	char *p = take_free_pair();

	if (p)
		return p;
	p = ufx_pages_alloc(2 * size);
	if (p)
		wipe_on_fork(p, size, behind(p, size));
	return p;
}

void ufx_pages_free_pair(void *pages, size_t size)
{
	struct wiped *w = behind(pages, size);

	memset(pages, 0, 2 * size - sizeof(*w));
	ufx_enter_inside();
	ufx_lock(&ufx_wiped_locks->pairs);
	w->next_free = spare->pairs;
	spare->pairs = w;
	ufx_unlock(&ufx_wiped_locks->pairs);
	ufx_leave_inside();
}

/* ---- pages that are never unmapped ---- */

#define CLEAR_BY_HAND 16384 /* cheaper than having the kernel do it */

#ifdef UFX_FAULTS
void (*ufx_stable_hook)(void *pages, size_t size, bool freed);
#define CHANGES_HANDS(pages, class, freed)                                     \
	if (ufx_stable_hook && (pages))                                        \
		ufx_stable_hook((pages), (size_t)1 << (class), (freed))
#else
#define CHANGES_HANDS(pages, class, freed)
#endif

static unsigned int class_of(size_t size)
{
	return size <= 4096 ? 12 : 64 - (unsigned int)__builtin_clzl(size - 1);
}

void *ufx_pages_alloc_stable(size_t size)
{
	unsigned int class = class_of(size);
	struct stable *s;

	if (must_fail(size))
		return NULL;
	ufx_enter_inside();
	ufx_lock(&ufx_wiped_locks->stable);
	s = spare->stable[class];
	if (s) {
		spare->stable[class] = s->next;
		s->next = NULL;
	}
	ufx_unlock(&ufx_wiped_locks->stable);
	ufx_leave_inside();
	CHANGES_HANDS(s, class, false);
	return s ? s : ufx_pages_alloc((size_t)1 << class);
}

void ufx_pages_free_stable(void *pages, size_t size)
{
	struct stable *s = pages;

	if (size <= CLEAR_BY_HAND)
		memset(pages, 0, size);
	else
		ufx_syscall(SYS_madvise, (long)pages, (long)size, MADV_DONTNEED, 0,
			    0, 0);
	CHANGES_HANDS(pages, class_of(size), true);
	ufx_enter_inside();
	ufx_lock(&ufx_wiped_locks->stable);
	s->next = spare->stable[class_of(size)];
	spare->stable[class_of(size)] = s;
	ufx_unlock(&ufx_wiped_locks->stable);
	ufx_leave_inside();
}

bool ufx_pages_wiped(void)
{
	return !ufx_load(&unwiped);
}
