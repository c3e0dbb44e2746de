// SPDX-License-Identifier: MIT
/*
 * A wake that finds nobody takes no lock: store to the word, full fence, look
 * at the bucket's count. A waiter counts itself up, full fence, looks at the
 * word. One of the two sees the other: never is a waiter queued on the old
 * value while the wake found nobody.
 */
#include "futex/wait.h"
#include "futex/wake.h"

#include "hammer.h"
#include "rule.h"

static struct ufx_domain *domain;

static struct {
	uint32_t word __attribute__((aligned(64)));
	int round __attribute__((aligned(64))); /* begun */
	int ready __attribute__((aligned(64))); /* the waker is */
	int woken __attribute__((aligned(64))); /* by the last wake */
	int done __attribute__((aligned(64)));
} s;

/*
 * Which delay has both meet depends on the machine: up to a few nanoseconds in
 * some rounds, up to a microsecond in others.
 */
static void linger(struct hammer *h)
{
	uint32_t most = 16u << 2 * hammer_random(h, 5);

	for (uint32_t i = hammer_random(h, most); i; i--)
		ufx_compiler_barrier();
}

static void wake(struct hammer *h)
{
	int round = __atomic_load_n(&s.round, __ATOMIC_ACQUIRE);

	if (!h->rounds)
		use_cpu(1);
	if (round == s.done)
		return;
	/* Has the bucket at hand, so that the look may overtake the store. */
	ufx_place_nobody(domain, (uintptr_t)&s.word);
	__atomic_store_n(&s.ready, round, __ATOMIC_RELEASE);
	linger(h);
	__atomic_store_n(&s.word, 1, __ATOMIC_RELAXED);
	s.woken = (int)ufx_wake(domain, (uintptr_t)&s.word, 1, UINT32_MAX);
	__atomic_store_n(&s.done, round, __ATOMIC_RELEASE);
}

/* Waits for @word; with one CPU the other thread must get to run. */
static void await(const int *word, int value)
{
	unsigned int spins = 0;

	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value)
		if (++spins % 4096 == 0)
			sched_yield();
}

/* Is the waiter left queued on the old value, and the waker gone? */
static bool lost(struct hammer *h, int round)
{
	uint32_t park = 0;
	struct ufx_waiter w = { .mask = UINT32_MAX, .park = &park };
	int ret;

	__atomic_store_n(&s.word, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&s.round, round, __ATOMIC_RELEASE);
	await(&s.ready, round);
	linger(h);
	ret = ufx_wait_prepare(domain, &w, &s.word, 0);
	await(&s.done, round);
	if (ret)
		return ret != -EAGAIN || s.woken;
	return !ufx_wait_finish(domain, &w) || s.woken != 1;
}

int main(void)
{
	int64_t end = clock_ms() + 400;
	struct hammer self = { .random = 77 };
	struct crew c = { 0 };
	int round = 0, missed = 0;

	rule_start();
	if (rule_faulty()) { /* it shows now and then only */
		tap_timeout(15);
		end += 10000;
	}
	domain = ufx_domain_default();
	ufx_domain_touch(domain, (uintptr_t)&s.word);
	crew_add(&c, wake, NULL);
	use_cpu(0);
	while (!missed && (round % 64 || clock_ms() < end))
		missed += lost(&self, ++round);
	crew_stop(&c);
	is_int(missed, 0, "no wake-up is lost in %d rounds", round);
	return tap_end();
}
