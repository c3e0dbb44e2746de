// SPDX-License-Identifier: MIT
/*
 * The queues of a bucket against a naive model: one list of all waiters, a
 * wait goes behind the last one of its key that has its priority or more.
 */
#include "table/queue.h"

#include "hammer.h"

#define WAITERS 300
#define STEPS 60000

static struct ufx_waiter pool[WAITERS];
static struct ufx_waiter *root;
static bool queued[WAITERS];

static int model[WAITERS]; /* indexes, in order */
static int n;

static void model_insert(int i)
{
	int at = n, j;

	for (j = 0; j < n; j++)
		if (pool[model[j]].key == pool[i].key &&
		    pool[model[j]].priority < pool[i].priority) {
			at = j;
			break;
		}
	memmove(&model[at + 1], &model[at], sizeof(*model) * (size_t)(n - at));
	model[at] = i;
	n++;
}

static void model_remove(int i)
{
	int at = 0;

	while (model[at] != i)
		at++;
	n--;
	memmove(&model[at], &model[at + 1], sizeof(*model) * (size_t)(n - at));
}

/* Is the ring of @key what the model says, in its order? */
static bool same_ring(uint64_t key)
{
	struct ufx_waiter *head = ufx_queue_find(root, key), *w = head;
	int j;

	for (j = 0; j < n; j++) {
		if (pool[model[j]].key != key)
			continue;
		if (!w || w != &pool[model[j]] || w->next->prev != w ||
		    w->head != (w == head))
			return false;
		w = w->next;
	}
	return w == head;
}

/* Keys in order, heads only; counts the nodes and the depth. */
static bool sound(const struct ufx_waiter *w, uint64_t from, uint64_t to,
		  int depth, int *deepest)
{
	if (!w)
		return true;
	if (depth > *deepest)
		*deepest = depth;
	return w->head && w->key >= from && w->key <= to &&
	       (!w->key || sound(w->left, from, w->key - 1, depth + 1, deepest)) &&
	       sound(w->right, w->key + 1, to, depth + 1, deepest);
}

struct keys {
	const char *what;
	uint64_t count, stride;
	uint32_t priorities;
};

static void step(struct hammer *r, const struct keys *k)
{
	int i = (int)hammer_random(r, WAITERS);
	struct ufx_waiter *w = &pool[i];

	if (queued[i]) {
		ufx_queue_remove(&root, w);
		model_remove(i);
	} else {
		w->key = 0x7f0000001000 +
			 hammer_random(r, (uint32_t)k->count) * k->stride;
		w->priority = (uint8_t)hammer_random(r, k->priorities);
		ufx_queue_insert(&root, w);
		model_insert(i);
	}
	queued[i] = !queued[i];
}

static void compare(const struct keys *k)
{
	struct hammer r = { .random = k->count + k->priorities };
	int i, deepest, worst = 0, wrong = 0, broken = 0;

	for (i = 0; i < STEPS && !wrong && !broken; i++) {
		step(&r, k);
		if (i % 16)
			continue;
		deepest = 0;
		broken += !sound(root, 0, UINT64_MAX, 1, &deepest);
		worst = deepest > worst ? deepest : worst;
		for (int j = 0; j < n; j += 7)
			wrong += !same_ring(pool[model[j]].key);
	}
	is_int(wrong, 0, "%s: each ring is as the model's", k->what);
	is_int(broken, 0, "%s: the tree is in order, its nodes are heads",
	       k->what);
	ok(worst <= 32, "%s: its depth is at most %d", k->what, worst);
	while (n) {
		i = model[0];
		ufx_queue_remove(&root, &pool[i]);
		model_remove(i);
		queued[i] = false;
	}
	ok(!root, "%s: nothing is left", k->what);
}

static void absent(void)
{
	struct ufx_waiter w = { .key = 64 };

	ok(!ufx_queue_find(NULL, 64), "nobody is found in an empty bucket");
	ufx_queue_insert(&root, &w);
	ok(ufx_queue_find(root, 64) == &w, "the only one is found");
	ok(!ufx_queue_find(root, 68), "but not under another key");
	ufx_queue_remove(&root, &w);
	ok(!root, "the bucket is empty again");
}

int main(void)
{
	static const struct keys all[] = {
		{ "one key", 1, 0, 1 },
		{ "one key, priorities", 1, 0, 100 },
		{ "few keys, priorities", 7, 4, 3 },
		{ "many keys", 250, 4, 1 },
		{ "many keys far apart", 250, 1 << 20, 2 },
	};
	size_t i;

	absent();
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		compare(&all[i]);
	return tap_end();
}
