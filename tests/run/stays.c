/* SPDX-License-Identifier: MIT */
/*
 * A signal comes at one instruction of a futex call, whose handler waits until
 * another thread has made a call on the same word: as collectors do that stop
 * the world. Single steps find the instructions.
 */
#include <ucontext.h>

#include "run.h"

#define TRAP_FLAG 0x100
#define PATIENCE 5 /* seconds: then the other thread is held up */

static uint32_t word;
static long steps, at, came, held_up;
static long asked, answered, over;

static void call(void)
{
	struct timespec past = { 0, 1 };

	raw_futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &past, NULL, -1);
	raw_futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *other(void *arg)
{
	(void)arg;
	while (!get(&over)) {
		if (get(&asked) == get(&answered)) {
			sched_yield();
			continue;
		}
		call();
		add(&answered);
	}
	return NULL;
}

static void on_step(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	if (++steps == at)
		raise(SIGUSR1);
	if (came || steps > 100000)
		uc->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static void stay(int sig)
{
	time_t end = time(NULL) + PATIENCE;

	(void)sig;
	came = steps;
	add(&asked);
	while (get(&answered) != get(&asked) && time(NULL) < end)
		sched_yield();
	held_up += get(&answered) != get(&asked);
}

/* The signal before step @a. */
static void step_through(long a)
{
	steps = came = 0;
	at = a;
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
	call();
	__asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
}

int main(int argc, char **argv)
{
	long every = rounds(argc, argv, 25, 1), end, tried = 0;
	struct sigaction action;
	pthread_t thread;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_step;
	action.sa_flags = SA_SIGINFO;
	sigaddset(&action.sa_mask, SIGUSR1);
	sigaction(SIGTRAP, &action, NULL);
	handle(SIGUSR1, SA_RESTART, stay);
	thread = start(other, NULL);
	step_through(0); /* the first call of a process is another */
	step_through(0);
	end = steps;
	for (long a = 5; a < end && !held_up; a += every) {
		step_through(a);
		tried += came != 0;
	}
	set(&over, 1);
	pthread_join(thread, NULL);
	note("%ld steps, %ld handlers", end, tried);
	is_int(held_up, 0, "a handler that stays holds up nobody");
	ok(tried > 0, "handlers came");
	return tap_end();
}
