/* SPDX-License-Identifier: MIT */
/* What syscall() does not divert is done as libc's does it. */
#include "served.h"

#include <fcntl.h>

static void results(void)
{
	is_int(syscall(SYS_getpid), getpid(), "getpid");
	is_int(syscall(0x100000000l | SYS_getpid), getpid(),
	       "the upper half of the number does not matter");
	fails(syscall(SYS_close, -1), EBADF, "close(-1): EBADF");
	fails(syscall(-1), ENOSYS, "call -1: ENOSYS");
	fails(syscall(450 + 549), ENOSYS, "call 999: ENOSYS");
	errno = 77;
	syscall(SYS_getpid);
	is_int(errno, 77, "success leaves errno alone");
}

/* The numbers around those that are diverted. */
static void neighbours(void)
{
	static const int numbers[] = { SYS_futex - 1, SYS_futex + 1,
				       SYS_prctl + 1, 448, 450, 451,
				       452, 453, 457 };

	for (unsigned int i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		int nr = numbers[i];
		long raw = ufx_syscall_bare(nr, -1, -1, -1, -1, -1, -1);

		fails(syscall(nr, -1, -1, -1, -1, -1, -1), (int)-raw,
		      "call %d fails as it does without libc", nr);
	}
}

/* The sixth argument comes from the stack; a large result is no error. */
static void six_arguments(void)
{
	char name[] = "/tmp/ufutex-preload-XXXXXX";
	int fd = mkstemp(name);
	char *map;

	unlink(name);
	if (ftruncate(fd, 8192) || pwrite(fd, "second", 6, 4096) != 6)
		bail("temporary file: %s", strerror(errno));
	map = (char *)syscall(SYS_mmap, NULL, 4096ul, PROT_READ, MAP_SHARED, fd,
			      4096ul);
	ok(map != MAP_FAILED && !strncmp(map, "second", 6),
	   "mmap of the second page");
	fails(syscall(SYS_mmap, NULL, 4096ul, PROT_READ, MAP_SHARED, fd, 1ul),
	      EINVAL, "mmap at an odd offset: EINVAL");
	close(fd);
}

static void prctls(void)
{
	char name[16] = "";

	is_int(prctl(PR_SET_NAME, "diverted"), 0, "prctl(PR_SET_NAME)");
	is_int(prctl(PR_GET_NAME, name), 0, "prctl(PR_GET_NAME)");
	is_str(name, "diverted", "the name");
	is_int(syscall(SYS_prctl, PR_GET_NAME, name), 0, "syscall(SYS_prctl)");
	fails(prctl(0x7fffffff), EINVAL, "an unknown option: EINVAL");
	fails(prctl(PR_SET_PDEATHSIG, 4711), EINVAL, "a bad argument: EINVAL");
}

/* The child of a clone with a stack of its own returns by what lies there. */
#ifdef __x86_64__
static void on_own_stack(void)
{
	ufx_syscall_bare(SYS_exit, 42, 0, 0, 0, 0, 0);
}

static void clone_with_stack(void)
{
	static uintptr_t stack[512] __attribute__((aligned(16)));
	int status = -1;
	long pid;

	stack[510] = (uintptr_t)on_own_stack;
	pid = syscall(SYS_clone, SIGCHLD, &stack[510], NULL, NULL, 0ul);
	ok(pid > 0, "clone with a stack");
	waitpid((pid_t)pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 42,
	   "the child runs on that stack");
}
#else
static void clone_with_stack(void)
{
	skip("only written for x86-64", "clone with a stack");
}
#endif

static void fork_by_number(void)
{
	int status = -1;
	long pid;

	pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0ul);
	if (pid == 0)
		_exit(43);
	waitpid((pid_t)pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 43, "clone as fork");
}

int main(int argc, char **argv)
{
	(void)argc;
	served(argv);
	results();
	neighbours();
	six_arguments();
	prctls();
	clone_with_stack();
	fork_by_number();
	return tap_end();
}
