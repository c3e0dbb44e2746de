/* SPDX-License-Identifier: MIT */
/* What `ufutex run` puts into the environment of the program in file @program. */
#ifndef UFUTEX_CLI_PRELOAD_H
#define UFUTEX_CLI_PRELOAD_H

/*
 * The preload library in front of LD_PRELOAD, but behind the runtime of a
 * sanitizer, which will be nothing but the first. 0, or an exit status after a
 * message.
 */
int ufx_preload_put(const char *program);

#endif
