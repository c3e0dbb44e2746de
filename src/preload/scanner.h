/* SPDX-License-Identifier: MIT */
/* `ufutex sites --tables` as a child. */
#ifndef UFX_PRELOAD_SCANNER_H
#define UFX_PRELOAD_SCANNER_H

#include <stddef.h>

#define UFX_SCAN_MAX 512 /* objects at once */

/*
 * Has the tables of the objects in files @paths made. Returns a file that holds
 * them, one behind the other, or -errno. The child sends no signal when it ends:
 * neither the program's handlers nor its wait() see it.
 */
int ufx_scan(const char *const *paths, size_t count);

#endif
