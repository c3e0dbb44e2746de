/* SPDX-License-Identifier: MIT */
/*
 * Finding the program that `ufutex run` is to start, and telling from its
 * file whether a preload reaches it.
 */
#ifndef UFUTEX_CLI_PROGRAM_H
#define UFUTEX_CLI_PROGRAM_H

#include <stddef.h>

/*
 * Looks @name up as execvp does: as a path if it has a slash, else along PATH.
 * Fills @path. Returns 0, ENOENT, EACCES (found, but not executable), or
 * another errno.
 */
int ufx_program_find(const char *name, char *path, size_t size);

/*
 * NULL if a preload reaches the program in file @path; else why not, as the
 * end of a sentence that begins with "it". A script is judged by its
 * interpreter; @reached gets the file that was judged in the end. A file that
 * cannot be read is taken as one that is reached.
 */
const char *ufx_program_unreached(const char *path, char *reached, size_t size);

/*
 * @name gets the address sanitizer's runtime if the program needs that as a
 * library; else "".
 */
void ufx_program_sanitizer(const char *path, char *name, size_t size);

#endif
