/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <ufutex/section.h>

#include "grace/mode.h"
#include "host/cpu.h"
#include "host/fault.h"
#include "host/lock.h"
#include "host/memory.h"
#include "host/thread.h"
#include "ref/cells.h"

#define CELLS_A_CHUNK (UFX_CELL_STRIDE / 8)
#define OWNERS_MIN 16 /* regions for threads, in modes without CPUs */

struct chunk {
	struct chunk *next;
	char *base;
	uint32_t used;
	uint64_t taken[CELLS_A_CHUNK / 64];
};

/* Wiped by fork: see the header. */
struct arena {
	struct chunk *first;
	uint32_t lock;
	uint32_t owners; /* regions that threads have taken */
};

static struct arena *arena;
static unsigned int regions;

int ufx_cells_start(void)
{
	unsigned int n = ufx_cpus_possible();

	if (ufx_mode->mode != UFX_MODE_RSEQ && n < OWNERS_MIN)
		n = OWNERS_MIN;
	regions = n + 1;
	arena = ufx_pages_alloc_wiped(4096);
	return arena ? 0 : -ENOMEM;
}

static struct chunk *chunk_add(void)
{
	size_t size = regions * UFX_CELL_STRIDE;
	char *base = ufx_pages_alloc(size + sizeof(struct chunk));
	struct chunk *c = (struct chunk *)(base + size);

	if (!base)
		return NULL;
	c->base = base;
	/*
	 * The first line stays unused. Counted objects often begin a page, and a
	 * processor that compares the low 12 bits of addresses first would hold
	 * up the load of their state behind the store to a cell with the same.
	 */
	c->taken[0] = 0xff;
	c->used = 8;
	c->next = arena->first;
	arena->first = c;
	return c;
}

/* @bits is not zero. Some machines have no instruction, and call libgcc. */
static unsigned int lowest_bit(uint64_t bits)
{
#if defined(__riscv) && !defined(__riscv_zbb)
	unsigned int n = 0;

	for (; !(bits & 1); bits >>= 1)
		n++;
	return n;
#else
	return (unsigned int)__builtin_ctzll(bits);
#endif
}

static uintptr_t chunk_take(struct chunk *c)
{
	for (unsigned int i = 0; i < CELLS_A_CHUNK / 64; i++) {
		unsigned int bit;

		if (!~c->taken[i])
			continue;
		bit = lowest_bit(~c->taken[i]);
		c->taken[i] |= 1ull << bit;
		c->used++;
		return (uintptr_t)c->base + 8 * (i * 64 + bit);
	}
	return 0;
}

uintptr_t ufx_cells_alloc(void)
{
	struct chunk *c;
	uintptr_t cells = 0;

	ufx_enter_inside();
	ufx_lock(&arena->lock);
	for (c = arena->first; c && c->used == CELLS_A_CHUNK; c = c->next)
		;
	if (!c)
		c = chunk_add();
	if (c)
		cells = chunk_take(c);
	ufx_unlock(&arena->lock);
	ufx_leave_inside();
	return cells;
}

void ufx_cells_free(uintptr_t cells)
{
	ufx_cells_collect(cells);
	ufx_enter_inside();
	ufx_lock(&arena->lock);
	for (struct chunk *c = arena->first; c; c = c->next) {
		uintptr_t offset = cells - (uintptr_t)c->base;

		if (offset >= UFX_CELL_STRIDE)
			continue; /* another's, or the parent's before a fork */
		c->taken[offset / 512] &= ~(1ull << (offset / 8 % 64));
		c->used--;
		break;
	}
	ufx_unlock(&arena->lock);
	ufx_leave_inside();
}

static uint64_t *word(uintptr_t cells, unsigned int region)
{
	return (uint64_t *)(cells + region * UFX_CELL_STRIDE);
}

/* Takes a region for @t, or the common one when they have run out. */
static unsigned int assign(struct ufx_thread *t)
{
	uint32_t n = ufx_fetch_add(&arena->owners, 1);

	if (n >= regions - 1) {
		ufx_fetch_sub(&arena->owners, 1);
		n = regions - 1;
	}
	ufx_store(&t->cell, n + 1);
	return n;
}

void ufx_cells_add(uintptr_t cells, int64_t n)
{
	unsigned int region = regions - 1;
	struct ufx_thread *t;

	if (ufx_mode->mode != UFX_MODE_RSEQ && ufx_mode->mode != UFX_MODE_SHARED) {
		t = ufx_thread_self();
		if (t)
			region = ufx_load(&t->cell) ? t->cell - 1 : assign(t);
	}
#if defined(__x86_64__) && !UFX_TSAN && !UFX_MODEL
	/* One instruction, so that a handler never comes amid it. */
	if (region != regions - 1) {
		__asm__ __volatile__("addq %1, %0"
				     : "+m"(*word(cells, region))
				     : "er"(n)
				     : "memory", "cc");
		return;
	}
#endif
	__atomic_fetch_add(word(cells, region), (uint64_t)n, __ATOMIC_RELAXED);
}

int64_t ufx_cells_sum(uintptr_t cells)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < regions; i++) {
		if (UFX_FAULT(ONE_CPU) && i != 0 && i != regions - 1)
			continue;
		sum += ufx_load(word(cells, i));
	}
	return (int64_t)sum;
}

int64_t ufx_cells_collect(uintptr_t cells)
{
	int64_t sum = ufx_cells_sum(cells);

	for (unsigned int i = 0; i < regions; i++)
		ufx_store(word(cells, i), 0);
	if (UFX_FAULT(FOLD_TWICE))
		sum += sum;
	return sum;
}
