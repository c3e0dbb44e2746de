/* SPDX-License-Identifier: MIT */
/*
 * Which of the program's system calls are ours: all of an object's sites or
 * none, at the start all of every object or none.
 */
#ifndef UFX_PRELOAD_PATCH_H
#define UFX_PRELOAD_PATCH_H

#include <stdbool.h>

/*
 * To be called once, before there is a second thread. NULL: every system call
 * that may be ours comes to us (ufx_preload_site). Else why not, as what follows
 * "runs on the kernel: "; with @partly what can be covered stays covered.
 */
const char *ufx_patch_all(bool partly);

#endif
