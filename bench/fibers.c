/* SPDX-License-Identifier: MIT */
/*
 * Fibers that wait through the table.
 *
 *   fcontext, ucontext  a turn handed over between two fibers of one thread: wake
 *                       the other, prepare, switch, finish; against the switch alone
 *   crowded             a wait queued, woken and finished while 10,000 others wait on
 *                       another word of the same bucket; against nobody
 *   words               the same while 10,000 words have a waiter each, in a domain
 *                       that scales with them; against 10 words. It takes turns on 10
 *                       of them; "all" goes over all 10,000, whose lines are not in
 *                       the caches.
 */
#include <errno.h>
#include <stdlib.h>

#include <ufutex/domain.h>
#include <ufutex/wait.h>
#include <ufutex/wake.h>

#include "fibers.h"
#include "table/domain.h"

#define MANY 10000
#define FEW 10

static void told(void *handle)
{
	++*(uint64_t *)handle;
}

static const struct ufx_parker parker = { told };
static uint64_t calls; /* of it */

/* Waiters on words of their own, or all on one. */
struct park {
	struct ufx_domain *domain;
	struct ufx_node *nodes;
	uint64_t *keys;
	unsigned int n, step;
	unsigned int use; /* so many of the first take turns */
};

static int prepare(struct park *p, unsigned int i)
{
	struct ufx_condition c = { .key = p->keys[i] };

	return ufx_node_prepare(p->domain, &p->nodes[i], &c, &parker, &calls);
}

static int park_init(struct park *p, const struct ufx_domain_options *options,
		     unsigned int n)
{
	int err = ufx_domain_create(&p->domain, options);

	p->nodes = aligned_alloc(64, n * sizeof(*p->nodes));
	p->keys = calloc(n, sizeof(*p->keys));
	if (!err && (!p->nodes || !p->keys))
		err = -ENOMEM;
	for (unsigned int i = 0; i < n && !err; i++)
		p->nodes[i] = (struct ufx_node){ .handle = NULL };
	p->n = n;
	return err;
}

static void park_end(struct park *p)
{
	if (p->domain) {
		ufx_domain_cancel(p->domain);
		ufx_domain_destroy(p->domain);
	}
	free(p->nodes);
	free(p->keys);
}

/* The last node waits on a word of its own, all others on one of the same bucket. */
static int crowd(struct park *p, unsigned int n)
{
	const struct ufx_domain_options two = { .slots = 2, .fixed = true };
	int err = park_init(p, &two, n);
	uint64_t other = 2;

	while (!err && (ufx_domain_hash(p->domain, 1) ^ ufx_domain_hash(p->domain, other)) & 1)
		other++;
	for (unsigned int i = 0; i < n && !err; i++) {
		p->keys[i] = i ? 1 : other;
		err = prepare(p, i);
	}
	p->use = 1;
	return err;
}

static int words(struct park *p, unsigned int n, unsigned int use)
{
	int err = park_init(p, NULL, n);

	for (unsigned int i = 0; i < n && !err; i++) {
		p->keys[i] = 0x10000 + 64ull * i;
		err = prepare(p, i);
	}
	p->use = use;
	return err;
}

/* Wakes one, which waits again. */
static void loop_again(struct bench_worker *worker, void *arg, uint64_t n)
{
	struct park *p = arg;
	unsigned int i = p->step;

	(void)worker;
	while (n--) {
		if (ufx_domain_wake(p->domain, p->keys[i], 1, UFX_ALL) != 1 ||
		    ufx_node_finish(&p->nodes[i], NULL) != UFX_WOKEN || prepare(p, i))
			abort();
		if (++i == p->use)
			i = 0;
	}
	p->step = i;
}

static struct bench_subject *add(struct bench_run *run, const char *name,
				 const char *variant, struct park *p)
{
	return bench_add(run, &(struct bench_subject){ .name = name, .variant = variant,
						       .loop = loop_again, .arg = p });
}

static void add_kind(struct bench_run *run, const struct bench_fiber_kind *kind,
		     struct ufx_domain *domain)
{
	struct bench_subject s = { .name = "ufutex", .variant = kind->name,
				   .missing = kind->missing, .loop = kind->hand_off,
				   .arg = domain };

	bench_add(run, &s);
	s.name = "switch";
	s.loop = kind->bare;
	bench_add(run, &s);
}

/* How much more it costs than @name, in the terms of what may be. */
static void note(struct bench_run *run, const char *name, const char *variant, double most,
		 const char *what)
{
	struct bench_subject *of = bench_find(run, "ufutex", variant),
			     *against = bench_find(run, name, variant);

	for (unsigned int i = 0; of && against && i < run->ncomparisons; i++) {
		struct bench_comparison *c = &run->comparisons[i];

		if (c->of == of && c->against == against)
			bench_note(run, "%s: %.2f (%.2f to %.2f; %g is the most)", what,
				   1 / c->ratio, 1 / c->high, 1 / c->low, most);
	}
}

static void notes(struct bench_run *run)
{
	note(run, "switch", "fcontext", 8, "a hand-off costs as many bare fcontext switches");
	note(run, "switch", "ucontext", 1.3, "and ucontext switches");
	note(run, "alone", "crowded", 1.5, "a crowd in the bucket makes it cost times");
	note(run, "few", "words", 1.5, "10,000 words instead of 10, times");
}

static int measure(struct bench_run *run, struct park parks[5])
{
	int err = crowd(&parks[0], MANY);

	if (!err)
		err = crowd(&parks[1], 1);
	if (!err)
		err = words(&parks[2], MANY, FEW);
	if (!err)
		err = words(&parks[3], FEW, FEW);
	if (!err)
		err = words(&parks[4], MANY, MANY);
	if (err)
		return err;
	add_kind(run, &bench_fcontext, parks[3].domain);
	add_kind(run, &bench_ucontext, parks[3].domain);
	add(run, "ufutex", "crowded", &parks[0]);
	add(run, "alone", "crowded", &parks[1]);
	add(run, "ufutex", "words", &parks[2]);
	add(run, "few", "words", &parks[3]);
	add(run, "all", "words", &parks[4]);
	err = bench_measure(run);
	if (!err)
		notes(run);
	return err;
}

static int run_fibers(struct bench_run *run)
{
	struct park parks[5] = { 0 };
	int err = measure(run, parks);

	for (int i = 0; i < 5; i++)
		park_end(&parks[i]);
	return err;
}

const struct bench bench_fibers = {
	.name = "fibers",
	.what = "fibers that hand over, and waits beside 10,000 others",
	.operation = "one hand-off; one wait, woken",
	.seconds = 4,
	.threads = 1,
	.against = (const char *const[]){ "switch", "alone", "few", NULL },
	.run = run_fibers,
};
