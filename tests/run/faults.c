/* SPDX-License-Identifier: MIT */
/*
 * SIGSEGV and SIGBUS of a program: its own handler with the address and the
 * registers, the default, ignored, blocked, on an alternate stack; and futex
 * calls with bad addresses, which never raise one.
 */
#include <setjmp.h>
#include <sys/resource.h>
#include <ucontext.h>

#include "run.h"

static char *page; /* not accessible */
static sigjmp_buf back;
static char stack[64 * 1024];
static volatile sig_atomic_t calls;
static siginfo_t info_seen;
static void *pc_seen;
static int stack_seen;

static void *page_without(int protection)
{
	void *p = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	return p;
}

static void see(siginfo_t *info, void *context)
{
	char here;

	calls++;
	info_seen = *info;
	stack_seen = &here > stack && &here < stack + sizeof(stack);
#ifdef __x86_64__
	pc_seen = (void *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#else
	pc_seen = (void *)((ucontext_t *)context)->uc_mcontext.pc;
#endif
}

static void jump(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	see(info, context);
	siglongjmp(back, 1);
}

/* Makes the page accessible and lets the access be made again. */
static void mend(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	see(info, context);
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

__attribute__((noinline)) static void touch(char *p)
{
	*(volatile char *)p = 1;
}

static bool in_touch(void)
{
	return (char *)pc_seen >= (char *)touch && (char *)pc_seen < (char *)touch + 64;
}

static void handled(int flags, const char *name)
{
	stack_t st = { .ss_sp = stack, .ss_size = sizeof(stack) };

	sigaltstack(&st, NULL);
	calls = 0;
	handle_info(SIGSEGV, flags, jump);
	if (!sigsetjmp(back, 1))
		touch(page + 12);
	ok(calls == 1 && info_seen.si_addr == page + 12 &&
		   info_seen.si_code == SEGV_ACCERR,
	   "%s: the address and the code", name);
	ok(in_touch(), "%s: the instruction", name);
	is_int(stack_seen, !!(flags & SA_ONSTACK), "%s: the stack", name);
	if (!sigsetjmp(back, 1))
		touch((char *)16);
	ok(calls == 2 && info_seen.si_addr == (char *)16 &&
		   info_seen.si_code == SEGV_MAPERR,
	   "%s: again, where nothing is mapped", name);
	handle_info(SIGSEGV, flags, mend);
	touch(page + 12);
	is_int(calls, 3, "%s: mended, and made again", name);
	is_int(page[12], 1, "%s: what was stored", name);
	mprotect(page, 4096, PROT_NONE);
}

static void sent(void)
{
	handle_info(SIGSEGV, 0, jump);
	calls = 0;
	if (!sigsetjmp(back, 1))
		raise(SIGSEGV);
	ok(calls == 1 && info_seen.si_code == SI_TKILL &&
		   info_seen.si_pid == getpid(), "one that raise sent");
	if (!sigsetjmp(back, 1))
		kill(getpid(), SIGSEGV);
	ok(calls == 2 && info_seen.si_code == SI_USER, "one that kill sent");
}

static void bus(void)
{
	int fd = (int)syscall(SYS_memfd_create, "empty", 0);
	char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	handle_info(SIGBUS, 0, jump);
	calls = 0;
	if (!sigsetjmp(back, 1))
		calls += *(volatile char *)p;
	ok(calls == 1 && info_seen.si_addr == p && info_seen.si_code == BUS_ADRERR,
	   "SIGBUS behind the end of a file");
	is_int(raw_futex(p, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), -EFAULT,
	       "a futex call there: EFAULT");
	is_int(calls, 1, "and no signal");
}

static void bad_addresses(const char *name)
{
	static uint32_t good;

	calls = 0;
	is_int(raw_futex(page, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), -EFAULT,
	       "%s: wait", name);
	is_int(raw_futex(NULL, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), -EFAULT,
	       "%s: wait, null", name);
	is_int(raw_futex(&good, FUTEX_WAIT_PRIVATE, 0, page, NULL, 0), -EFAULT,
	       "%s: timeout", name);
	is_int(raw_futex(&good, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, page,
			 FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0)),
	       -EFAULT, "%s: wake_op", name);
	is_int(raw_futex(page, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1, &good, 0),
	       -EFAULT, "%s: requeue", name);
	is_int(raw_futex(page, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0,
	       "%s: wake", name);
	is_int(calls, 0, "%s: no handler was called", name);
}

/* ---- deaths ----------------------------------------------------------------- */

static void die_default(void)
{
	signal(SIGSEGV, SIG_DFL);
	touch(page);
}

static void die_ignored(void)
{
	signal(SIGSEGV, SIG_IGN);
	touch(page);
}

static void die_blocked(void)
{
	sigset_t set;

	handle_info(SIGSEGV, 0, mend);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	touch(page);
}

static void again(int sig)
{
	(void)sig;
	touch(page);
}

static void die_in_handler(void)
{
	handle(SIGSEGV, 0, again);
	touch(page);
}

static void die_after_reset(void)
{
	handle(SIGSEGV, SA_RESETHAND | SA_NODEFER, again);
	touch(page);
}

static void die_by_kill(void)
{
	signal(SIGSEGV, SIG_DFL);
	kill(getpid(), SIGSEGV);
}

static void live_ignored(void)
{
	signal(SIGSEGV, SIG_IGN);
	kill(getpid(), SIGSEGV);
}

static void die_bus(void)
{
	int fd = (int)syscall(SYS_memfd_create, "empty", 0);

	signal(SIGBUS, SIG_DFL);
	touch(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
}

static volatile char overflown;

__attribute__((noinline)) static int overflow(int depth)
{
	volatile char room[4096];

	room[0] = overflown;
	return depth < 1 << 30 ? overflow(depth + 1) + room[0] : 0;
}

static void exit_on_stack(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	see(info, context);
	_exit(stack_seen && info->si_code == SEGV_MAPERR ? 5 : 6);
}

static void die_of_overflow(void)
{
	signal(SIGSEGV, SIG_DFL);
	overflow(0);
}

static void live_over_overflow(void)
{
	stack_t st = { .ss_sp = stack, .ss_size = sizeof(stack) };

	sigaltstack(&st, NULL);
	handle_info(SIGSEGV, SA_ONSTACK, exit_on_stack);
	overflow(0);
}

static void no_room_for_handler(void)
{
	handle_info(SIGSEGV, 0, exit_on_stack);
	overflow(0);
}

static struct death {
	const char *name;
	void (*body)(void);
	int expected;
} deaths[] = {
	{ "default", die_default, -SIGSEGV },
	{ "ignored", die_ignored, -SIGSEGV },
	{ "blocked", die_blocked, -SIGSEGV },
	{ "in its handler", die_in_handler, -SIGSEGV },
	{ "after SA_RESETHAND", die_after_reset, -SIGSEGV },
	{ "sent, default", die_by_kill, -SIGSEGV },
	{ "sent, ignored", live_ignored, 0 },
	{ "SIGBUS, default", die_bus, -SIGBUS },
	{ "the stack overflows", die_of_overflow, -SIGSEGV },
	{ "the stack overflows, alternate one", live_over_overflow, 5 },
	{ "the stack overflows, a handler on it", no_room_for_handler, -SIGSEGV },
};

static int in_child(void (*body)(void))
{
	pid_t pid = tap_fork();

	if (pid == 0) {
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		body();
		_exit(0);
	}
	return ending(pid);
}

int main(void)
{
	page = page_without(PROT_NONE);
	bad_addresses("no handler");
	handled(0, "handler");
	bad_addresses("a handler");
	handled(SA_ONSTACK | SA_NODEFER, "handler on a stack");
	sent();
	bus();
	for (unsigned int i = 0; i < sizeof(deaths) / sizeof(*deaths); i++)
		is_int(in_child(deaths[i].body), deaths[i].expected,
		       "a child: %s", deaths[i].name);
	signal(SIGSEGV, SIG_IGN);
	bad_addresses("ignored");
	signal(SIGSEGV, SIG_DFL);
	bad_addresses("default");
	return tap_end();
}
