/* SPDX-License-Identifier: MIT */
/*
 * Rules of the interface that a caller may break. In a debug build (UFX_DEBUG)
 * whoever does is told which, and aborted; in others the functions return
 * errors where they can tell cheaply.
 */
#ifndef UFX_HOST_RULE_H
#define UFX_HOST_RULE_H

#ifdef UFX_DEBUG

#include "host/thread.h"

void ufx_rule_broken(const char *function, const char *rule) __attribute__((noreturn));

/* How deep this thread is in callbacks under a lock. */
extern UFX_TLS unsigned int ufx_thread_called;

#define ufx_rule(held, rule) ((held) ? (void)0 : ufx_rule_broken(__func__, (rule)))
#define ufx_callback_begin() ((void)++ufx_thread_called)
#define ufx_callback_end() ((void)--ufx_thread_called)
#define ufx_rule_not_called()                                                  \
	ufx_rule(!ufx_thread_called, "a callback does not call the library")

#else

#define ufx_rule(held, rule) ((void)0)
#define ufx_callback_begin() ((void)0)
#define ufx_callback_end() ((void)0)
#define ufx_rule_not_called() ((void)0)

#endif

#endif
