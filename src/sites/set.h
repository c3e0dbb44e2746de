/* SPDX-License-Identifier: MIT */
/* The functions of an object that have the bytes of a system call in them. */
#ifndef UFUTEX_SITES_SET_H
#define UFUTEX_SITES_SET_H

#include "sites/code.h"

struct ufx_code_set {
	const struct ufx_object *object;
	struct ufx_code *list; /* by address */
	size_t count;
};

/* The one that @address is in, or NULL. */
struct ufx_code *ufx_code_at(const struct ufx_code_set *set, uint64_t address);

/*
 * Marks what may be jumped to in them: from other functions, through
 * tables and pointers, and by unwinding. See targets.c for what that covers.
 */
void ufx_code_targets(const struct ufx_code_set *set);

/* The same, but what is in doubt is added to @doubts; NULL: it all counts. */
struct ufx_doubts;
void ufx_code_guesses(const struct ufx_code_set *set, struct ufx_doubts *doubts);

#endif
