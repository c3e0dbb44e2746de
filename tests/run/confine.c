/* SPDX-License-Identifier: MIT */
/*
 * Becomes a program that may not do everything.
 *
 * usage: confine HOW PROGRAM [ARGUMENTS]
 *
 *   mdwe                no memory that was writable becomes executable
 *   no-rseq             rseq is refused (ENOSYS), as by old containers
 *   no-membarrier       membarrier is refused (EPERM)
 *   no-rseq-membarrier  both
 *   small-stack         64 KiB of stack
 *   no-proc             nothing in /proc (root alone)
 *   nothing             as it is
 *
 * Exit status 77: it cannot be had here.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SET_MDWE 65
#define REFUSE_EXEC_GAIN 1

static int refuse(unsigned int number, unsigned int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int hide_proc(void)
{
	return unshare(CLONE_NEWNS) ||
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	       mount("none", "/proc", "tmpfs", MS_RDONLY, NULL);
}

static int confine(const char *how)
{
	struct rlimit stack = { 64 * 1024, 64 * 1024 };
	int error = 0;

	if (!strcmp(how, "mdwe"))
		return prctl(SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0);
	if (!strcmp(how, "small-stack"))
		return setrlimit(RLIMIT_STACK, &stack);
	if (!strcmp(how, "no-proc"))
		return hide_proc();
	if (strstr(how, "rseq"))
		error |= refuse(SYS_rseq, ENOSYS);
	if (strstr(how, "membarrier"))
		error |= refuse(SYS_membarrier, EPERM);
	return error;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: confine HOW PROGRAM [ARGUMENTS]\n");
		return 2;
	}
	if (confine(argv[1])) {
		fprintf(stderr, "confine %s: %s\n", argv[1], strerror(errno));
		return 77;
	}
	execvp(argv[2], argv + 2);
	fprintf(stderr, "confine: %s: %s\n", argv[2], strerror(errno));
	return 127;
}
