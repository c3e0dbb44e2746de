/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "table/queue.h"

/* Heap order of the treap: a mix of the key, so that strides stay balanced. */
static uint64_t weight(const struct ufx_waiter *w)
{
	uint64_t x = w->key * 0x9e3779b97f4a7c15u;

	x ^= x >> 32;
	return x * 0xd6e8feb86659fd93u;
}

struct ufx_waiter *ufx_queue_find(struct ufx_waiter *root, uint64_t key)
{
	while (root && root->key != key)
		root = key < root->key ? root->left : root->right;
	return root;
}

/* The pointer that points to @head. */
static struct ufx_waiter **link_of(struct ufx_waiter **link,
				   const struct ufx_waiter *head)
{
	while (*link != head)
		link = head->key < (*link)->key ? &(*link)->left : &(*link)->right;
	return link;
}

/*
 * Splits @tree into what is below @w's key and what is above, under @w. Returns
 * how long the seam is.
 */
static unsigned int split(struct ufx_waiter *tree, struct ufx_waiter *w)
{
	struct ufx_waiter **below = &w->left, **above = &w->right;
	unsigned int seam = 0;

	for (; tree; seam++) {
		if (tree->key < w->key) {
			*below = tree;
			below = &tree->right;
			tree = tree->right;
		} else {
			*above = tree;
			above = &tree->left;
			tree = tree->left;
		}
	}
	*below = *above = NULL;
	return seam;
}

/* Returns how deep. */
static unsigned int add_head(struct ufx_waiter **link, struct ufx_waiter *w)
{
	unsigned int depth = 0;

	for (; *link && weight(*link) > weight(w); depth++)
		link = w->key < (*link)->key ? &(*link)->left : &(*link)->right;
	depth += split(*link, w);
	*link = w;
	w->head = 1;
	w->next = w->prev = w;
	return depth;
}

/* Joins the two subtrees of a head that goes. */
static void join(struct ufx_waiter **link, struct ufx_waiter *a,
		 struct ufx_waiter *b)
{
	while (a && b) {
		if (weight(a) > weight(b)) {
			*link = a;
			link = &a->right;
			a = a->right;
		} else {
			*link = b;
			link = &b->left;
			b = b->left;
		}
	}
	*link = a ? a : b;
}

/* @w takes @head's place in the tree; they are of one key. */
static void succeed(struct ufx_waiter **root, struct ufx_waiter *head,
		    struct ufx_waiter *w)
{
	*link_of(root, head) = w;
	w->left = head->left;
	w->right = head->right;
	w->head = 1;
	head->head = 0;
}

/* The waiter before which @w goes; the head means: at the end. */
static struct ufx_waiter *place_of(struct ufx_waiter *head,
				   const struct ufx_waiter *w)
{
	struct ufx_waiter *at = head;

	if (head->prev->priority >= w->priority) /* the usual case */
		return head;
	while (at->priority >= w->priority)
		at = at->next;
	return at;
}

unsigned int ufx_queue_insert(struct ufx_waiter **root, struct ufx_waiter *w)
{
	struct ufx_waiter *head = ufx_queue_find(*root, w->key), *at;

	if (!head)
		return add_head(root, w);
	at = place_of(head, w);
	w->head = 0;
	w->next = at;
	w->prev = at->prev;
	at->prev->next = w;
	at->prev = w;
	if (at == head && head->priority < w->priority)
		succeed(root, head, w);
	return 0;
}

void ufx_queue_remove(struct ufx_waiter **root, struct ufx_waiter *w)
{
	if (w->next == w) {
		join(link_of(root, w), w->left, w->right);
		return;
	}
	if (w->head)
		succeed(root, w, w->next);
	w->prev->next = w->next;
	w->next->prev = w->prev;
}
