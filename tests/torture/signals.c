// SPDX-License-Identifier: MIT
/*
 * Storms of signals: handlers that wake, carry tokens, wait, requeue, pin,
 * over whatever the thread was at (R10, R11); half of them end the wait that
 * they come over first (R12). And some that fork.
 */
#include "futex/wait.h"
#include "host/thread.h"
#include "torture.h"

#include <sys/wait.h>

#include <ufutex/grace.h>

#define FORKS SIGURG

static uint64_t dice;

static uint32_t roll(uint32_t n)
{
	uint64_t x = __atomic_add_fetch(&dice, 0x9e3779b97f4a7c15u, __ATOMIC_RELAXED);

	x = (x ^ x >> 31) * 0xd6e8feb86659fd93u;
	return (uint32_t)(x >> 33) % n;
}

static void carry(struct space *s)
{
	if (token_try(&s->hot[roll(HOT)]))
		token_give(s, &s->hot[roll(HOT)], roll(2));
}

static void wake_some(struct space *s)
{
	wake_up(s, &s->cold[roll(8)], 1 + (int)roll(4), 1u << roll(32));
}

static void wait_a_little(struct space *s)
{
	struct timespec t = { 0, roll(50000) };

	wait_result(space_futex(s, &s->cold[roll(8)], UFX_FUTEX_WAIT, roll(2), &t, NULL, 0),
		    "in a handler");
}

static void requeue(struct space *s)
{
	long ret = space_futex(s, &s->cold[roll(8)], UFX_FUTEX_REQUEUE, roll(2),
			       (const struct timespec *)(uintptr_t)roll(3),
			       &s->cold[roll(8)], 0);

	if (ret != -EAGAIN && (ret < 0 || ret > 3))
		finding("a requeue in a handler returns %ld", ret);
}

static void cookies(struct space *s)
{
	(void)s;
	ufx_grace_poll(ufx_grace_get_state());
}

static void pins(struct space *s)
{
	(void)s;
	objects_in_handler();
}

static void handler(int sig)
{
	static void (*const kinds[])(struct space *) = {
		carry, carry, carry, wake_some, wait_a_little, requeue, cookies, pins
	};
	int saved = errno;
	uint32_t n = 1 + roll(3);

	count(COUNT_handlers, 1);
	if (ufx_thread_inside)
		count(COUNT_handlers_inside, 1);
	if (roll(2) && ufx_futex_interrupt(sig == SIGUSR1))
		count(COUNT_handlers_clear, 1);
	while (n--)
		kinds[roll(8)](&spaces[roll(SPACES)]);
	errno = saved;
}

/* Of handlers; their threads do not wait for them. -1: about to be there. */
static pid_t children[4];

static pid_t *cradle(void)
{
	pid_t none = 0;
	int i;

	for (i = 0; i < 4; i++, none = 0)
		if (__atomic_compare_exchange_n(&children[i], &none, -1, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return &children[i];
	return NULL;
}

/* Ends a wait, which the child has begun rightly; but nothing else. */
static void tick(int sig)
{
	static int ticks;

	(void)sig;
	if (++ticks == 30)
		kill(getpid(), SIGKILL);
	alarm(1);
}

/* It returns, as the header asks; what it returns to must end. */
static void child_of_handler(void)
{
	struct sigaction action = { .sa_handler = tick };

	in_child = 1;
	sigaction(SIGALRM, &action, NULL);
	alarm(1);
}

/*
 * Waits for nobody: its thread may hold a lock of the engine, which a handler
 * over another thread's fork may wait for, with libc's locks held.
 */
static void forker(int sig)
{
	int saved = errno;
	pid_t *place = cradle(), pid;

	(void)sig;
	if (!place)
		return;
	pid = ufx_thread_inside ? _Fork() : fork();
	if (pid == 0)
		child_of_handler();
	else if (pid > 0)
		count(COUNT_forks_in_handlers, 1);
	__atomic_store_n(place, pid > 0 ? pid : 0, __ATOMIC_SEQ_CST);
	errno = saved;
}

void handlers_install(void)
{
	struct sigaction action = { .sa_handler = handler };

	dice = options.seed;
	sigaddset(&action.sa_mask, SIGUSR1);
	sigaddset(&action.sa_mask, SIGUSR2);
	sigaddset(&action.sa_mask, FORKS);
	sigaction(SIGUSR2, &action, NULL);
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &action, NULL);
	action.sa_handler = forker;
	sigaction(FORKS, &action, NULL);
}

/* ---- the storm ---- */

static void step(struct worker *w)
{
	struct worker *other = worker_any(w);

	if (other && other != w) {
		syscall(SYS_tgkill, getpid(), other->tid,
			rnd(w, 2) ? SIGUSR1 : SIGUSR2);
		count(COUNT_signals, 1);
	}
	if (rnd(w, 4) == 0)
		nap_us(rnd(w, 300));
}

const struct activity signals = { "signals", 1, NULL, step, NULL, NULL };

/* ---- handlers that fork ---- */

/* Over those that call the engine only, so that fork finds no lock of libc held. */
static bool may_fork(const struct worker *w)
{
	return w->activity == &semaphores || w->activity == &bits ||
	       w->activity == &conditions || w->activity == &cold;
}

/* Waits for the children, and hears what they have found. */
static void reap(void)
{
	int i, status;

	for (i = 0; i < 4; i++) {
		pid_t pid = __atomic_load_n(&children[i], __ATOMIC_SEQ_CST);

		if (pid <= 0 || waitpid(pid, &status, stopped() ? 0 : WNOHANG) != pid)
			continue;
		__atomic_store_n(&children[i], 0, __ATOMIC_SEQ_CST);
		fork_judge(status, "a handler's fork");
	}
}

static void step_forks(struct worker *w)
{
	struct worker *other = worker_any(w);

	if (other && may_fork(other)) {
		syscall(SYS_tgkill, getpid(), other->tid, FORKS);
		nap_us(5000 + rnd(w, 20000));
	}
	reap();
}

const struct activity handler_forks = {
	"handler-forks", 1, NULL, step_forks, NULL, reap
};
