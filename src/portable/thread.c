/* SPDX-License-Identifier: MIT */
/* host/thread.h, over any host. */
#include <errno.h>

#include "host/memory.h"
#include "host/thread.h"

#define CHUNK 8 /* records that are made at once */

/* Wiped by fork: the child has no records. */
struct records {
	struct ufx_thread *first;
	uint32_t made, free; /* how many; those that were given back */
};

static struct records *records;

int ufx_thread_start(void)
{
	int ret = ufx_host_start();

	if (ret)
		return ret;
	records = ufx_pages_alloc_wiped(4096);
	return records ? 0 : -ENOMEM;
}

struct ufx_thread *ufx_thread_first(void)
{
	return ufx_load_acquire(&records->first);
}

static void push(struct ufx_thread *t)
{
	t->next = ufx_load(&records->first);
	while (!ufx_cas(&records->first, &t->next, t))
		;
}

static struct ufx_thread *reuse(void)
{
	uint32_t free = ufx_load(&records->free);

	while (free && !ufx_cas(&records->free, &free, free - 1))
		;
	for (struct ufx_thread *t = free ? ufx_thread_first() : NULL; t; t = t->next) {
		uint32_t nobody = 0;

		if (!ufx_load(&t->claimed) && ufx_cas(&t->claimed, &nobody, 1))
			return t;
	}
	return NULL;
}

static struct ufx_thread *make_more(void)
{
	struct ufx_thread *made = ufx_pages_alloc_wiped(CHUNK * sizeof(*made));

	if (!made)
		return NULL;
	made[0].claimed = 1;
	for (int i = 0; i < CHUNK; i++)
		push(&made[i]);
	ufx_fetch_add(&records->made, CHUNK);
	ufx_fetch_add(&records->free, CHUNK - 1);
	return &made[0];
}

static void reset(struct ufx_thread *t)
{
	ufx_store(&t->reader, ufx_load(&t->reader) & ~(uint64_t)0xffff); /* keeps the entries */
	t->blocked = NULL;
	t->waits = 0;
	t->looked = 0;
	t->spins = t->spins_helped = 0;
	for (struct ufx_posted_page *page = &t->posted; page; page = page->next)
		ufx_store(&page->used, 0);
}

struct ufx_thread *ufx_thread_self_slow(void)
{
	struct ufx_thread *t = reuse();

	if (!t)
		t = make_more();
	if (!t)
		return NULL;
	reset(t);
	ufx_thread_record = t;
	return t;
}

void ufx_host_thread_ends(struct ufx_marks *marks)
{
	struct ufx_thread *t = marks->record;

	marks->record = NULL;
	/* Forked since; or ended amid a wait, and it may be queued still. */
	if (!t || !ufx_load(&t->claimed) || ufx_load(&t->lines_used))
		return;
	ufx_store_release(&t->claimed, 0);
	ufx_fetch_add(&records->free, 1); /* late: nobody searches in vain */
}

/* The pool is not wiped, and made when the thread first waits. */
static char *lines_of(struct ufx_thread *t)
{
	if (!t->lines)
		t->lines = ufx_pages_alloc((size_t)UFX_THREAD_LINES * UFX_LINE);
	return t->lines;
}

void *ufx_thread_lines(struct ufx_thread *t, unsigned int n)
{
	uint32_t used = ufx_load(&t->lines_used);
	char *lines = lines_of(t);

	if (n > UFX_THREAD_LINES - used || !lines)
		return NULL;
	ufx_store(&t->lines_used, used + n);
	return lines + (size_t)used * UFX_LINE;
}

void ufx_thread_lines_free(struct ufx_thread *t, unsigned int n)
{
	uint32_t used = ufx_load(&t->lines_used);

	if (used >= n) /* else: wiped by a fork */
		ufx_store(&t->lines_used, used - n);
}

/* Those that have used the library, and have not ended. */
unsigned int ufx_threads_count(void)
{
	return ufx_load(&records->made) - ufx_load(&records->free);
}

bool ufx_threads_ever_several(void)
{
	return ufx_threads_count() > 1;
}
