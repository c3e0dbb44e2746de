// SPDX-License-Identifier: MIT
/* Words with a NUMA node beside them: the kernel's, even if private. */
#include "pages.h"
#include "subject.h"

#define ANY FUTEX_BITSET_MATCH_ANY
#define NUMA (UFX_FUTEX2_U32 | UFX_FUTEX2_NUMA)

static uint32_t *pair; /* the word, then its node */

static void numa(const struct subject *s, unsigned int p, const char *kind)
{
	struct timespec past = { 1, 0 };

	pair[0] = 0;
	pair[1] = (uint32_t)-1;
	row(s, s->wait(pair, 0, ANY, NUMA | p, &past, CLOCK_MONOTONIC),
	    -ETIMEDOUT, "%s NUMA futex_wait, any node", kind);
	ok(pair[1] < 1024, "%s: %s ... the node is written: %u", s->name, kind,
	   pair[1]);
	row(s, s->wake(pair, ANY, 1, NUMA | p), 0, "%s NUMA futex_wake", kind);
	pair[1] = 100000;
	row(s, s->wake(pair, ANY, 1, NUMA | p), -EINVAL,
	    "%s NUMA futex_wake: impossible node", kind);
	pair[1] = (uint32_t)-2;
	row(s, s->wake(pair, ANY, 1, NUMA | p), -EINVAL,
	    "%s NUMA futex_wake: node -2", kind);
	row(s, s->wake(pair, ANY, 1, UFX_FUTEX2_U32 | UFX_FUTEX2_MPOL | p), 0,
	    "%s MPOL futex_wake", kind);
	pair[2] = pair[1] = 0;
	row(s, s->wake(pair + 1, ANY, 1, NUMA | p), -EINVAL,
	    "%s NUMA futex_wake: aligned to 4 only", kind);
}

static void rows(const struct subject *s)
{
	pair = page_private();
	/* Whoever is asked, the kernel answers. */
	if (kernel_lacks(KERNEL_FUTEX2) || !kernel_at_least(6, 16)) {
		row_skip(s, "this kernel has no NUMA futexes", "NUMA words");
		return;
	}
	numa(s, UFX_FUTEX2_PRIVATE, "private");
	numa(s, 0, "shared");
}

int main(void)
{
	return subject_main(rows);
}
