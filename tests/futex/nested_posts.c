// SPDX-License-Identifier: MIT
/*
 * A handler posts wakes, or the frame below carries them out, and another
 * handler posts over it, after each instruction in turn: no wake is lost. The
 * other handler is that of the trap after each instruction.
 */
#include <signal.h>
#include <ucontext.h>

#include "futex/wait.h"
#include "futex/wake.h"
#include "host/thread.h"

#include "tap.h"

#define KEYS (UFX_POSTED_MAX + 3)

#if defined(__x86_64__)
#define TRAP_FLAG 0x100

static struct ufx_domain *domain;
static uint32_t words[KEYS], park;
static struct ufx_waiter waiters[KEYS];
static long steps, interrupt_at;
static void (*volatile over)(void);

static void on_trap(int sig, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	(void)sig;
	(void)info;
	if (++steps != interrupt_at)
		return;
	c->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
	over();
}

static void step(void (*what)(void))
{
	steps = 0;
	__asm__ __volatile__("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq" ::: "memory", "cc");
	what();
	__asm__ __volatile__("pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq" ::: "memory", "cc");
}

static void queue(int i, int word)
{
	waiters[i] = (struct ufx_waiter){ .mask = UINT32_MAX, .park = &park };
	if (ufx_wait_prepare(domain, &waiters[i], &words[word], 0))
		bail("a waiter is not queued");
}

static void post(int word)
{
	ufx_post(domain, (uintptr_t)&words[word], 1, UINT32_MAX);
}

static void post_first(void)
{
	post(0);
}

static void post_second(void)
{
	post(1);
}

/* What a handler does whose own wakes are interrupted by posts. */
static void two_wakes_posted_over(void)
{
	for (int i = 1; i < 3; i++) {
		ufx_enter_inside();
		post(i);
		ufx_leave_inside();
	}
}

/* Each of the first @n waiters has been woken? */
static bool all_woken(int n)
{
	int woken = 0;

	for (int i = 0; i < n; i++)
		woken += ufx_wait_finish(domain, &waiters[i]);
	return woken == n;
}

struct scene {
	const char *what;
	void (*below)(void), (*above)(void);
	int filled;   /* entries before, of other words */
	int same;     /* the second waiter waits on the first one's word */
	int run;      /* the frame below carries out, it does not post */
	int waiters;
	int steps;    /* to be tried; 0: all */
};

static bool once(const struct scene *s)
{
	struct ufx_thread *t = ufx_thread_self();

	t->posted.next = NULL; /* as new */
	for (int i = 0; i < s->waiters; i++)
		queue(i, s->same ? 0 : i);
	over = s->above;
	ufx_enter_inside();
	for (int i = 0; i < s->filled; i++)
		post(3 + i);
	if (s->run) {
		post(0);
		step(s->below);
	} else {
		step(s->below);
		ufx_leave_inside();
	}
	return all_woken(s->waiters);
}

static void each_instruction(const struct scene *s)
{
	int lost = 0;

	for (interrupt_at = 1; !s->steps || interrupt_at < s->steps; interrupt_at++) {
		bool all = once(s);

		if (steps < interrupt_at) /* it was over before */
			break;
		lost += !all;
	}
	is_int(lost, 0, "%s", s->what);
	ok(interrupt_at > 20, "after each of %ld instructions", interrupt_at);
}

static const struct scene scenes[] = {
	{ "two posts of one word", post_first, post_first, 1, 1, 0, 2, 0 },
	{ "two posts of two words", post_first, post_second, 0, 0, 0, 2, 0 },
	{ "two posts where the page is full", post_first, post_second,
	  UFX_POSTED_MAX, 0, 0, 2, 0 },
	{ "posts are carried out, and others come and go", ufx_leave_inside,
	  two_wakes_posted_over, 0, 0, 1, 3, 120 },
};

int main(void)
{
	struct sigaction act = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };

	domain = ufx_domain_default();
	sigaction(SIGTRAP, &act, NULL);
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		each_instruction(&scenes[i]);
	return tap_end();
}
#else
int main(void)
{
	skip("the trap flag is x86's", "posts over posts");
	return tap_end();
}
#endif
