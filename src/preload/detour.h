/* SPDX-License-Identifier: MIT */
/*
 * Detours: small pieces of code near a program that is too far from this
 * library for a jump of 4 bytes. They lie in a second mapping of this library's
 * file, which is executable and never writable, as the first one is. Whoever
 * walks a stack finds no unwind information there; a thread is there for a few
 * instructions only, and never calls anything from there.
 */
#ifndef UFX_PRELOAD_DETOUR_H
#define UFX_PRELOAD_DETOUR_H

#include <stddef.h>
#include <stdint.h>

#define UFX_DETOUR_SIZE 64

/* A free piece that a jump at @address reaches, or NULL; it is then @owner's. */
const void *ufx_detour_take(uintptr_t address, const void *owner);
void ufx_detours_free(const void *owner);

#endif
