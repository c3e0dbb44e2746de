/* SPDX-License-Identifier: MIT */
/* fork, vfork, posix_spawn and exec under the preload. */
#include <spawn.h>

#include "served.h"

extern char **environ;

static long slots(void)
{
	return prctl(PR_HASH, GET_SLOTS);
}

static int ended(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void fork_child(void)
{
	pid_t pid;

	is_int(prctl(PR_HASH, SET_SLOTS, 128, 0), 0, "128 slots");
	pid = tap_fork();
	if (pid == 0) {
		is_int(slots(), 0, "a child of fork has 0");
		ok(engine_answers(), "its calls are answered");
		is_int(slots(), 16, "its first thread gives it 16");
		is_int(prctl(PR_HASH, SET_SLOTS, 8, 0), 0, "it sets 8");
		_exit(0);
	}
	tap_reap(pid, "fork");
	is_int(slots(), 128, "the parent still has 128");
	ok(engine_answers(), "the parent's calls are answered");
}

/* All in the child, on memory of the parent: what libc forbids, works here. */
static void vfork_child(void)
{
	volatile long mismatch = 0, error = 0, wake = -1, set = -1, seen = -1;
	pid_t pid = vfork();

	if (pid == 0) {
		mismatch = call_futex(&test_word, FUTEX_WAIT_PRIVATE, 1, NULL,
				      NULL, 0);
		error = errno;
		wake = call_futex(&test_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL,
				  0);
		set = prctl(PR_HASH, SET_SLOTS, 32, 0);
		seen = slots();
		_exit(5);
	}
	is_int(ended(pid), 5, "a child of vfork ends");
	ok(mismatch == -1 && error == EAGAIN, "it may wait: EAGAIN");
	is_int(wake, 0, "it may wake");
	is_int(set, 0, "it may set 32 slots");
	is_int(seen, 32, "it sees 32");
	is_int(slots(), 32, "its parent, too");
	ok(engine_answers(), "the parent's calls are answered");
}

static struct blocked sleeper;

/* A child of vfork shares the table: its wake reaches the parent's thread. */
static void vfork_wakes(void)
{
	volatile long woken = -1;
	pid_t pid;

	blocked_start(&sleeper, wait_served, &test_word, NULL);
	blocked_wait(&sleeper);
	pid = vfork();
	if (pid == 0) {
		woken = call_futex(&test_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL,
				   0);
		_exit(0);
	}
	ended(pid);
	is_int(woken, 1, "a child of vfork wakes a thread of its parent");
	is_int(blocked_join(&sleeper), 0, "which returns 0");
}

static void vfork_nested(void)
{
	volatile int inner = -1;
	pid_t pid = vfork();

	if (pid == 0) {
		pid_t second = vfork();

		if (second == 0)
			_exit(7);
		inner = ended(second);
		_exit(8);
	}
	is_int(ended(pid), 8, "vfork within vfork: the outer child");
	is_int(inner, 7, "the inner one");
}

__attribute__((noinline)) static pid_t vfork_true(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(9);
	}
	return pid;
}

static void vfork_many(void)
{
	int good = 0;

	for (int i = 0; i < 200; i++)
		good += ended(vfork_true()) == 0;
	is_int(good, 200, "200 times vfork and exec");
	ok(engine_answers(), "calls are answered after it");
}

/* A marked thread would not let the table grow. */
static void vfork_unmarks(void)
{
	pid_t pid = tap_fork();

	if (pid == 0) {
		pid = vfork();
		if (pid == 0)
			_exit(0);
		ended(pid);
		is_int(slots(), 0, "vfork alone gives no table");
		engine_answers();
		is_int(slots(), 16, "a thread after vfork does");
		_exit(0);
	}
	tap_reap(pid, "vfork and a thread");
}

/* Where the first process of a PID namespace has died, fork says ENOMEM. */
static void vfork_fails(void)
{
	pid_t pid = tap_fork(), first;

	if (pid > 0) {
		tap_reap(pid, "vfork that fails");
		return;
	}
	if (ufx_syscall_bare(SYS_unshare, 0x20000000, 0, 0, 0, 0, 0)) {
		skip("not allowed to make a PID namespace", "vfork that fails");
		_exit(0);
	}
	first = fork();
	if (first == 0)
		_exit(0);
	ended(first);
	fails(vfork(), ENOMEM, "vfork that fails: -1 and errno");
	fails(call_futex(&test_word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0), EAGAIN,
	      "the parent goes on");
	_exit(0);
}

static int spawn(const char *program, char *arg)
{
	char *argv[] = { (char *)program, arg, NULL };
	pid_t pid;
	int error = posix_spawn(&pid, program, NULL, NULL, argv, environ);

	if (error) {
		diag("posix_spawn: %s", strerror(error));
		return -1;
	}
	return ended(pid);
}

static void others(const char *static_program)
{
	is_int(spawn("/bin/true", NULL), 0, "posix_spawn");
	is_int(spawn(static_program, NULL), 0, "posix_spawn of a static program");
	is_int(system("exit 6") >> 8, 6, "system");
	is_int(spawn("/proc/self/exe", (char *)"again"), 0,
	       "a child that execs is served");
	ok(engine_answers(), "calls are answered after it");
}

/* In the child: a fresh process, with the preload. */
static int again(void)
{
	return slots() == 0 && engine_answers() ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		bail("usage: %s STATIC_PROGRAM", argv[0]);
	if (!strcmp(argv[1], "again"))
		_exit(again());
	served(argv);
	fork_child();
	vfork_child();
	vfork_wakes();
	vfork_nested();
	vfork_many();
	vfork_unmarks();
	vfork_fails();
	others(argv[1]);
	return tap_end();
}
