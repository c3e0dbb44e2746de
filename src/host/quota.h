/* SPDX-License-Identifier: MIT */
/*
 * How much CPU time the cgroups of this process let it have: cpu.max of cgroup
 * v2, cpu.cfs_quota_us of v1, here and in each cgroup above, as far as they can
 * be seen. Read once, when the library starts: later a filter of the program's
 * may kill whoever opens a file.
 */
#ifndef UFX_HOST_QUOTA_H
#define UFX_HOST_QUOTA_H

#include <ufutex/base.h>

#define UFX_QUOTA_NONE UINT32_MAX

/* Per cent of one CPU, or UFX_QUOTA_NONE. */
uint32_t ufx_quota(void);

void ufx_quota_start(void);

/* What the files below @root say ("/": the truth). Plain system calls only. */
uint32_t ufx_quota_read(const char *root);

/* Tests: what ufx_quota returns from now on. */
void ufx_quota_pretend(uint32_t percent);

#endif
