/* SPDX-License-Identifier: MIT */
/* futex(2): decodes, checks in the kernel's order, calls the operations. */
#include "abi/served.h"
#include "host/rule.h"

#define COMMAND(op) ((op) & ~(UFX_FUTEX_PRIVATE | UFX_FUTEX_CLOCK_REALTIME))

/* The kernel wakes one where none or fewer are asked for. */
static uint32_t at_least_one(uint32_t n)
{
	return (int32_t)n < 1 ? 1 : n;
}

static __attribute__((noinline)) long
wait_for(struct ufx_domain *d, uint32_t *word, uint32_t expected, uint32_t mask,
	 const struct ufx_deadline *deadline)
{
	struct ufx_waitv_entry words[2];

	words[1] = ufx_park_entry(word, expected);
	return ufx_wait(d, words, 1, mask, deadline,
			deadline ? UFX_WAIT_INTERRUPTED : UFX_WAIT_RESTARTS);
}

/*
 * Checks and touches the word before any lock; most calls that differ end
 * here.
 */
static inline int look(const uint32_t *word, uint32_t expected)
{
	uint32_t value;
	int ret = ufx_check_word(word);

	if (ufx_unlikely(ret))
		return ret;
	if (ufx_unlikely(ufx_guarded_load(word, &value)))
		return -EFAULT;
	return value == expected ? 0 : -EAGAIN;
}

/* WAIT and WAIT_BITSET: the timeout, then the mask, the word, its value. */
static long wait(struct ufx_domain *d, uint32_t *word, int op, uint32_t expected,
		 const struct timespec *timeout, uint32_t mask)
{
	struct ufx_deadline deadline;
	struct timespec given;
	int ret;

	if (timeout) {
		ret = ufx_timespec_get(&given, timeout);
		if (ret)
			return ret;
	}
	if ((op & UFX_FUTEX_CLOCK_REALTIME) && COMMAND(op) == UFX_FUTEX_WAIT)
		return -ENOSYS;
	if (!mask)
		return -EINVAL;
	ret = look(word, expected);
	if (ret)
		return ret;
	if (!timeout)
		return wait_for(d, word, expected, mask, NULL);
	if (COMMAND(op) == UFX_FUTEX_WAIT)
		deadline = ufx_deadline_after(&given);
	else
		deadline = (struct ufx_deadline){
			given, op & UFX_FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME :
							       CLOCK_MONOTONIC
		};
	return wait_for(d, word, expected, mask, &deadline);
}

static long wake(struct ufx_domain *d, uint32_t *word, uint32_t n, uint32_t mask)
{
	int ret;

	if (ufx_unlikely(!mask))
		return -EINVAL;
	ret = ufx_check_word(word);
	if (ufx_unlikely(ret))
		return ret;
	return ufx_wake(d, (uintptr_t)word, at_least_one(n), mask);
}

static long requeue(struct ufx_domain *d, uint32_t *word1, uint32_t *word2,
		    uint32_t n_wake, uint32_t n_requeue, bool compare,
		    uint32_t expected)
{
	int ret;

	if ((int32_t)n_wake < 0 || (int32_t)n_requeue < 0)
		return -EINVAL;
	ret = ufx_check_word(word1);
	if (!ret)
		ret = ufx_check_word(word2);
	if (ret)
		return ret;
	return ufx_requeue(d, word1, word2, n_wake, n_requeue, compare, expected);
}

static long wake_op(struct ufx_domain *d, uint32_t *word1, uint32_t *word2,
		    uint32_t n1, uint32_t n2, uint32_t encoded)
{
	int ret = ufx_check_word(word1);

	if (!ret)
		ret = ufx_check_word(word2);
	if (ret)
		return ret;
	return ufx_wake_op(d, word1, word2, at_least_one(n1), at_least_one(n2),
			   encoded);
}

static bool served(int op)
{
	switch (op & ~UFX_FUTEX_PRIVATE) {
	case UFX_FUTEX_WAIT:
	case UFX_FUTEX_WAIT | UFX_FUTEX_CLOCK_REALTIME:
	case UFX_FUTEX_WAIT_BITSET:
	case UFX_FUTEX_WAIT_BITSET | UFX_FUTEX_CLOCK_REALTIME:
	case UFX_FUTEX_WAKE:
	case UFX_FUTEX_WAKE_BITSET:
	case UFX_FUTEX_REQUEUE:
	case UFX_FUTEX_CMP_REQUEUE:
	case UFX_FUTEX_WAKE_OP:
		return true;
	default:
		return false;
	}
}

bool ufx_futex_serves(int op)
{
	return (op & UFX_FUTEX_PRIVATE) && served(op);
}

static long serve(struct ufx_domain *d, uint32_t *uaddr, int op, uint32_t val,
		  const struct timespec *timeout, uint32_t *uaddr2, uint32_t val3)
{
	uint32_t val2 = (uint32_t)(uintptr_t)timeout;

	switch (COMMAND(op)) {
	case UFX_FUTEX_WAIT:
		return wait(d, uaddr, op, val, timeout, UINT32_MAX);
	case UFX_FUTEX_WAKE:
		return wake(d, uaddr, val, UINT32_MAX);
	case UFX_FUTEX_WAIT_BITSET:
		return wait(d, uaddr, op, val, timeout, val3);
	case UFX_FUTEX_WAKE_BITSET:
		return wake(d, uaddr, val, val3);
	case UFX_FUTEX_REQUEUE:
		return requeue(d, uaddr, uaddr2, val, val2, false, 0);
	case UFX_FUTEX_CMP_REQUEUE:
		return requeue(d, uaddr, uaddr2, val, val2, true, val3);
	default:
		return wake_op(d, uaddr, uaddr2, val, val2, val3);
	}
}

void ufx_faults_guard(void)
{
	if (ufx_domain_default()) /* that starts the library */
		ufx_guard_install();
}

/* Set once the guard is in place. */
static struct ufx_domain *ready_domain;

/* The first call of the process. */
static struct ufx_domain *get_ready(void)
{
	struct ufx_domain *d = ufx_domain_default();

	if (d)
		ufx_guard_install();
	ufx_store_release(&ready_domain, d);
	return d;
}

static __attribute__((noinline)) long
futex_any(struct ufx_domain *d, uint32_t *uaddr, int op, uint32_t val,
	  const struct timespec *timeout, uint32_t *uaddr2, uint32_t val3)
{
	if (!ufx_futex_serves(op))
		return ufx_pass_futex(uaddr, op, val, timeout, uaddr2, val3);
	if (!d)
		d = get_ready();
	if (!d)
		return -EOPNOTSUPP;
	return serve(d, uaddr, op, val, timeout, uaddr2, val3);
}

long ufx_futex(uint32_t *uaddr, int op, uint32_t val,
	       const struct timespec *timeout, uint32_t *uaddr2, uint32_t val3)
{
	struct ufx_domain *d = ufx_load_acquire(&ready_domain);

	/* The two that programs make by the million, without the decoding. */
	if (ufx_likely(d) && op == (UFX_FUTEX_WAIT | UFX_FUTEX_PRIVATE) && !timeout) {
		int ret = look(uaddr, val);

		return ufx_likely(ret) ? ret : wait_for(d, uaddr, val, UINT32_MAX,
							NULL);
	}
	if (ufx_likely(d) && op == (UFX_FUTEX_WAKE | UFX_FUTEX_PRIVATE))
		return wake(d, uaddr, val, UINT32_MAX);
	return futex_any(d, uaddr, op, val, timeout, uaddr2, val3);
}

long ufx_domain_futex(struct ufx_domain *d, uint32_t *uaddr, int op, uint32_t val,
		      const struct timespec *timeout, uint32_t *uaddr2,
		      uint32_t val3)
{
	ufx_rule(d != NULL, "no argument is NULL");
	if (ufx_unlikely(!d || !served(op)))
		return d ? -ENOSYS : -EINVAL;
	return serve(d, uaddr, op, val, timeout, uaddr2, val3);
}
