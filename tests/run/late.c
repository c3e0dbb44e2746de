/* SPDX-License-Identifier: MIT */
/*
 * A signal comes at one instruction of a wait, another one at a later one: the
 * first is never kept from the handler of the second, which may wait for it,
 * or not return. Single steps find the instructions.
 */
#include <setjmp.h>
#include <sys/resource.h>
#include <ucontext.h>

#include "run.h"

#define TRAP_FLAG 0x100
#define LAST 40 /* steps before the first one's handler at which to try */

static uint32_t word;
static long steps, first_at, second_at, first_came, tried, kept_out, left;
static bool leaves, no_room;
static sigjmp_buf back;

/* How many signals may be queued. */
static void allow(rlim_t n)
{
	struct rlimit limit;

	getrlimit(RLIMIT_SIGPENDING, &limit);
	limit.rlim_cur = n < limit.rlim_max ? n : limit.rlim_max;
	setrlimit(RLIMIT_SIGPENDING, &limit);
}

static void send_first(void)
{
	union sigval none = { 0 };

	if (!no_room) {
		raise(SIGUSR1);
		return;
	}
	pthread_sigqueue(pthread_self(), SIGRTMIN, none);
	allow(0);
}

static void on_step(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	steps++;
	if (steps == first_at)
		send_first();
	if (steps == second_at && !first_came)
		raise(SIGUSR2);
	if (first_came || steps > 100000)
		uc->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static void first(int sig)
{
	(void)sig;
	first_came = steps;
}

/* Has it come, and is blocked? */
static bool waits(int sig)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, sig);
}

static void second(int sig)
{
	(void)sig;
	tried++;
	kept_out += waits(SIGUSR1);
	if (leaves)
		siglongjmp(back, 1);
}

/* SIGUSR1 before step @a, SIGUSR2 before step @b. Returns when the one came. */
static long step_through(long a, long b)
{
	struct timespec past = { 0, 1 };
	sigset_t now;

	steps = first_came = 0;
	first_at = a;
	second_at = b;
	if (!sigsetjmp(back, 0)) {
		__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
		raw_futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &past, NULL, -1);
		__asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory",
				 "cc");
	}
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	left += waits(SIGUSR1) || (!leaves && sigismember(&now, SIGUSR1));
	sigemptyset(&now);
	pthread_sigmask(SIG_SETMASK, &now, NULL);
	return first_came;
}

static void install(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_step;
	action.sa_flags = SA_SIGINFO;
	sigaddset(&action.sa_mask, SIGUSR1);
	sigaddset(&action.sa_mask, SIGUSR2);
	sigaddset(&action.sa_mask, SIGRTMIN);
	sigaction(SIGTRAP, &action, NULL);
	handle(SIGUSR1, SA_RESTART, first);
	handle(SIGRTMIN, SA_RESTART, first);
	handle(SIGUSR2, SA_RESTART, second);
}

/* @every so many steps, the first; wherever it comes late, the second. */
static void sweep(long every, const char *name)
{
	long end, late = 0;

	step_through(0, 0); /* the first call of a process is another */
	step_through(0, 0);
	end = steps;
	tried = kept_out = left = 0;
	for (long a = 5; a < end; a += every) {
		long came = step_through(a, 0);

		if (came < a + 2)
			continue;
		late++;
		for (long b = came > LAST ? came - LAST : 1; b <= came; b++)
			step_through(a, b);
	}
	note("%ld steps; %ld times late; %ld seconds came before", end, late, tried);
	is_int(kept_out, 0, "%s: the first does not wait for the end of the second", name);
	is_int(left, 0, "%s: nor stays blocked", name);
}

/* One that cannot be kept for later comes at once. */
static void crowded(long every)
{
	long end, missing = 0;

	leaves = false;
	step_through(0, 0);
	end = steps;
	no_room = true;
	for (long a = 5; a < end; a += every) {
		/* Not every call has as many steps. */
		missing += !step_through(a, 0) && steps >= a;
		allow(RLIM_INFINITY);
	}
	is_int(missing, 0, "none is lost where no more may be queued");
}

int main(int argc, char **argv)
{
	long every = rounds(argc, argv, 700, 60);

	install();
	sweep(every, "a handler that returns");
	leaves = true;
	sweep(every, "a handler that leaves");
	crowded(every / 10);
	return tap_end();
}
