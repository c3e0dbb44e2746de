/* SPDX-License-Identifier: MIT */
/*
 * A process that confines itself (seccomp) may be ended for a system call that it
 * does not make by itself. From then on waits use futex(2) alone, neither look at
 * scheduling nor yield nor spin, and the table does not grow by itself.
 */
#ifndef UFX_HOST_CONFINE_H
#define UFX_HOST_CONFINE_H

#include <stdbool.h>

/* From now on; before the filter is in force. */
void ufx_confine(void);
bool ufx_is_confined(void);

#endif
