/* SPDX-License-Identifier: MIT */
/*
 * What of the environment is needed once the program runs: copied at the start,
 * since the program may change it (setenv, clearenv) while it is read.
 */
#ifndef UFX_PRELOAD_KEPT_H
#define UFX_PRELOAD_KEPT_H

/* At the start; what is longer than a path is left out. */
void ufx_kept_start(void);

/* The values, or NULL: of UFUTEX_COMMAND, XDG_CACHE_HOME, HOME. */
const char *ufx_kept_command(void);
const char *ufx_kept_cache(void);
const char *ufx_kept_home(void);

/* An environment for the command: the two that say where its cache is. */
char *const *ufx_kept_environment(void);

#endif
