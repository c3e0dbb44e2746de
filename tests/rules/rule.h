/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the rules share.
 *
 * Each of the rules R1 to R11 has a program here, and so have some of the further
 * claims. It runs on a build of the engine into which a fault can be put:
 * UFX_TEST_FAULT=NAME in the environment chooses one of src/host/fault.h. Without
 * a fault the program passes; with the rule's fault it must fail, crash or hang,
 * which faults.c checks.
 */
#ifndef TESTS_RULES_RULE_H
#define TESTS_RULES_RULE_H

#include <ufutex/caps.h>

#include "host/fault.h"
#include "tap.h"

/* The sanitizers bring their own malloc, and make system calls of their own. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define RULE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define RULE_SANITIZED 1
#endif
#endif
#ifndef RULE_SANITIZED
#define RULE_SANITIZED 0
#endif

/*
 * Starts the library and puts in the fault that the environment names; then
 * the program has two seconds, or what it says by tap_timeout() afterwards.
 */
struct ufx_capabilities rule_start(void);

/* Is a fault put in? Then a program may give up soon. */
bool rule_faulty(void);

#endif
