/* SPDX-License-Identifier: MIT */
/*
 * A child of vfork or posix_spawn that sets its signals leaves the parent's
 * handlers in place; what it inherits over exec is as without the command.
 */
#include <spawn.h>

#include "run.h"

extern char **environ;

static long handled;

static void handler(int sig)
{
	(void)sig;
	add(&handled);
}

/* After exec: which of three signals are ignored, blocked; and handlers work. */
static int after_exec(void)
{
	static const int sigs[] = { SIGUSR1, SIGUSR2, SIGTERM };
	struct sigaction action;
	sigset_t mask;
	int result = 0;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int i = 0; i < 3; i++) {
		sigaction(sigs[i], NULL, &action);
		result |= (action.sa_handler == SIG_IGN) << i;
		result |= sigismember(&mask, sigs[i]) << (i + 3);
	}
	return result;
}

static bool in_place(void)
{
	struct sigaction action;

	handled = 0;
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &action);
	return handled == 1 && action.sa_handler == handler &&
	       action.sa_flags & SA_RESTART;
}

static int spawn(const posix_spawnattr_t *attr)
{
	char *argv[] = { (char *)"/proc/self/exe", (char *)"child", NULL };
	pid_t pid;
	int error = posix_spawn(&pid, argv[0], NULL, attr, argv, environ);

	return error ? -error : ending(pid);
}

static void spawned(void)
{
	posix_spawnattr_t attr;
	sigset_t set;

	is_int(spawn(NULL), 2, "spawn: ignored stays ignored");
	posix_spawnattr_init(&attr);
	sigfillset(&set);
	posix_spawnattr_setsigdefault(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	is_int(spawn(&attr), 0, "spawn: SETSIGDEF");
	ok(in_place(), "spawn: the parent's handler is in place");
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	posix_spawnattr_setsigmask(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	is_int(spawn(&attr), 2 | 32, "spawn: SETSIGMASK");
	ok(in_place(), "spawn: and it is still");
}

/* The child of vfork shares memory, not signal actions. */
__attribute__((noinline)) static pid_t vfork_and_set(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		signal(SIGUSR1, SIG_IGN);
		signal(SIGUSR2, SIG_DFL);
		signal(SIGTERM, SIG_IGN);
		execl("/proc/self/exe", "again", "child", (char *)NULL);
		_exit(99);
	}
	return pid;
}

__attribute__((noinline)) static pid_t vfork_handles(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		raise(SIGUSR1);
		_exit(handled == 1 ? 0 : 98);
	}
	return pid;
}

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc > 1 && !strcmp(argv[1], "child"))
		_exit(after_exec());
	handle(SIGUSR1, SA_RESTART, handler);
	handle(SIGUSR2, 0, SIG_IGN);
	spawned();
	is_int(ending(vfork_and_set()), 1 | 4, "vfork: the child's own");
	ok(in_place(), "vfork: the parent's handler is in place");
	handled = 0;
	is_int(ending(vfork_handles()), 0, "vfork: a handler in the child");
	is_int(system("kill -USR2 $$; exit 4") >> 8, 4, "system: ignored there");
	ok(in_place(), "system: the parent's handler is in place");
	pid = tap_fork();
	if (pid == 0)
		_exit(in_place() ? 0 : 97);
	is_int(ending(pid), 0, "fork: the child's handler is in place");
	return tap_end();
}
