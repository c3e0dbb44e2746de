/* SPDX-License-Identifier: MIT */
/*
 * What every public header needs: export marks and the word size.
 */
#ifndef UFUTEX_BASE_H
#define UFUTEX_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#if UINTPTR_MAX != UINT64_MAX
#error "ufutex is for 64-bit machines: keys and counts are 64 bits wide"
#endif

#if defined(__linux__) && defined(__STRICT_ANSI__) && !defined(__cplusplus)
typedef int clockid_t; /* which <time.h> hides from strict ISO C */
#endif

#ifndef UFX_API /* the amalgamation has its own */
#define UFX_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
#define UFX_BEGIN extern "C" {
#define UFX_END }
#else
#define UFX_BEGIN
#define UFX_END
#endif

#endif
