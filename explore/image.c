/* SPDX-License-Identifier: MIT */
/*
 * What the engine changes, its static data and the arena, is put back before
 * each schedule; of the arena only the lines that were written.
 *
 * Thread-local words of the engine lie in a section of their own here and are
 * exchanged when fibers switch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "state.h"

extern char __data_start[], _end[];
extern char __start_fiber_tls[], __stop_fiber_tls[];

struct model *model;

static size_t data_size(void)
{
	return (size_t)(_end - __data_start);
}

static void *map(void *where, size_t size)
{
	void *p = mmap(where, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | (where ? MAP_FIXED_NOREPLACE : 0),
		       -1, 0);

	if (p == MAP_FAILED || (where && p != where)) {
		fprintf(stderr, "explore: no memory for the model\n");
		exit(2);
	}
	return p;
}

/* Before any constructor of the engine's. */
__attribute__((constructor(101))) static void begin(void)
{
	size_t tls = (size_t)(__stop_fiber_tls - __start_fiber_tls);

	model = map(NULL, sizeof(*model));
	model->arena = map(ARENA, ARENA_SIZE);
	model->pristine = map(NULL, data_size());
	model->kept_data = map(NULL, data_size());
	model->kept_arena = map(NULL, ARENA_SIZE);
	fibers_start();
	memcpy(model->pristine, __data_start, data_size());
	if (tls > TLS_SIZE || &__start_fiber_tls[0] < &__data_start[0] ||
	    &__stop_fiber_tls[0] > &_end[0])
		abort();
}

void image_pristine(void)
{
	memcpy(__data_start, model->pristine, data_size());
	memset(ARENA, 0, model->arena_used);
	model->arena_used = model->blocks_used = 0;
	model->dirty_used = 0;
	memset(model->dirty_bits, 0, sizeof(model->dirty_bits));
	model->tids = 100;
}

void image_keep(void)
{
	memcpy(model->kept_data, __data_start, data_size());
	memcpy(model->kept_arena, ARENA, model->arena_used);
	memcpy(model->kept, model->blocks, sizeof(model->kept));
	model->kept_arena_used = model->arena_used;
	model->kept_blocks = model->blocks_used;
	model->dirty_used = 0;
	memset(model->dirty_bits, 0, sizeof(model->dirty_bits));
}

void image_restore(void)
{
	memcpy(__data_start, model->kept_data, data_size());
	for (uint32_t i = 0; i < model->dirty_used; i++) {
		uint32_t line = model->dirty[i];

		model->dirty_bits[line / 64] = 0;
		memcpy(ARENA + line * 64ul, model->kept_arena + line * 64ul, 64);
	}
	model->dirty_used = 0;
	memcpy(model->blocks, model->kept, model->kept_blocks * sizeof(struct block));
	model->blocks_used = model->kept_blocks;
	model->arena_used = model->kept_arena_used;
}

void image_dirty(const void *addr, size_t size)
{
	size_t line = (size_t)((const char *)addr - ARENA) / 64;
	size_t last = (size_t)((const char *)addr + size - 1 - ARENA) / 64;

	if (!memory_is_arena(addr))
		return;
	for (; line <= last; line++) {
		if (model->dirty_bits[line / 64] >> (line % 64) & 1)
			continue;
		model->dirty_bits[line / 64] |= 1ull << (line % 64);
		model->dirty[model->dirty_used++] = (uint32_t)line;
	}
}

bool image_is_tls(const void *addr)
{
	return (const char *)addr >= __start_fiber_tls &&
	       (const char *)addr < __stop_fiber_tls;
}

void image_tls_out(struct fiber *f)
{
	memcpy(f->tls, __start_fiber_tls, (size_t)(__stop_fiber_tls - __start_fiber_tls));
}

void image_tls_in(const struct fiber *f)
{
	memcpy(__start_fiber_tls, f->tls, (size_t)(__stop_fiber_tls - __start_fiber_tls));
}
