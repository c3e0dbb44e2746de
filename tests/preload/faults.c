/* SPDX-License-Identifier: MIT */
/* The engine's guard for bad words does not take the program's faults away. */
#include <setjmp.h>

#include "served.h"

static sigjmp_buf back;
static volatile sig_atomic_t caught;
static void *volatile caught_at;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	caught = sig;
	caught_at = info->si_addr;
	siglongjmp(back, 1);
}

static char *hole(void)
{
	char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);

	if (page == MAP_FAILED)
		bail("no page");
	return page;
}

static void touch(char *page, const char *when)
{
	caught = 0;
	if (!sigsetjmp(back, 1))
		*(volatile char *)(page + 8) = 1;
	is_int(caught, SIGSEGV, "the program's handler gets its fault %s", when);
	ok(caught_at == page + 8, "with its address");
}

static void catch_faults(void)
{
	struct sigaction act = { .sa_flags = SA_SIGINFO };

	act.sa_sigaction = handler;
	sigaction(SIGSEGV, &act, NULL);
}

static void bad_word(char *page, const char *when)
{
	fails(call_futex((uint32_t *)page, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0),
	      EFAULT, "a wait on a bad word: EFAULT %s", when);
}

static void dies(void)
{
	int status = -1;
	pid_t pid = tap_fork();

	if (pid == 0) {
		char *page = hole();

		call_futex((uint32_t *)page, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
		*(volatile char *)page = 1;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
	   "without a handler a fault kills by SIGSEGV");
}

/* Each in a process that has made no call yet. */
static void in_child(void (*steps)(void), const char *name)
{
	pid_t pid = tap_fork();

	if (pid == 0) {
		steps();
		_exit(0);
	}
	tap_reap(pid, name);
}

static void engine_first(void)
{
	char *page = hole();

	bad_word(page, "before the program has a handler");
	catch_faults();
	touch(page, "set after the engine's");
}

static void program_first(void)
{
	char *page = hole();

	catch_faults();
	touch(page, "before the engine has one");
	bad_word(page, "although the program has a handler");
	touch(page, "set before the engine's");
	bad_word(page, "again");
}

int main(int argc, char **argv)
{
	(void)argc;
	served(argv);
	dies();
	in_child(engine_first, "the engine's handler first");
	in_child(program_first, "the program's handler first");
	return tap_end();
}
