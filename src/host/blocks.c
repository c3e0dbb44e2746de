/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "host/blocks.h"
#include "host/lock.h"
#include "host/memory.h"
#include "host/thread.h"

#define PAIRS (UFX_PAIR_APART / UFX_PAIR - 1) /* a chunk; the last place is memory.c's */
#define CHUNK 65536
#define BLOCKS (CHUNK / UFX_BLOCK)

struct free {
	struct free *next;
};

/*
 * The lists lie where a fork wipes: a child begins with none, as of a list that
 * others change it could get one end before and the other after.
 */
static struct lists {
	struct free *pairs, *blocks;
} *lists;

static struct lists *own_lists(void)
{
	struct lists *l = ufx_load_acquire(&lists), *none = NULL;

	if (l)
		return l;
	l = ufx_pages_alloc_wiped(4096);
	if (l && !ufx_cas(&lists, &none, l))
		l = none; /* 8 KiB lost, once */
	return l;
}

/* The link of a free pair is in its second half: the first is wiped. */
static void *pair_of(struct free *f)
{
	return (char *)f - UFX_PAIR_APART;
}

static void push(struct free **list, struct free *f)
{
	f->next = *list;
	*list = f;
}

static void *pop(struct free **list)
{
	struct free *f = *list;

	if (f) {
		*list = f->next;
		f->next = NULL;
	}
	return f;
}

static void cut_pairs(struct lists *l)
{
	char *chunk = ufx_pages_alloc_pair(UFX_PAIR_APART);

	for (unsigned int i = 0; chunk && i < PAIRS; i++)
		push(&l->pairs, (struct free *)(void *)(chunk + i * UFX_PAIR + UFX_PAIR_APART));
}

static void cut_blocks(struct lists *l)
{
	char *chunk = ufx_pages_alloc(CHUNK);

	for (unsigned int i = 0; chunk && i < BLOCKS; i++)
		push(&l->blocks, (struct free *)(void *)(chunk + i * UFX_BLOCK));
}

static void *take(struct free **list, struct lists *l, void (*cut)(struct lists *))
{
	void *f;

	ufx_enter_inside();
	ufx_lock(&ufx_wiped_locks->blocks);
	if (!*list)
		cut(l);
	f = pop(list);
	ufx_unlock(&ufx_wiped_locks->blocks);
	ufx_leave_inside();
	return f;
}

static void give(struct free **list, struct free *f)
{
	ufx_enter_inside();
	ufx_lock(&ufx_wiped_locks->blocks);
	push(list, f);
	ufx_unlock(&ufx_wiped_locks->blocks);
	ufx_leave_inside();
}

void *ufx_pair_alloc(void)
{
	struct lists *l = own_lists();
	struct free *f = l ? take(&l->pairs, l, cut_pairs) : NULL;

	return f ? pair_of(f) : NULL;
}

void ufx_pair_free(void *pair)
{
	char *behind = (char *)pair + UFX_PAIR_APART;

	__builtin_memset(pair, 0, UFX_PAIR);
	__builtin_memset(behind, 0, UFX_PAIR);
	give(&lists->pairs, (struct free *)(void *)behind);
}

void *ufx_block_alloc(void)
{
	struct lists *l = own_lists();

	return l ? take(&l->blocks, l, cut_blocks) : NULL;
}

void ufx_block_free(void *block)
{
	__builtin_memset(block, 0, UFX_BLOCK);
	give(&lists->blocks, block);
}
