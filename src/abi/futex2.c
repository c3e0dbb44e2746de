/* SPDX-License-Identifier: MIT */
/* futex_waitv(2), futex_wake(2), futex_wait(2), futex_requeue(2). */
#include <string.h>

#include "abi/served.h"
#include "host/thread.h"

#define SIZE_MASK 3u
#define KNOWN_FLAGS                                                            \
	(SIZE_MASK | UFX_FUTEX2_NUMA | UFX_FUTEX2_MPOL | UFX_FUTEX2_PRIVATE)

/*
 * Private and plain. The kernel keeps NUMA and MPOL words in other tables
 * than plain ones, so these two never meet.
 */
static bool served(uint32_t flags)
{
	return (flags & UFX_FUTEX2_PRIVATE) &&
	       !(flags & (UFX_FUTEX2_NUMA | UFX_FUTEX2_MPOL));
}

bool ufx_futex2_serves(unsigned int flags)
{
	return served(flags);
}

static int check_flags(uint32_t flags)
{
	if ((flags & ~KNOWN_FLAGS) || (flags & SIZE_MASK) != UFX_FUTEX2_U32)
		return -EINVAL;
	return 0;
}

static struct ufx_domain *domain(void)
{
	struct ufx_domain *d = ufx_domain_default();

	if (d)
		ufx_guard_install();
	return d;
}

/* An absolute timeout, or none. 0, or -errno. */
static int deadline_get(struct ufx_deadline *deadline,
			const struct timespec *timeout, clockid_t clock)
{
	if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
		return -EINVAL;
	deadline->clock = clock;
	return ufx_timespec_get(&deadline->at, timeout);
}

long ufx_futex_wake(void *uaddr, unsigned long mask, int nr, unsigned int flags)
{
	struct ufx_domain *d;
	int ret;

	if (!served(flags))
		return ufx_syscall(UFX_NR_futex_wake, (long)uaddr, (long)mask, nr,
				   flags, 0, 0);
	d = domain();
	if (!d)
		return -EOPNOTSUPP;
	ret = check_flags(flags);
	if (!ret && (!mask || mask > UINT32_MAX))
		ret = -EINVAL;
	if (!ret)
		ret = ufx_check_word(uaddr);
	if (ret || !nr)
		return ret;
	return ufx_wake(d, (uintptr_t)uaddr, nr < 1 ? 1 : (uint32_t)nr,
			(uint32_t)mask);
}

long ufx_futex_wait(void *uaddr, unsigned long val, unsigned long mask,
		    unsigned int flags, struct timespec *timeout, clockid_t clock)
{
	struct ufx_waitv_entry words[2];
	struct ufx_deadline deadline;
	struct ufx_domain *d;
	uint32_t value;
	int ret;

	if (!served(flags))
		return ufx_syscall(UFX_NR_futex_wait, (long)uaddr, (long)val,
				   (long)mask, flags, (long)timeout, clock);
	d = domain();
	if (!d)
		return -EOPNOTSUPP;
	ret = check_flags(flags);
	if (!ret && (mask > UINT32_MAX || val > UINT32_MAX))
		ret = -EINVAL;
	if (!ret && timeout)
		ret = deadline_get(&deadline, timeout, clock);
	if (!ret && !mask)
		ret = -EINVAL;
	if (!ret)
		ret = ufx_check_word(uaddr);
	if (!ret)
		ret = ufx_guarded_load(uaddr, &value);
	if (ret)
		return ret;
	if (value != val)
		return -EAGAIN;
	words[1] = ufx_park_entry(uaddr, (uint32_t)val);
	return ufx_wait(d, words, 1, (uint32_t)mask, timeout ? &deadline : NULL,
			UFX_WAIT_RESTARTS);
}

/* Copied from the program and checked as the kernel does, one by one. */
static int entry_get(struct ufx_waitv_entry *to, const struct ufx_waitv_entry *from)
{
	if (ufx_guarded_copy(to, from, sizeof(*to)))
		return -EFAULT;
	if (to->reserved || check_flags(to->flags) || to->val > UINT32_MAX)
		return -EINVAL;
	return 0;
}

long ufx_futex_requeue(struct ufx_waitv_entry *waiters, unsigned int flags,
		       int nr_wake, int nr_requeue)
{
	struct ufx_waitv_entry entries[2];
	struct ufx_domain *d = domain();
	int ret = flags || !waiters ? -EINVAL : 0;

	if (!d)
		return -EOPNOTSUPP;
	for (int i = 0; i < 2 && !ret; i++)
		ret = entry_get(&entries[i], &waiters[i]);
	if (ret)
		return ret;
	if (entries[0].flags != entries[1].flags)
		return -EINVAL;
	if (!served(entries[0].flags))
		return ufx_syscall(UFX_NR_futex_requeue, (long)waiters, flags,
				   nr_wake, nr_requeue, 0, 0);
	if (nr_wake < 0 || nr_requeue < 0)
		return -EINVAL;
	for (int i = 0; i < 2 && !ret; i++)
		ret = ufx_check_word((void *)(uintptr_t)entries[i].uaddr);
	if (ret)
		return ret;
	return ufx_requeue(d, (uint32_t *)(uintptr_t)entries[0].uaddr,
			   (uint32_t *)(uintptr_t)entries[1].uaddr,
			   (uint32_t)nr_wake, (uint32_t)nr_requeue, true,
			   (uint32_t)entries[0].val);
}

/* Checks words[1] to words[nr]; 0, or -errno of the first bad one. */
static int look_at_all(const struct ufx_waitv_entry *words, unsigned int nr)
{
	for (unsigned int i = 1; i <= nr; i++) {
		int ret = ufx_check_word((void *)(uintptr_t)words[i].uaddr);

		if (ret)
			return ret;
	}
	for (unsigned int i = 1; i <= nr; i++) {
		uint32_t value;

		if (ufx_guarded_load((uint32_t *)(uintptr_t)words[i].uaddr, &value))
			return -EFAULT;
		if (value != words[i].val)
			return -EAGAIN;
	}
	return 0;
}

/* Are all of them the engine's? -1: some are, which neither side can do. */
static int all_served(const struct ufx_waitv_entry *words, unsigned int nr)
{
	unsigned int n = 0;

	for (unsigned int i = 1; i <= nr; i++)
		n += served(words[i].flags);
	return n == nr ? 1 : n ? -1 : 0;
}

static long waitv(struct ufx_domain *d, struct ufx_waitv_entry *words,
		  const struct ufx_waitv_entry *waiters, unsigned int nr,
		  struct timespec *timeout, clockid_t clock)
{
	struct ufx_deadline deadline;
	int ret = 0;

	if (timeout)
		ret = deadline_get(&deadline, timeout, clock);
	for (unsigned int i = 0; i < nr && !ret; i++)
		ret = entry_get(&words[i + 1], &waiters[i]);
	if (ret)
		return ret;
	switch (all_served(words, nr)) {
	case 0:
		return ufx_syscall(UFX_NR_futex_waitv, (long)waiters, nr, 0,
				   (long)timeout, clock, 0);
	case -1:
		return -EINVAL;
	}
	ret = look_at_all(words, nr);
	if (ret)
		return ret;
	return ufx_wait(d, words, nr, UINT32_MAX, timeout ? &deadline : NULL,
			UFX_WAIT_RESTARTS);
}

bool ufx_waitv_serves(const struct ufx_waitv_entry *waiters, unsigned int nr)
{
	if (!domain() || !waiters || !nr || nr > UFX_FUTEX_WAITV_MAX)
		return true;
	for (unsigned int i = 0; i < nr; i++) {
		uint32_t flags;

		if (ufx_guarded_load_any(&waiters[i].flags, &flags) || served(flags))
			return true;
	}
	return false;
}

long ufx_futex_waitv(struct ufx_waitv_entry *waiters, unsigned int nr,
		     unsigned int flags, struct timespec *timeout, clockid_t clock)
{
	struct ufx_domain *d = domain();

	if (!d)
		return -EOPNOTSUPP;
	if (flags || !nr || nr > UFX_FUTEX_WAITV_MAX || !waiters)
		return -EINVAL;
	/* On the stack, 3 KiB at most, so that a longjmp leaves nothing behind. */
	struct ufx_waitv_entry words[nr + 1];

	return waitv(d, words, waiters, nr, timeout, clock);
}
