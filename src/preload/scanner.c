/* SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/memory.h"
#include "host/signals.h"
#include "host/syscall.h"
#include "preload/kept.h"
#include "preload/scanner.h"

#define STACK_SIZE 16384

/* All that the child needs, in pages of their own. */
struct errand {
	char stacks[2][STACK_SIZE];
	char *arguments[UFX_SCAN_MAX + 5];
	char number[12];
	const char *command;
	int fd;
};

static void fill_arguments(struct errand *e, const char *const *paths, size_t count)
{
	char *digit = e->number + sizeof(e->number) - 1;
	int n = e->fd;
	size_t used = 0;

	do
		*--digit = (char)('0' + n % 10);
	while (n /= 10);
	e->arguments[used++] = (char *)e->command;
	e->arguments[used++] = (char *)"sites";
	e->arguments[used++] = (char *)"--tables";
	e->arguments[used++] = digit;
	for (size_t i = 0; i < count; i++)
		e->arguments[used++] = (char *)paths[i];
	e->arguments[used] = NULL;
}

/*
 * A process that runs @run(@e) on @stack, in our memory; we go on once it has
 * ended or become a program. Signals are blocked: no handler of ours may run in
 * it. -errno or its number.
 */
static long start(struct errand *e, void (*run)(struct errand *), char *stack,
		  unsigned int exit_signal)
{
	long pid;

#if defined(__x86_64__)
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 0;

	__asm__ __volatile__("syscall\n\t"
			     "testq %%rax, %%rax\n\t"
			     "jnz 1f\n\t"
			     "movq %[errand], %%rdi\n\t"
			     "call *%[run]\n\t"
			     "ud2\n"
			     "1:"
			     : "=a"(pid)
			     : "a"(SYS_clone),
			       "D"((long)(CLONE_VM | CLONE_VFORK | exit_signal)),
			       "S"(stack + STACK_SIZE), "d"(0), "r"(r10), "r"(r8),
			       [errand] "r"(e), [run] "r"(run)
			     : "rcx", "r11", "memory");
#else
	pid = -ENOSYS;
	(void)e;
	(void)run;
	(void)stack;
	(void)exit_signal;
#endif
	return pid;
}

static void wait_for(long pid, long options)
{
	int status;

	while (pid > 0 && ufx_syscall(SYS_wait4, pid, (long)&status, options, 0, 0, 0) ==
				   -EINTR)
		;
}

static _Noreturn void leave(int status)
{
	for (;;)
		ufx_syscall(SYS_exit, status, 0, 0, 0, 0, 0);
}

/* Nothing of libc in these two: its errno and locks are our thread's. */
static void run_command(struct errand *e)
{
	ufx_syscall(SYS_fcntl, e->fd, F_SETFD, 0, 0, 0, 0);
	ufx_syscall(SYS_execve, (long)e->command, (long)e->arguments,
		    (long)ufx_kept_environment(), 0, 0, 0);
	leave(127);
}

/* exec gives a child its signal back; so the command is a child of this one. */
static void run_between(struct errand *e)
{
	wait_for(start(e, run_command, e->stacks[1], SIGCHLD), 0);
	leave(0);
}

int ufx_scan(const char *const *paths, size_t count)
{
	struct errand *e = ufx_pages_alloc(sizeof(*e));
	uint64_t signals;
	int fd;
	long pid;

	if (!e)
		return -ENOMEM;
	e->command = ufx_kept_command();
	e->fd = (int)ufx_syscall(SYS_memfd_create, (long)"ufutex-sites", MFD_CLOEXEC, 0,
				 0, 0, 0);
	if (!e->command || e->fd < 0) {
		ufx_pages_free(e, sizeof(*e));
		return -ENOENT;
	}
	fill_arguments(e, paths, count);
	signals = ufx_signals_block();
	pid = start(e, run_between, e->stacks[0], 0);
	ufx_signals_restore(signals);
	wait_for(pid, __WCLONE);
	fd = e->fd;
	ufx_pages_free(e, sizeof(*e));
	if (pid > 0)
		return fd;
	ufx_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
	return (int)pid;
}
