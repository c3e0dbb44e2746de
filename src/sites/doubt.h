/* SPDX-License-Identifier: MIT */
/*
 * Bytes that look like a jump. Most are parts of other instructions, and some of
 * these seem to lead into a window.
 */
#ifndef UFUTEX_SITES_DOUBT_H
#define UFUTEX_SITES_DOUBT_H

#include "sites/set.h"

/* What looks like an instruction from @at to @end, and may lead to @to. */
struct ufx_doubt {
	uint64_t at, end, to;
};

struct ufx_doubts {
	struct ufx_doubt *list;
	size_t count;
};

/*
 * Marks in @set where they lead to, but for those that the code around them
 * refutes. Forgets them.
 */
void ufx_doubts_settle(const struct ufx_code_set *set,
		       struct ufx_doubts *doubts);

#endif
