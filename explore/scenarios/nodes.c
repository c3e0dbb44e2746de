/* SPDX-License-Identifier: MIT */
/* Nodes with parkers of their own, ended by wakes, interrupts, cancels. */
#include <ufutex/wait.h>
#include <ufutex/wake.h>

#include "all.h"
#include "scene.h"

static struct ufx_node *node;
static uint32_t *told;

static void tell(void *handle)
{
	__atomic_fetch_add((uint32_t *)handle, 1, __ATOMIC_SEQ_CST);
}

static const struct ufx_parker parker = { tell };

static void node_scene(void)
{
	scene_domain_and_results();
	node = scene_memory(sizeof(*node));
	told = scene_memory(sizeof(*told));
}

static int prepare(void)
{
	struct ufx_condition c = { .key = (uintptr_t)word[0], .word = word[0], .size = 4 };

	return ufx_node_prepare(domain, node, &c, &parker, told);
}

/* Told by its parker alone, once for each ending; LEFT is for who is not. */
static void waits_until_told(void)
{
	int ret = prepare();

	results[0] = ret ? ret : -1;
	if (ret)
		return;
	while (!__atomic_load_n(told, __ATOMIC_RELAXED))
		scenario_pause();
	results[0] = ufx_node_finish(node, NULL);
	must(results[0] != UFX_LEFT);
}

/* Does not wait to be told. */
static void leaves_at_once(void)
{
	int ret = prepare();

	results[0] = ret ? ret : ufx_node_finish(node, NULL);
}

static void sets_and_wakes_node(void)
{
	set(word[0], 1);
	counted[model_fiber()] = ufx_domain_wake(domain, (uintptr_t)word[0], 1, UFX_ALL);
}

static void cancels(void)
{
	counted[model_fiber()] = ufx_domain_cancel(domain);
}

static void purges(void)
{
	counted[model_fiber()] = ufx_domain_purge(domain, (uintptr_t)word[0], 1);
}

static void told_exactly(void)
{
	must(peek(told) == (uint32_t)(counted[1] + counted[2]));
	must(counted[1] + counted[2] == (results[0] == UFX_WOKEN || results[0] == UFX_CANCELLED));
	must(nobody_queued());
}

const struct scenario node_wake = {
	.name = "node-wake",
	.what = "a node waits to be told by its parker, another stores and wakes",
	.rules = "empty-wake",
	.modes = "rseq membarrier fence shared",
	.setup = node_scene,
	.threads = { waits_until_told, sets_and_wakes_node },
	.check = told_exactly,
};

const struct scenario node_cancel = {
	.name = "node-cancel",
	.what = "a node waits to be told by its parker, the domain is cancelled",
	.rules = "empty-wake",
	.modes = "rseq fence",
	.setup = node_scene,
	.threads = { waits_until_told, cancels },
	.check = told_exactly,
};

const struct scenario node_leaves = {
	.name = "node-leaves",
	.what = "a node leaves while it is woken, and its key purged",
	.rules = "waiter-life",
	.setup = node_scene,
	.threads = { leaves_at_once, sets_and_wakes_node, purges },
	.check = told_exactly,
};

/* Waits of futex(2) end with the domain, too. */
static void waits_for_the_end(void)
{
	results[0] = wait_on(word[0], 0);
	must(results[0] == -ECANCELED);
}

const struct scenario wait_cancel = {
	.name = "wait-cancel",
	.what = "a wait of futex(2), and the domain is cancelled",
	.rules = "empty-wake",
	.modes = "rseq fence",
	.setup = node_scene,
	.threads = { waits_for_the_end, cancels },
	.check = nobody_left,
};

static struct ufx_condition block_condition(void)
{
	return (struct ufx_condition){ .key = (uintptr_t)word[0], .word = word[0], .size = 4 };
}

static void blocks(void)
{
	struct ufx_condition c = block_condition();

	results[0] = ufx_domain_wait(domain, &c, NULL, NULL);
	must(results[0] == UFX_WOKEN || results[0] == UFX_MISMATCH);
}

static void nothing_more(void)
{
	must(counted[1] == (results[0] == UFX_WOKEN));
	must(nobody_queued());
}

const struct scenario node_block = {
	.name = "node-block",
	.what = "a thread blocks on a node, another stores and wakes",
	.rules = "empty-wake",
	.modes = "rseq fence",
	.setup = node_scene,
	.threads = { blocks, sets_and_wakes_node },
	.check = nothing_more,
};
