/* SPDX-License-Identifier: MIT */
/*
 * Counts the instructions of an operation: a forked child is stepped through
 * it by ptrace.
 *
 * A stop inside a restartable sequence makes the kernel abort it, so a stepped
 * thread would never get through one. The child is alone and stays on its CPU,
 * so nothing can disturb its sequences but the steps themselves: the word in
 * which it announces them to the kernel is cleared before each step.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ufutex/section.h>

#include "bench.h"

#define WARM_UP 100
#define MOST_STEPS 100000

/* Where counting begins and ends; they must be called, and differ. */
__attribute__((noinline)) static void mark_begin(void)
{
	__asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) static void mark_end(void)
{
	__asm__ volatile("nop" ::: "memory");
}

__attribute__((noreturn)) static void child_main(void *(*setup)(void *arg),
						 void (*op)(void *made),
						 void *arg)
{
	void *made;
	int i;

	bench_cpus();
	bench_pin(0);
	made = setup(arg);
	if (!made || ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(1);
	for (i = 0; i < WARM_UP; i++)
		op(made);
	raise(SIGSTOP);
	mark_begin();
	op(made);
	mark_end();
	_exit(0);
}

static uintptr_t program_counter(pid_t pid)
{
	struct user_regs_struct regs;
	struct iovec vec = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &vec))
		return 0;
#if defined(__x86_64__)
	return regs.rip;
#else
	return regs.pc;
#endif
}

/* rseq_cs of the child: where this thread's is, for it was forked from here. */
static void *announcement(void)
{
	if (!ufx_section_env.cpus)
		return NULL;
	return (char *)__builtin_thread_pointer() + ufx_section_env.area + 8;
}

static bool step(pid_t pid, void *rseq_cs)
{
	int status;

	if (rseq_cs && ptrace(PTRACE_POKEDATA, pid, rseq_cs, NULL))
		return false;
	return !ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) &&
	       waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) &&
	       WSTOPSIG(status) == SIGTRAP;
}

/* Steps until the child is at @where; the number of steps, or -1. */
static long step_to(pid_t pid, uintptr_t where, void *rseq_cs)
{
	long n;

	for (n = 0; n < MOST_STEPS; n++) {
		if (program_counter(pid) == where)
			return n;
		if (!step(pid, rseq_cs))
			break;
	}
	return -1;
}

static long count_steps(pid_t pid)
{
	void *rseq_cs = announcement();
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return -ECHILD;
	if (step_to(pid, (uintptr_t)mark_begin, rseq_cs) < 0)
		return -EPERM;
	return step_to(pid, (uintptr_t)mark_end, rseq_cs);
}

static void nothing(void *made)
{
	(void)made;
	__asm__ volatile("" ::: "memory");
}

static long count_in_child(void *(*setup)(void *arg), void (*op)(void *made),
			   void *arg)
{
	pid_t pid = fork();
	long n;

	if (pid < 0)
		return -errno;
	if (pid == 0)
		child_main(setup, op, arg);
	n = count_steps(pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return n == -1 ? -EPERM : n;
}

static void *made_nothing(void *arg)
{
	return arg;
}

long bench_count_instructions(void *(*setup)(void *arg), void (*op)(void *made),
			      void *arg)
{
	long with = count_in_child(setup, op, arg);
	long without = count_in_child(made_nothing, nothing, arg);

	if (with < 0)
		return with;
	return without < 0 ? without : with - without;
}
