/* SPDX-License-Identifier: MIT */
/* The same calls on the engine, on a domain of it, and in the kernel. */
#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ufutex/domain.h>
#include <ufutex/futex.h>

#include "bench.h"

#define WAIT (UFX_FUTEX_WAIT | UFX_FUTEX_PRIVATE)
#define WAKE (UFX_FUTEX_WAKE | UFX_FUTEX_PRIVATE)
#define CMP_REQUEUE (UFX_FUTEX_CMP_REQUEUE | UFX_FUTEX_PRIVATE)

/* The count of a requeue travels in the place of the timeout. */
static const struct timespec *count(long n)
{
	return (const struct timespec *)n;
}

static long ufutex_wait(void *ctx, uint32_t *word, uint32_t val)
{
	(void)ctx;
	return ufx_futex(word, WAIT, val, NULL, NULL, 0);
}

static long ufutex_wake(void *ctx, uint32_t *word, int n)
{
	(void)ctx;
	return ufx_futex(word, WAKE, n, NULL, NULL, 0);
}

static long ufutex_requeue(void *ctx, uint32_t *from, uint32_t *to, uint32_t val)
{
	(void)ctx;
	return ufx_futex(from, CMP_REQUEUE, 0, count(INT_MAX), to, val);
}

const struct bench_side bench_side_ufutex = {
	.name = "ufutex",
	.wait = ufutex_wait,
	.wake = ufutex_wake,
	.requeue = ufutex_requeue,
};

static long plain(long ret)
{
	return ret < 0 ? -errno : ret;
}

static long kernel_wait(void *ctx, uint32_t *word, uint32_t val)
{
	(void)ctx;
	return plain(syscall(SYS_futex, word, WAIT, val, NULL, NULL, 0));
}

static long kernel_wake(void *ctx, uint32_t *word, int n)
{
	(void)ctx;
	return plain(syscall(SYS_futex, word, WAKE, n, NULL, NULL, 0));
}

static long kernel_requeue(void *ctx, uint32_t *from, uint32_t *to, uint32_t val)
{
	(void)ctx;
	return plain(syscall(SYS_futex, from, CMP_REQUEUE, 0, count(INT_MAX), to,
			     val));
}

const struct bench_side bench_side_kernel = {
	.name = "kernel",
	.wait = kernel_wait,
	.wake = kernel_wake,
	.requeue = kernel_requeue,
};

static long domain_wait(void *ctx, uint32_t *word, uint32_t val)
{
	return ufx_domain_futex(ctx, word, WAIT, val, NULL, NULL, 0);
}

static long domain_wake(void *ctx, uint32_t *word, int n)
{
	return ufx_domain_futex(ctx, word, WAKE, n, NULL, NULL, 0);
}

static long domain_requeue(void *ctx, uint32_t *from, uint32_t *to, uint32_t val)
{
	return ufx_domain_futex(ctx, from, CMP_REQUEUE, 0, count(INT_MAX), to,
				val);
}

struct bench_side bench_side_domain(const char *name, struct ufx_domain *domain)
{
	return (struct bench_side){
		.name = name,
		.wait = domain_wait,
		.wake = domain_wake,
		.requeue = domain_requeue,
		.ctx = domain,
	};
}
