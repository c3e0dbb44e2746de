/* SPDX-License-Identifier: MIT */
/* Nodes (ufutex/wait.h) inside: what the files here share. */
#ifndef UFX_FUTEX_NODE_H
#define UFX_FUTEX_NODE_H

#include <ufutex/wait.h>

#include "host/guard.h"
#include "host/rule.h"
#include "host/thread.h"
#include "table/place.h"

/* The word of a condition, a mover: compared. */
struct ufx_compared {
	const void *word; /* NULL: nothing is */
	uint64_t expected;
	uint32_t size;
};

/* Is it one? 0 or -EINVAL. */
int ufx_compared_check(const struct ufx_compared *c);

int ufx_compare_sized(const struct ufx_compared *c);

/* 0: as expected, or nothing is compared; -EAGAIN; -EFAULT. An acquire. */
static inline int ufx_compare(const struct ufx_compared *c)
{
	uint32_t value;

	if (!c->word)
		return 0;
	if (c->size != sizeof(value)) /* not the usual one */
		return ufx_compare_sized(c);
	if (ufx_guarded_load(c->word, &value))
		return -EFAULT;
	return value == c->expected ? 0 : -EAGAIN;
}

static inline struct ufx_node *ufx_node_of(struct ufx_waiter *w)
{
	return ufx_container(w, struct ufx_node, line);
}

/*
 * Has @w's wait end so, with @answer if it is a node's. Under the lock of its
 * bucket, by whoever has taken it out; ufx_release follows.
 */
static inline void ufx_end_waiter(struct ufx_waiter *w, enum ufx_ending how,
				  uint64_t answer)
{
	w->ending = (uint8_t)how;
	if (w->node)
		ufx_node_of(w)->answer = answer;
	ufx_store(&w->state, UFX_WAITER_TAKEN);
}

#endif
