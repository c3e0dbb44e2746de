/* SPDX-License-Identifier: MIT */
/* Words of any size. */
#include <errno.h>

#include "futex/node.h"
#include "host/guard_sized.h"

int ufx_compared_check(const struct ufx_compared *c)
{
	if (!c->word)
		return 0;
	if (c->size != 1 && c->size != 2 && c->size != 4 && c->size != 8)
		return -EINVAL;
	if ((uintptr_t)c->word & (c->size - 1))
		return -EINVAL;
	if (c->size < 8 && c->expected >> (8 * c->size))
		return -EINVAL;
	return 0;
}

int ufx_compare_sized(const struct ufx_compared *c)
{
	uint64_t value;

	if (ufx_guarded_load_sized(c->word, c->size, &value))
		return -EFAULT;
	return value == c->expected ? 0 : -EAGAIN;
}
