/* SPDX-License-Identifier: MIT */
/*
 * Where the handler of signal 32 finds the program. From version 2.41 on glibc
 * cancels a thread only if it is at the system call, not behind it; and looks
 * again if the call ends with EINTR.
 */
#include <ucontext.h>

#include "run.h"

#define CANCEL 32

static long handled;
static const char *where;
static uint32_t word;

/*
 * The number comes in a register, as in glibc. No label at the call: a place
 * whose address is taken might be jumped to, and is left alone.
 */
__asm__(".text\n"
	".type any_call, @function\n"
	"any_call:\n\t"
	".cfi_startproc\n\t"
	"mov %rdi, %rax\n\t"
	"mov %rsi, %rdi\n\t"
	"mov %rdx, %rsi\n\t"
	"mov %rcx, %rdx\n\t"
	"mov %r8, %r10\n\t"
	"mov %r9, %r8\n\t"
	"syscall\n\t"
	"ret\n\t"
	".cfi_endproc\n\t"
	".size any_call, . - any_call\n");
extern long any_call(long number, long a, long b, long c, long d, long e);

#define CALL_AT 18 /* six instructions of three bytes */

static void handler(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	long at = (long)uc->uc_mcontext.gregs[REG_RIP] - (long)any_call;

	(void)sig;
	(void)info;
	where = at == CALL_AT ? "at the call" : at == CALL_AT + 2 ? "behind it" : "elsewhere";
	add(&handled);
}

/* libc's function refuses that signal; but its restorer will do. */
static void install(unsigned long flags)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} action;

	handle_info(SIGUSR1, 0, handler);
	any_call(SYS_rt_sigaction, SIGUSR1, 0, (long)&action, 8, 0);
	action.flags |= flags;
	if (any_call(SYS_rt_sigaction, CANCEL, (long)&action, 0, 8, 0))
		bail("rt_sigaction");
}

/* The word is as if shared with other processes: the kernel's. */
static long waits(void *arg)
{
	(void)arg;
	return any_call(SYS_futex, (long)&word, FUTEX_WAIT, 0, 0, 0);
}

static void in_a_call(unsigned long flags, const char *name)
{
	struct blocked b;

	install(flags);
	handled = 0;
	blocked_start(&b, waits, NULL, NULL);
	blocked_wait(&b);
	any_call(SYS_tgkill, getpid(), b.tid, CANCEL, 0, 0);
	until(&handled, 1);
	ok(1, "%s: the handler finds it %s", name, where);
	if (flags)
		until_asleep(b.tid);
	any_call(SYS_futex, (long)&word, FUTEX_WAKE, 1, 0, 0);
	ok(1, "%s: it returns %ld", name, blocked_join(&b));
}

int main(void)
{
	in_a_call(SA_RESTART, "a call that goes on");
	in_a_call(0, "a call that ends");
	return tap_end();
}
