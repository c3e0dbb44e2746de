// SPDX-License-Identifier: MIT
/*
 * A wake of all never wakes one that came after it began: threads that wait
 * again at once would keep it busy for ever.
 */
#include <ufutex/futex.h>

#include "blocked.h"
#include "hammer.h"
#include "rule.h"

#define SLEEPERS 8

static uint32_t word;
static int stop;

static long wait_again(void *arg)
{
	long *times = arg, ret = 0;

	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		ret = ufx_futex(&word, UFX_FUTEX_WAIT | UFX_FUTEX_PRIVATE, 0,
				NULL, NULL, 0);
		if (ret && ret != -EAGAIN)
			return ret;
		__atomic_fetch_add(times, !ret, __ATOMIC_SEQ_CST);
	}
	return 0;
}

static long wake_all(void)
{
	return ufx_futex(&word, UFX_FUTEX_WAKE | UFX_FUTEX_PRIVATE, INT32_MAX,
			 NULL, NULL, 0);
}

int main(void)
{
	static struct blocked b[SLEEPERS];
	long times = 0, woken, said = 0, most = 0;
	int i, round, failed = 0;

	rule_start();
	for (i = 0; i < SLEEPERS; i++)
		blocked_start(&b[i], wait_again, &times, NULL);
	for (round = 0; round < 150; round++) {
		for (i = 0; i < SLEEPERS; i++)
			blocked_wait(&b[i]);
		woken = wake_all();
		said += woken;
		most = woken > most ? woken : most;
	}
	is_int(most, SLEEPERS, "no wake of %d wakes more than slept", round);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
	said += wake_all();
	for (i = 0; i < SLEEPERS; i++)
		failed += blocked_join(&b[i]) != 0;
	is_int(failed, 0, "all return");
	is_int(times, said, "as many waits return 0 as wakes say");
	return tap_end();
}
