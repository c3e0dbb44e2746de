/* SPDX-License-Identifier: MIT */
/*
 * The rest of the host: memory out of an arena, with a record of what was given
 * back; thread records; CPUs. It is not compiled for choices: the engine cannot
 * tell when in it another thread ran.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/cpu.h"
#include "host/blocks.h"
#include "host/memory.h"
#include "host/quota.h"
#include "host/sched.h"
#include "host/thread.h"
#include "state.h"

/* ---- memory ---- */

struct ufx_wiped_locks *ufx_wiped_locks;

bool memory_is_arena(const void *addr)
{
	return (size_t)((const char *)addr - ARENA) < ARENA_SIZE;
}

static struct block *block_of(const void *addr)
{
	return &model->blocks[model->block_of_line[((const char *)addr - ARENA) / 64]];
}

static void clear(struct block *b)
{
	view_plain_store(b->start, b->size);
	memset(b->start, 0, b->size);
}

static void *take(size_t size, const char *kind, bool wiped)
{
	struct block *b = &model->blocks[model->blocks_used];

	size = (size + 63) & ~(size_t)63;
	if (model->blocks_used == BLOCKS || model->arena_used + size > ARENA_SIZE)
		finding("the model's arena is full");
	*b = (struct block){ ARENA + model->arena_used, size, true, true, wiped, kind };
	memset(&model->block_of_line[model->arena_used / 64], (int)model->blocks_used,
	       size / 64);
	model->blocks_used++;
	model->arena_used += size;
	clear(b);
	return b->start;
}

static void give_back(void *pages, bool mapped)
{
	struct block *b = block_of(pages);

	if (b->start != pages || !b->live)
		finding("memory is given back twice");
	if (model->exploring)
		race_check(b->start, b->size, ACCESS_WRITE);
	clear(b);
	b->live = false;
	b->mapped = mapped;
}

void *ufx_pages_alloc(size_t size)
{
	return take(size, "pages", false);
}

void *ufx_pages_alloc_wiped(size_t size)
{
	return take(size > 256 ? 256 : size, "state", true);
}

void *ufx_pair_alloc(void)
{
	char *p = take(UFX_PAIR_APART, "domain", true);

	take(UFX_PAIR_APART, "config", false);
	return p;
}

void ufx_pair_free(void *pair)
{
	give_back((char *)pair + UFX_PAIR_APART, true);
	give_back(pair, true);
}

void *ufx_block_alloc(void)
{
	return take(UFX_BLOCK, "table", false);
}

void ufx_block_free(void *block)
{
	give_back(block, true);
}

void *ufx_pages_alloc_stable(size_t size)
{
	size_t rounded = (size + 63) & ~(size_t)63;

	for (unsigned int i = model->blocks_used; model->recycles && i-- > 0;) {
		struct block *b = &model->blocks[i];

		if (!b->live && b->mapped && b->size == rounded && *b->kind == 't') {
			b->live = true;
			return b->start;
		}
	}
	return take(size, "table", false);
}

void ufx_pages_free_stable(void *pages, size_t size)
{
	(void)size;
	give_back(pages, true);
}

void ufx_pages_free(void *pages, size_t size)
{
	(void)size;
	give_back(pages, false);
}

void memory_check(const void *addr, size_t size)
{
	char name[80];

	(void)size;
	if (!memory_is_arena(addr) || block_of(addr)->live)
		return;
	finding("%s is used after it was given back",
		memory_name(addr, name, sizeof(name)));
}

void memory_check_mapped(const void *addr, size_t size)
{
	char name[80];

	(void)size;
	if (!memory_is_arena(addr) || block_of(addr)->mapped)
		return;
	finding("a page fault on %s, which is not mapped any more",
		memory_name(addr, name, sizeof(name)));
}

void memory_wipe(void)
{
	for (unsigned int i = 0; i < model->blocks_used; i++)
		if (model->blocks[i].wiped && model->blocks[i].live)
			clear(&model->blocks[i]);
}

/* "table 2, bucket 1: word"; else where in its block. */
const char *memory_name(const void *addr, char *buffer, size_t size)
{
	const struct block *b;
	size_t offset;

	if (!memory_is_arena(addr)) {
		snprintf(buffer, size, "%p", addr);
		return buffer;
	}
	b = block_of(addr);
	offset = (size_t)((const char *)addr - b->start);
	if (*b->kind == 't' && offset >= 128)
		snprintf(buffer, size, "table%ld.bucket%zu+%zu", (long)(b - model->blocks),
			 (offset - 128) / 64, offset % 64);
	else
		snprintf(buffer, size, "%s%ld+%zu", b->kind, (long)(b - model->blocks),
			 offset);
	return buffer;
}

bool ufx_pages_wiped(void)
{
	return true;
}

/* ---- threads ---- */

UFX_TLS uint32_t ufx_thread_inside;
UFX_TLS uint32_t ufx_thread_unregistered;
UFX_TLS uint32_t ufx_thread_bound;
UFX_TLS uint32_t ufx_thread_posted;
UFX_TLS uint64_t ufx_thread_deferred;
UFX_TLS uint32_t ufx_thread_hurried;
UFX_TLS uint32_t ufx_thread_driving;
UFX_TLS struct ufx_thread *ufx_thread_record;

#define LINES 6

static struct ufx_thread *records; /* one a fiber; wiped by a fork */
static struct ufx_thread **first;
static char *pools;

int ufx_thread_start(void)
{
	ufx_wiped_locks = take(64, "locks", true);
	ufx_wiped_locks->canary = 1;
	records = take(FIBERS * sizeof(*records), "thread", true);
	first = take(64, "threads", true);
	pools = take(FIBERS * LINES * UFX_LINE, "waiters", false);
	return 0;
}

struct ufx_thread *ufx_thread_first(void)
{
	return *first;
}

struct ufx_thread *ufx_thread_self_slow(void)
{
	struct ufx_thread *t = &records[model->now];

	t->claimed = ++model->tids;
	t->first = pools + model->now * LINES * UFX_LINE;
	t->lines = t->first + UFX_LINE;
	t->priority = 0;
	t->next = *first;
	*first = t;
	ufx_thread_record = t;
	image_dirty(t, sizeof(*t));
	image_dirty(first, sizeof(*first));
	return t;
}

void threads_forget(void)
{
	memset(records, 0, FIBERS * sizeof(*records));
	*first = NULL;
	ufx_thread_record = NULL;
}

void *ufx_thread_lines(struct ufx_thread *t, unsigned int n)
{
	uint32_t used = t->lines_used;

	if (used + n > LINES)
		return NULL;
	t->lines_used += n;
	image_dirty(t, sizeof(*t));
	return t->first + used * UFX_LINE;
}

void ufx_thread_lines_free(struct ufx_thread *t, unsigned int n)
{
	if (t->lines_used >= n)
		t->lines_used -= n;
}

unsigned int ufx_threads_count(void)
{
	return model->fibers_used;
}

bool ufx_threads_ever_several(void)
{
	return true;
}

/* ---- CPUs ---- */

unsigned int ufx_cpus_possible(void)
{
	return CPUS;
}

unsigned int ufx_cpus_online(void)
{
	return CPUS;
}

unsigned int ufx_cpus_for_sizing(void)
{
	return CPUS;
}

struct ufx_sched ufx_sched_look(void)
{
	return (struct ufx_sched){ .normal = true };
}

/* Nobody spins: the clock stands still. They yield. */
uint32_t ufx_sched_cpus(uint64_t now)
{
	(void)now;
	return 1;
}

uint32_t ufx_quota(void)
{
	return UFX_QUOTA_NONE;
}

void ufx_quota_start(void)
{
}
