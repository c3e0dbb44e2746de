/* SPDX-License-Identifier: MIT */
/*
 * siglongjmp out of a handler: over a wait that is blocked, and over a hot
 * loop of futex calls, wherever it is hit. Nobody stays queued.
 */
#include <limits.h>
#include <setjmp.h>

#include "run.h"

static uint32_t word, hot[2];
static _Thread_local sigjmp_buf back;
static _Thread_local volatile sig_atomic_t may_jump;
static long jumps, over, here;
static pid_t tid;

static void jump(int sig)
{
	(void)sig;
	if (may_jump) {
		may_jump = 0;
		siglongjmp(back, 1);
	}
}

static long waiters(uint32_t *w)
{
	return raw_futex(w, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void *wait_always(void *arg)
{
	(void)arg;
	__atomic_store_n(&tid, own_tid(), __ATOMIC_SEQ_CST);
	while (!get(&over)) {
		if (sigsetjmp(back, 1)) {
			add(&jumps);
			continue;
		}
		may_jump = 1;
		raw_futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
		may_jump = 0;
	}
	return NULL;
}

static void over_blocked(long times)
{
	pthread_t thread = start(wait_always, NULL);

	while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
		sched_yield();
	for (long i = 1; i <= times; i++) {
		until_asleep(tid);
		pthread_kill(thread, SIGUSR1);
		until(&jumps, i);
	}
	is_int(get(&jumps), times, "as many jumps as signals");
	until_asleep(tid);
	set(&over, 1);
	is_int(waiters(&word), 1, "blocked: one waiter in the end");
	pthread_join(thread, NULL);
	is_int(waiters(&word), 0, "blocked: and none after it");
}

/* All kinds of calls on two words; the second thread does the same. */
static void hot_calls(void)
{
	struct timespec t = { .tv_nsec = 5000 };
	uint32_t *a = &hot[0], *b = &hot[1];

	for (;;) {
		raw_futex(a, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
		raw_futex(a, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
		raw_futex(a, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1, b, 0);
		raw_futex(a, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
		raw_futex(b, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	}
}

static void *hot_always(void *arg)
{
	add(&here);
	while (!get(&over)) {
		if (!sigsetjmp(back, 1)) {
			may_jump = 1;
			hot_calls();
		}
		add((long *)arg);
	}
	return NULL;
}

static void over_hot_loop(long times)
{
	static long done[2];
	pthread_t threads[2];

	over = 0;
	for (int i = 0; i < 2; i++)
		threads[i] = start(hot_always, &done[i]);
	until(&here, 2);
	while (get(&done[0]) < times || get(&done[1]) < times) {
		pthread_kill(threads[0], SIGUSR1);
		pthread_kill(threads[1], SIGUSR1);
		sched_yield();
	}
	set(&over, 1);
	for (int i = 0; i < 2; i++) {
		long before = get(&done[i]);

		pthread_kill(threads[i], SIGUSR1);
		while (get(&done[i]) == before &&
		       pthread_tryjoin_np(threads[i], NULL) == EBUSY)
			pthread_kill(threads[i], SIGUSR1);
	}
	ok(1, "hot: both threads ended");
	is_int(waiters(&hot[0]) + waiters(&hot[1]), 0, "hot: nobody is queued");
}

int main(int argc, char **argv)
{
	long times = rounds(argc, argv, 2000, 100000);

	handle(SIGUSR1, 0, jump);
	over_blocked(times);
	over_hot_loop(times);
	return tap_end();
}
