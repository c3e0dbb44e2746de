/* SPDX-License-Identifier: MIT */
/*
 * Calls of the same shape as the library's that only load and compare the
 * word: the least that any futex call costs. In a file of their own, so that
 * they are really called.
 */
#include <errno.h>

#include "bench.h"

long bench_bare_futex(uint32_t *uaddr, int op, uint32_t val,
		      const struct timespec *timeout, uint32_t *uaddr2,
		      uint32_t val3)
{
	(void)op, (void)timeout, (void)uaddr2, (void)val3;
	return __atomic_load_n(uaddr, __ATOMIC_ACQUIRE) == val ? 0 : -EAGAIN;
}

long bench_bare_probe(struct ufx_domain *domain, uint32_t *word,
		      uint32_t expected)
{
	(void)domain;
	return __atomic_load_n(word, __ATOMIC_ACQUIRE) == expected ? 0 : -EAGAIN;
}
