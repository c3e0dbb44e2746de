/* SPDX-License-Identifier: MIT */
/* What the kernel refuses from now on: any call, or membarrier in a child. */
#ifndef TESTS_REFUSED_H
#define TESTS_REFUSED_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>

#include <ufutex/caps.h>

#include "tap.h"

/* What a filter cannot take away: modes without membarrier. */
static inline const char *refused_not_here(void)
{
	struct ufx_capabilities caps;

	ufx_caps(&caps);
	if (caps.mode == UFX_MODE_FENCE || caps.mode == UFX_MODE_SHARED)
		return "n/a: this mode does without membarrier";
	return NULL;
}

/*
 * The calling thread, and what it makes from now on, may not call @nr: a
 * seccomp filter, as a program installs one. False: not possible.
 */
static inline bool refuse(long nr, int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]), .filter = code
	};

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Runs @test in a child, which calls refused_from_here() when it wants. */
static inline void refused_child(const char *name, void (*test)(void))
{
	const char *why = refused_not_here();
	pid_t pid;

	if (why) {
		skip(why, "%s", name);
		return;
	}
	pid = tap_fork();
	if (pid == 0) {
		test();
		_exit(0);
	}
	tap_reap(pid, name);
}

/* In the child: from here on, or its end. */
static inline void refused_from_here(void)
{
	if (refuse(SYS_membarrier, EPERM) && syscall(SYS_membarrier, 0, 0, 0) < 0)
		return;
	skip("no seccomp here", "membarrier is refused");
	_exit(0);
}

#endif
