/* SPDX-License-Identifier: MIT */
/*
 * Two fibers of one thread that hand a turn over, through the table or bare. For
 * one source file a way of switching (examples/context.h): so that the bare
 * switch is inlined, and has nothing about it that could be left out.
 */
#ifndef UFUTEX_BENCH_FIBERS_PAIR_H
#define UFUTEX_BENCH_FIBERS_PAIR_H

#include <stdlib.h>

#include <ufutex/wait.h>
#include <ufutex/wake.h>

#include "../examples/context.h"
#include "fibers.h"

#define STACK (64 * 1024)

struct pair;

struct pair_fiber {
	struct context context;
	struct pair *pair;
	struct pair_fiber *other;
	uint32_t turn; /* the word that it waits on, while it is 0 */
	struct ufx_node node;
	char stack[STACK];
} __attribute__((aligned(64)));

struct pair {
	struct pair_fiber fibers[2];
	struct context thread;
	struct ufx_domain *domain;
	struct pair_fiber *runnable[2]; /* what the parker fills */
	unsigned int first, n;
	uint64_t left; /* hand-offs to be made */
	struct pair_fiber *at; /* who goes on in the next loop */
};

static void pair_unpark(void *handle)
{
	struct pair_fiber *f = handle;
	struct pair *p = f->pair;

	p->runnable[(p->first + p->n++) % 2] = f;
}

static const struct ufx_parker pair_parker = { pair_unpark };

static struct pair_fiber *pair_next(struct pair *p)
{
	if (!p->n--)
		abort(); /* nobody was woken */
	return p->runnable[p->first++ % 2];
}

static void pair_give(struct pair_fiber *f)
{
	struct pair_fiber *other = f->other;

	f->turn = 0;
	__atomic_store_n(&other->turn, 1, __ATOMIC_RELEASE);
	if (ufx_domain_wake(f->pair->domain, (uintptr_t)&other->turn, 1, UFX_ALL) != 1)
		abort();
}

static void pair_prepare(struct pair_fiber *f)
{
	struct ufx_condition c = { .key = (uintptr_t)&f->turn, .word = &f->turn, .size = 4 };

	if (ufx_node_prepare(f->pair->domain, &f->node, &c, &pair_parker, f))
		abort();
}

static void pair_finish(struct pair_fiber *f)
{
	if (ufx_node_finish(&f->node, NULL) != UFX_WOKEN)
		abort();
}

static void pair_to_thread(struct pair_fiber *f)
{
	f->pair->at = f;
	context_switch(&f->context, &f->pair->thread);
}

static void pair_hand_off(void *arg)
{
	struct pair_fiber *f = arg;
	struct pair *p = f->pair;

	if (f == &p->fibers[1]) { /* waits from the start */
		pair_prepare(f);
		pair_to_thread(f);
		pair_finish(f);
	}
	for (;;) {
		while (!p->left)
			pair_to_thread(f);
		p->left--;
		pair_give(f);
		pair_prepare(f);
		context_switch(&f->context, &pair_next(p)->context);
		pair_finish(f);
	}
}

static void pair_bare(void *arg)
{
	struct pair_fiber *f = arg;
	struct pair *p = f->pair;

	for (;;) {
		while (!p->left)
			pair_to_thread(f);
		p->left--;
		context_switch(&f->context, &f->other->context);
	}
}

static struct pair *pair_new(void (*run)(void *arg), void *domain)
{
	struct pair *p = aligned_alloc(64, sizeof(*p));

	if (!p)
		abort();
	*p = (struct pair){ .domain = domain };
	for (int i = 0; i < 2; i++) {
		struct pair_fiber *f = &p->fibers[i];

		f->pair = p;
		f->other = &p->fibers[!i];
		context_make(&f->context, f->stack, STACK, run, f);
	}
	return p;
}

static void pair_run(struct pair *p, struct pair_fiber *f, uint64_t n)
{
	p->left = n;
	context_switch(&p->thread, &f->context);
}

/* Both are made once, and go on where they stopped. */
static void pair_loop_hand_off(struct bench_worker *worker, void *domain, uint64_t n)
{
	static struct pair *p;

	(void)worker;
	if (!p) {
		p = pair_new(pair_hand_off, domain);
		pair_run(p, &p->fibers[1], 0);
		p->at = &p->fibers[0];
	}
	pair_run(p, p->at, n);
}

static void pair_loop_bare(struct bench_worker *worker, void *domain, uint64_t n)
{
	static struct pair *p;

	(void)worker;
	if (!p) {
		p = pair_new(pair_bare, domain);
		p->at = &p->fibers[0];
	}
	pair_run(p, p->at, n);
}

#endif
