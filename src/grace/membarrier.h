/* SPDX-License-Identifier: MIT */
/* membarrier(2): constants that old headers lack, and the call. */
#ifndef UFX_GRACE_MEMBARRIER_H
#define UFX_GRACE_MEMBARRIER_H

#include <errno.h>

#include "host/syscall.h"

#define UFX_MEMBARRIER_QUERY 0
#define UFX_MEMBARRIER_PRIVATE (1 << 3)
#define UFX_MEMBARRIER_PRIVATE_REGISTER (1 << 4)
#define UFX_MEMBARRIER_RSEQ (1 << 7)
#define UFX_MEMBARRIER_RSEQ_REGISTER (1 << 8)

/* 0 or -errno. Out of memory in the kernel is temporary: asked again. */
static inline int ufx_membarrier(int command)
{
	long ret;

	do {
		ret = ufx_syscall(SYS_membarrier, command, 0, 0, 0, 0, 0);
	} while (ret == -ENOMEM);
	return (int)ret;
}

/* Registers for @command; NULL, or why it cannot be had. */
const char *ufx_membarrier_register(int command, int register_command);

#endif
