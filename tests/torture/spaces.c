// SPDX-License-Identifier: MIT
/* The domains whose words everybody uses, and calls on them. */
#include "torture.h"

struct space spaces[SPACES] = {
	{ .name = "default", .is_default = true },
	{ .name = "moving" },
	{ .name = "at-zero" },
	{ .name = "fixed", .fixed = true },
};

static const struct ufx_domain_options kinds[SPACES] = {
	{ .slots = 0 },
	{ .replace = UFX_REPLACE_MOVING },
	{ .replace = UFX_REPLACE_AT_ZERO },
	{ .slots = 8, .fixed = true },
};

void spaces_open(void)
{
	int i, ret;

	spaces[0].domain = ufx_domain_default();
	if (!spaces[0].domain)
		finding("the library does not start");
	for (i = 1; i < SPACES; i++) {
		ret = ufx_domain_create(&spaces[i].domain, &kinds[i]);
		if (ret)
			finding("ufx_domain_create returns %d", ret);
	}
}

long space_futex(struct space *s, uint32_t *word, int op, uint32_t val,
		 const struct timespec *timeout, uint32_t *word2, uint32_t val3)
{
	long ret;

	if (s->is_default)
		ret = ufx_futex(word, PRIVATE(op), val, timeout, word2, val3);
	else
		ret = ufx_domain_futex(s->domain, word, PRIVATE(op), val, timeout,
				       word2, val3);
	if (__builtin_expect(in_child, 0))
		fork_child_check();
	return ret;
}
