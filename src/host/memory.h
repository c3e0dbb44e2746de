/* SPDX-License-Identifier: MIT */
/*
 * Memory from the kernel, page by page: no allocator that a program could
 * interpose takes part.
 */
#ifndef UFX_HOST_MEMORY_H
#define UFX_HOST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* @size bytes of zeroes, page aligned, committed as touched; NULL: none left. */
void *ufx_pages_alloc(size_t size);

/* The same, and the child of a fork sees zeroes there (ufx_pages_wiped). */
void *ufx_pages_alloc_wiped(size_t size);

/*
 * @size bytes of zeroes that stay mapped for ever: given back, their memory
 * goes, and their addresses are used again for the same size (rounded up to a
 * power of two).
 *
 * What restartable sequences read must lie there. A thread that is in a page
 * fault within one is not restarted by a grace period until the fault has been
 * dealt with; if its page had been unmapped by then, the fault would be its
 * last.
 */
void *ufx_pages_alloc_stable(size_t size);
void ufx_pages_free_stable(void *pages, size_t size);

#ifdef UFX_FAULTS
/*
 * Tests: called when such memory has been given back, and when it is about to
 * be used again, then to be made zero; its first word is ours meanwhile.
 */
extern void (*ufx_stable_hook)(void *pages, size_t size, bool freed);
#endif

/*
 * Locks of the library's own that are not part of something wiped: whoever
 * holds one while another thread forks does not hold it in the child.
 */
struct ufx_wiped_locks {
	uint32_t canary; /* not zero until a fork */
	uint32_t pairs, stable, guard, references, blocks;
};
extern struct ufx_wiped_locks *ufx_wiped_locks;

/* Before all that follows. 0 or -ENOMEM. */
int ufx_pages_start(void);

/* @size bytes that fork wipes and as many behind them that it does not. */
void *ufx_pages_alloc_pair(size_t size);
/* Zeroed, and kept for the next ufx_pages_alloc_pair. */
void ufx_pages_free_pair(void *pages, size_t size);

void ufx_pages_free(void *pages, size_t size);

/*
 * Has the kernel wiped those pages so far? If not, a fork handler does, which a
 * raw clone or _Fork does not run.
 */
bool ufx_pages_wiped(void);

/* Makes the next ufx_pages_alloc of @size or more fail, @times times (tests). */
void ufx_pages_fail(size_t size, unsigned int times);

#endif
