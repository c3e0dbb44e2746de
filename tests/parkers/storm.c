// SPDX-License-Identifier: MIT
/*
 * A thousand fibers on three workers, and threads beside them, take tokens that
 * threads give; some waits are timed, some are ended by a nuisance, tables are
 * replaced. Every token is taken, or somebody hangs; as many waits end as woken as
 * wakes have said.
 */
#include <ufutex/domain.h>
#include <ufutex/wait.h>
#include <ufutex/wake.h>

#include "../examples/fiber.h"
#include "hammer.h"

#define FIBERS 1000
#define EACH 10
#define WORDS 8
#define GIVERS 2
#define THREADS 3

static struct ufx_domain *d;
static struct fibers *fibers;
static uint32_t words[WORDS];
static long taken, said, woken, timed_out, interrupted;
static int owner;

static void add(long *count, long n)
{
	__atomic_fetch_add(count, n, __ATOMIC_RELAXED);
}

static bool try_take(uint32_t *word)
{
	uint32_t value = __atomic_load_n(word, __ATOMIC_RELAXED);

	while (value)
		if (__atomic_compare_exchange_n(word, &value, value - 1, false,
						__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	return false;
}

static void wait_once(uint32_t *word, int64_t until)
{
	struct ufx_condition c = { .key = (uintptr_t)word, .word = word, .size = 4,
				   .owner = &owner };
	int how = fiber_wait(d, &c, until, NULL);

	switch (how) {
	case UFX_WOKEN:
		add(&woken, 1);
		break;
	case UFX_TIMED_OUT:
		if (until == FIBER_FOREVER)
			bail("a wait without a deadline times out");
		add(&timed_out, 1);
		break;
	case UFX_INTERRUPTED:
		add(&interrupted, 1);
		break;
	case UFX_MISMATCH:
		break;
	default:
		bail("a wait ends with %d", how);
	}
}

static void take(unsigned int number)
{
	struct hammer h = { .random = number };

	for (int i = 0; i < EACH; i++) {
		uint32_t *word = &words[(number + i) % WORDS];

		while (!try_take(word))
			wait_once(word, hammer_random(&h, 4) ?
						FIBER_FOREVER :
						fiber_now() + hammer_random(&h, 2000) * 1000);
		if (!hammer_random(&h, 4))
			fiber_yield();
	}
	add(&taken, EACH);
}

static void take_fiber(void *arg)
{
	take((unsigned int)(uintptr_t)arg);
}

static void *take_thread(void *arg)
{
	take((unsigned int)(uintptr_t)arg);
	return NULL;
}

/* Half of all tokens, in any order of words. */
static void *give(void *arg)
{
	struct hammer h = { .random = (uintptr_t)arg };
	int left[WORDS], todo = 0;

	for (int i = 0; i < WORDS; i++) {
		left[i] = 0;
		for (int taker = 0; taker < FIBERS + THREADS; taker++)
			for (int n = 0; n < EACH; n++)
				left[i] += (taker + n) % WORDS == i;
		left[i] = ((uintptr_t)arg ? left[i] + 1 : left[i]) / 2;
		todo += left[i];
	}
	while (todo) {
		uint32_t i = hammer_random(&h, WORDS);

		if (!left[i])
			continue;
		left[i]--;
		todo--;
		__atomic_fetch_add(&words[i], 1, __ATOMIC_RELEASE);
		add(&said, ufx_domain_wake(d, (uintptr_t)&words[i], 1, UFX_ALL));
		if (!hammer_random(&h, 64))
			sched_yield();
	}
	return NULL;
}

static void nuisance(struct hammer *h)
{
	static const uint32_t sizes[] = { 2, 64, 4, 256 };

	if (ufx_domain_set_slots(d, sizes[h->rounds % 4]))
		bail("slots");
	if (h->rounds % 16 == 0 && ufx_domain_interrupt_owner(d, &owner, 1) < 0)
		bail("interrupts");
	nap_us((long)hammer_random(h, 500));
}

static pthread_t start(void *(*run)(void *arg), uintptr_t arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, (void *)arg))
		bail("no thread");
	return thread;
}

int main(void)
{
	pthread_t threads[THREADS + GIVERS];
	struct crew others = { 0 };
	int n = 0;

	if (ufx_domain_create(&d, NULL))
		bail("no domain");
	fibers = fibers_start(d, 3, FIBERS);
	if (!fibers)
		bail("no fibers");
	for (uintptr_t i = 0; i < FIBERS; i++)
		if (!fibers_spawn(fibers, take_fiber, (void *)i))
			bail("no room for a fiber");
	for (uintptr_t i = 0; i < THREADS; i++)
		threads[n++] = start(take_thread, FIBERS + i);
	for (uintptr_t i = 0; i < GIVERS; i++)
		threads[n++] = start(give, i);
	crew_add(&others, nuisance, NULL);
	while (n)
		pthread_join(threads[--n], NULL);
	diag("  moved to another worker: %lu times", fibers_moves(fibers));
	crew_stop(&others); /* its interrupts, too, tell fibers */
	fibers_end(fibers);
	is_int(taken, (FIBERS + THREADS) * EACH, "every token is taken");
	is_int(woken, said, "as many waits were woken as wakes say");
	diag("  %ld woken, %ld interrupted, %ld timed out", woken, interrupted, timed_out);
	is_int(ufx_domain_destroy(d), 0, "nobody is left");
	return tap_end();
}
