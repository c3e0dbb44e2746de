/* SPDX-License-Identifier: MIT */
/*
 * Switching stacks: by the C functions of boost's fcontext where the build has
 * found them (FIBERS_FCONTEXT; a few nanoseconds), else by ucontext, which also
 * exchanges the signal mask (two system calls).
 *
 * A context is saved by whoever runs next on the thread. So a fiber must not be
 * resumed before that has happened: fiber.c says how.
 */
#ifndef EXAMPLES_CONTEXT_H
#define EXAMPLES_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#ifdef FIBERS_FCONTEXT
#define CONTEXT_NAME "fcontext"
#else
#include <ucontext.h>
#define CONTEXT_NAME "ucontext"
#endif

/* ThreadSanitizer is told about each stack. */
#if defined(__SANITIZE_THREAD__)
#define CONTEXT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CONTEXT_TSAN 1
#endif
#endif
#ifdef CONTEXT_TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned int flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned int flags);
#endif

/* Zeroed for the stack that a thread is on. */
struct context {
#ifdef FIBERS_FCONTEXT
	void *at;
	struct context *to; /* that this one is switching to */
#else
	ucontext_t u;
#endif
	void (*run)(void *arg);
	void *arg;
#ifdef CONTEXT_TSAN
	void *tsan;
#endif
};

#ifdef FIBERS_FCONTEXT

struct context_transfer {
	void *from; /* where the other one stopped */
	void *data;
};

struct context_transfer jump_fcontext(void *to, void *data);
void *make_fcontext(void *top, size_t size, void (*entry)(struct context_transfer));

static inline struct context *context_arrived(struct context_transfer t)
{
	struct context *from = t.data;

	from->at = t.from;
	return from->to;
}

static inline void context_entry(struct context_transfer t)
{
	struct context *self = context_arrived(t);

	self->run(self->arg);
}

static inline void context_init(struct context *c, char *stack, size_t size)
{
	c->at = make_fcontext(stack + size, size, context_entry);
}

static inline void context_jump(struct context *from, struct context *to)
{
	from->to = to;
	context_arrived(jump_fcontext(to->at, from));
}

#else

static inline void context_entry(unsigned int high, unsigned int low)
{
	struct context *self = (struct context *)((uintptr_t)high << 32 | low);

	self->run(self->arg);
}

static inline void context_init(struct context *c, char *stack, size_t size)
{
	getcontext(&c->u);
	c->u.uc_stack.ss_sp = stack;
	c->u.uc_stack.ss_size = size;
	c->u.uc_link = NULL;
	makecontext(&c->u, (void (*)(void))context_entry, 2,
		    (unsigned int)((uintptr_t)c >> 32), (unsigned int)(uintptr_t)c);
}

static inline void context_jump(struct context *from, struct context *to)
{
	swapcontext(&from->u, &to->u);
}

#endif

/* @run(@arg) will be called on @stack at the first switch; it may not return. */
static inline void context_make(struct context *c, char *stack, size_t size,
				void (*run)(void *arg), void *arg)
{
	c->run = run;
	c->arg = arg;
#ifdef CONTEXT_TSAN
	c->tsan = __tsan_create_fiber(0);
#endif
	context_init(c, stack, size);
}

/* Nobody is on it, and nobody will be. */
static inline void context_drop(struct context *c)
{
	(void)c;
#ifdef CONTEXT_TSAN
	__tsan_destroy_fiber(c->tsan);
#endif
}

static inline void context_switch(struct context *from, struct context *to)
{
#ifdef CONTEXT_TSAN
	if (!from->tsan)
		from->tsan = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(to->tsan, 0);
#endif
	context_jump(from, to);
}

#endif
