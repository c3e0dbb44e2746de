// SPDX-License-Identifier: MIT
/*
 * Domains that an embedder makes: options, an allocator of its own, failures of
 * memory, fork, scaling with waiters, what they cost.
 */
#include <errno.h>
#include <stdlib.h>

#include <ufutex/domain.h>
#include <ufutex/grace.h>
#include <ufutex/wait.h>
#include <ufutex/wake.h>

#include "blocked.h"
#include "host/memory.h"
#include "tap.h"

static struct ufx_domain *made(struct ufx_domain_options options)
{
	struct ufx_domain *d;

	if (ufx_domain_create(&d, &options))
		bail("no domain");
	return d;
}

static void tell(void *handle)
{
	++*(int *)handle;
}

static const struct ufx_parker parker = { tell };
static int told;

static int prepare(struct ufx_domain *d, struct ufx_node *n, uint64_t key)
{
	struct ufx_condition c = { .key = key };

	return ufx_node_prepare(d, n, &c, &parker, &told);
}

static uint32_t word;

/* ---- options ---- */

static void options(void)
{
	struct ufx_domain *d = NULL;
	struct ufx_domain_options o = { .slots = 3 };
	struct ufx_allocator half = { .allocate = NULL };

	is_int(ufx_domain_create(&d, &o), -EINVAL, "3 slots");
	o.slots = 1;
	is_int(ufx_domain_create(&d, &o), -EINVAL, "1 slot");
	o = (struct ufx_domain_options){ .replace = (enum ufx_replace)7 };
	is_int(ufx_domain_create(&d, &o), -EINVAL, "no such way of replacing");
	o = (struct ufx_domain_options){ .allocator = &half };
	is_int(ufx_domain_create(&d, &o), -EINVAL, "half an allocator");
	is_int(ufx_domain_create(NULL, NULL), -EINVAL, "nowhere to put it");
	is_int(ufx_domain_destroy(NULL), -EINVAL, "nothing to destroy");
	ok(!d, "nothing was made");
	is_int(ufx_domain_set_slots(NULL, 16), -EINVAL, "no domain's slots");
	is_int(ufx_domain_get_slots(NULL), 0, "nor are there any");
	is_int(ufx_domain_futex(NULL, &word, 1, 1, NULL, NULL, 0), -EINVAL, "no domain's futex");
	ufx_domain_get(NULL);
	ufx_domain_put(NULL);
	ufx_domain_forget(NULL);
}

/* In which order are they woken? */
static void order(struct ufx_domain *d, const char *expected, const char *what)
{
	static const uint32_t priorities[4] = { 0, 5, 0, 5 };
	struct ufx_node n[4] = { [0].handle = NULL };
	char found[5] = "....";

	for (int i = 0; i < 4; i++) {
		struct ufx_condition c = { .key = 1, .priority = priorities[i] };

		ufx_node_prepare(d, &n[i], &c, &parker, &told);
	}
	for (int i = 0; i < 4; i++) {
		ufx_domain_wake(d, 1, 1, UFX_ALL);
		for (int k = 0; k < 4; k++)
			if (n[k].prepared && ufx_node_ended(&n[k])) {
				ufx_node_finish(&n[k], NULL);
				found[i] = (char)('0' + k);
			}
	}
	is_str(found, expected, "%s", what);
	ufx_domain_destroy(d);
}

static void orders(void)
{
	order(made((struct ufx_domain_options){ .slots = 16 }), "1302", "by priority");
	order(made((struct ufx_domain_options){ .fifo = true }), "0123", "strictly FIFO");
	order(made((struct ufx_domain_options){ .slots = 2, .fixed = true }), "1302",
	      "by priority, a fixed table");
}

/* ---- an allocator of one's own ---- */

static long allocations, fail_from = -1;

static void *allocate(size_t size, size_t alignment, void *arg)
{
	(void)arg;
	if (fail_from >= 0 && allocations >= fail_from)
		return NULL;
	allocations++;
	return aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
}

static void release(void *memory, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	allocations--;
	free(memory);
}

static const struct ufx_allocator allocator = { allocate, release, NULL };

static void allocators(bool fixed)
{
	struct ufx_domain_options o = { .slots = 16, .fixed = fixed, .allocator = &allocator };
	struct ufx_node n = { .handle = NULL };
	struct ufx_domain *d = NULL;

	fail_from = 0;
	is_int(ufx_domain_create(&d, &o), -ENOMEM, "no memory for the domain");
	fail_from = 1;
	is_int(ufx_domain_create(&d, &o), 0, "memory for the domain alone");
	is_int(prepare(d, &n, 1), -ENOMEM, "none for its table");
	is_int(ufx_domain_wake(d, 1, 1, UFX_ALL), 0, "nobody was queued");
	fail_from = -1;
	is_int(prepare(d, &n, 1), 0, "then there is");
	if (!fixed) {
		fail_from = 0;
		is_int(ufx_domain_set_slots(d, 64), -ENOMEM, "none for a larger one");
		is_int(ufx_domain_get_slots(d), 16, "the old one stays");
		fail_from = -1;
		is_int(ufx_domain_set_slots(d, 64), 0, "then there is");
	}
	is_int(ufx_domain_wake(d, 1, 1, UFX_ALL), 1, "the waiter is there");
	ufx_node_finish(&n, NULL);
	is_int(ufx_domain_destroy(d), 0, "it goes");
	ufx_grace_barrier();
	is_int(allocations, 0, "all its memory was given back");
}

static void no_pages(void)
{
	struct ufx_domain *d = made((struct ufx_domain_options){ .slots = 4096 });
	struct ufx_node n = { .handle = NULL };

	ufx_pages_fail(4096, 1000);
	is_int(prepare(d, &n, 1), -ENOMEM, "no pages for a table");
	ufx_pages_fail(4096, 0);
	is_int(prepare(d, &n, 1), 0, "then there are");
	ufx_node_finish(&n, NULL);
	ufx_domain_destroy(d);
}

/* ---- scaling ---- */

#define MANY 10000

static void scaling(void)
{
	static struct ufx_node n[MANY];
	struct ufx_domain *d = made((struct ufx_domain_options){ .slots = 0 });
	struct ufx_domain *kept = made((struct ufx_domain_options){ .slots = 16 });
	struct ufx_domain_stats stats;
	long left = 0;

	for (uint64_t i = 0; i < MANY; i++)
		prepare(d, &n[i], 64 * i);
	ufx_domain_get_stats(d, &stats);
	ok(stats.replacements > 2 && ufx_domain_get_slots(d) >= MANY / 64,
	   "10,000 keys: %u slots", ufx_domain_get_slots(d));
	for (uint64_t i = 0; i < MANY; i++)
		left += ufx_domain_wake(d, 64 * i, 1, UFX_ALL) != 1;
	is_int(left, 0, "each is found");
	for (int i = 0; i < MANY; i++)
		ufx_node_finish(&n[i], NULL);
	for (int i = 0; i < 1024 * 10 && ufx_domain_get_slots(d) > 16; i++) {
		prepare(d, &n[0], 64);
		ufx_node_finish(&n[0], NULL);
	}
	is_int(ufx_domain_get_slots(d), 16, "once they are gone it shrinks again");
	ufx_domain_destroy(d);
	for (uint64_t i = 0; i < MANY; i++)
		prepare(kept, &n[i], 64 * i);
	is_int(ufx_domain_get_slots(kept), 16, "asked for 16: they stay");
	is_int(ufx_domain_cancel(kept), MANY, "all are cancelled at once");
	for (int i = 0; i < MANY; i++)
		left += ufx_node_finish(&n[i], NULL) != UFX_CANCELLED;
	is_int(left, 0, "each knows it");
	ufx_domain_destroy(kept);
}

/* ---- references ---- */

static void references(void)
{
	struct ufx_domain *d = made((struct ufx_domain_options){ .allocator = &allocator });
	struct ufx_node n = { .handle = NULL };

	ufx_domain_get(d);
	prepare(d, &n, 1);
	ufx_domain_put(d);
	ok(!ufx_node_ended(&n), "a reference is left");
	ufx_domain_put(d);
	ok(ufx_node_ended(&n), "the last one cancels");
	is_int(ufx_node_finish(&n, NULL), UFX_CANCELLED, "it knows");
	ufx_grace_barrier();
	is_int(allocations, 0, "the domain is freed, later");
}

/* ---- fork ---- */

static struct ufx_domain *forked;
static struct ufx_node of_parent;

static long wait_on(void *arg)
{
	struct ufx_condition c = { .key = (uintptr_t)arg, .word = arg, .size = 4 };

	return ufx_domain_wait(forked, &c, NULL, NULL);
}

static void in_child(void)
{
	struct blocked b;

	is_int(ufx_domain_wake(forked, (uintptr_t)&word, 9, UFX_ALL), 0,
	       "a child: the parent's waiters are gone");
	is_int(ufx_node_finish(&of_parent, NULL), UFX_CANCELLED, "so is a node of its own");
	blocked_start(&b, wait_on, &word, NULL);
	blocked_wait(&b);
	is_int(ufx_domain_wake(forked, (uintptr_t)&word, 9, UFX_ALL), 1,
	       "a thread of the child's waits and is woken");
	is_int(blocked_join(&b), UFX_WOKEN, "it knows");
	is_int(ufx_domain_destroy(forked), 0, "the child's domain goes");
}

static void forks(void)
{
	struct blocked b;
	pid_t child;

	forked = made((struct ufx_domain_options){ .slots = 0 });
	prepare(forked, &of_parent, 5);
	blocked_start(&b, wait_on, &word, NULL);
	blocked_wait(&b);
	child = tap_fork();
	if (!child) {
		in_child();
		_exit(tap_end());
	}
	tap_reap(child, "the child");
	is_int(ufx_domain_wake(forked, (uintptr_t)&word, 9, UFX_ALL), 1, "the parent's waiter");
	is_int(blocked_join(&b), UFX_WOKEN, "is woken");
	is_int(ufx_node_finish(&of_parent, NULL), UFX_LEFT, "its node still queued");
	ufx_domain_destroy(forked);
}

/* ---- thousands ---- */

#define DOMAINS 1000

static long resident(void)
{
	char text[64] = "";
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f && fgets(text, sizeof(text), f))
		pages = strtol(strchr(text, ' '), NULL, 10);
	if (f)
		fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static void thousands(void)
{
	static struct ufx_domain *d[DOMAINS];
	static struct ufx_node n;
	long before, bytes;

	for (int round = 0; round < 2; round++) {
		before = resident();
		for (int i = 0; i < DOMAINS; i++) {
			d[i] = made((struct ufx_domain_options){ .slots = 16, .fixed = true });
			prepare(d[i], &n, 1);
			ufx_node_finish(&n, NULL);
		}
		bytes = (resident() - before) / DOMAINS;
		if (!round)
			diag("  %ld bytes each", bytes);
		for (int i = 0; i < DOMAINS; i++)
			ufx_domain_destroy(d[i]);
	}
	ok(bytes < 256, "a thousand more take the memory of the first: %ld bytes", bytes);
}

int main(void)
{
	options();
	orders();
	allocators(false);
	allocators(true);
	no_pages();
	scaling();
	references();
	forks();
	thousands();
	return tap_end();
}
