/* SPDX-License-Identifier: MIT */
#include "host/memory.h"
#include "table/domain.h"
#include "table/queue.h"
#include "table/table.h"

/* A fixed table is freed when nobody can read it any more: no page need stay. */
static bool is_block(size_t size, uint32_t flags)
{
	return (flags & UFX_TABLE_FIXED) && size <= UFX_BLOCK;
}

static void *allocate(struct ufx_domain *d, size_t size, uint32_t flags)
{
	const struct ufx_allocator *own = &ufx_domain_config(d)->allocator;
	void *memory;

	if (ufx_likely(!own->allocate))
		return is_block(size, flags) ? ufx_block_alloc() :
					       ufx_pages_alloc_stable(size);
	memory = own->allocate(size, 64, own->arg);
	if (memory)
		__builtin_memset(memory, 0, size);
	return memory;
}

struct ufx_table *ufx_table_new(struct ufx_domain *d, uint32_t slots,
				uint32_t flags)
{
	size_t size = sizeof(struct ufx_table) + slots * sizeof(struct ufx_bucket);
	struct ufx_table *t = allocate(d, size, flags);

	if (!t)
		return NULL;
	t->mask = slots - 1;
	t->flags = flags;
	t->size = (uint32_t)size;
	t->domain = d;
	t->epoch = (struct ufx_epoch){ &d->epoch, ufx_load(&d->epoch) };
	return t;
}

void ufx_table_free(struct ufx_table *t)
{
	const struct ufx_allocator *own = &ufx_domain_config(t->domain)->allocator;
	size_t size = t->size;

	if (ufx_unlikely(own->allocate)) {
		own->release(t, size, own->arg);
		return;
	}
	if (is_block(size, t->flags)) {
		ufx_block_free(t);
		return;
	}

#if defined(UFX_FAULTS) && !UFX_MODEL
	/* A late reader shall notice: here, or by what the hook does. */
	if (ufx_fault_chosen && !ufx_stable_hook) {
		__builtin_memset(t, 0xa5, 128);
		ufx_pages_free(t, size);
		return;
	}
#endif
	ufx_pages_free_stable(t, size);
}

static void move_waiter(struct ufx_waiter *w, struct ufx_table *to)
{
	uint64_t hash = ufx_domain_hash(to->domain, w->key);
	struct ufx_bucket *b = ufx_table_bucket(to, hash);

	/*
	 * The new bucket's lock too: a waiter that has arrived may be taken or
	 * may leave while its old neighbours are still on their way. Order of
	 * locks: older table before newer. It cannot have been moved itself:
	 * the next replacement waits until this one is complete.
	 */
	if (!ufx_bucket_lock(b, 1, &to->epoch))
		return; /* in a fork child: nobody there looks for @w */
	ufx_queue_insert(&b->root, w);
	ufx_bucket_unlock(b, 0);
}

void ufx_table_move_bucket(struct ufx_bucket *b, struct ufx_table *to)
{
	uint32_t moved = 0;

	if (!ufx_bucket_lock(b, 0, &to->epoch)) {
		ufx_bucket_wait_moved(b, &to->epoch);
		return;
	}
	/*
	 * The mark before the first waiter leaves, and the count left standing:
	 * an empty wake that still looks here sees waiters or the mark. Partner:
	 * ufx_place_nobody.
	 */
	if (UFX_FAULT(COUNT_BEFORE_MARK)) {
		ufx_fetch_and(&b->word, UFX_BUCKET_ONE - 1);
		ufx_delay();
	}
	if (!UFX_FAULT(MARK_LAST))
		ufx_fetch_or(&b->word, UFX_BUCKET_MOVED);
	while (b->root) { /* heads first, so each FIFO arrives in its order */
		struct ufx_waiter *w = b->root;

		ufx_queue_remove(&b->root, w);
		move_waiter(w, to);
		moved++;
	}
	if (UFX_FAULT(MARK_LAST)) {
		ufx_fetch_and(&b->word, UFX_BUCKET_ONE - 1);
		ufx_fetch_or(&b->word, UFX_BUCKET_MOVED);
	}
	ufx_bucket_unlock(b, 0);
	if (moved)
		ufx_domain_count_moved(to->domain, moved);
}
