// SPDX-License-Identifier: MIT
/*
 * A wait on two keys of which one is woken and the other interrupted, or cancelled, before
 * its thread can look: the wake counted it, so woken it is.
 */
#include <signal.h>

#include <ufutex/domain.h>
#include <ufutex/futex.h>
#include <ufutex/wait.h>
#include <ufutex/wake.h>

#include "blocked.h"
#include "subject.h"
#include "tap.h"

static struct ufx_domain *d;
static int owner, held, go_on;
static uint64_t woken_key;
static unsigned int index_of;

/* Keeps its thread from looking. */
static void hold(int sig)
{
	(void)sig;
	__atomic_store_n(&held, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&go_on, __ATOMIC_SEQ_CST))
		;
}

static long wait_for_two(void *arg)
{
	struct ufx_condition c[2] = { { .key = 1, .owner = &owner },
				      { .key = 2, .owner = &owner } };

	(void)arg;
	return ufx_domain_wait_any(d, c, 2, NULL, &index_of, NULL);
}

static long interrupt(void)
{
	return ufx_domain_interrupt_owner(d, &owner, 5);
}

static long purge(void)
{
	return ufx_domain_purge(d, 3 - woken_key, 1);
}

static void one(uint64_t key, long (*end_other)(void), const char *name)
{
	struct blocked b;

	woken_key = key;
	held = go_on = 0;
	blocked_start(&b, wait_for_two, NULL, NULL);
	if (!blocked_wait(&b))
		bail("it does not wait");
	pthread_kill(b.thread, SIGUSR1);
	while (!__atomic_load_n(&held, __ATOMIC_SEQ_CST))
		sched_yield();
	is_int(ufx_domain_wake(d, key, 1, UFX_ALL), 1, "%s: one key is woken", name);
	is_int(end_other(), 1, "%s: then the other ended", name);
	__atomic_store_n(&go_on, 1, __ATOMIC_SEQ_CST);
	is_int(blocked_join(&b), UFX_WOKEN, "%s: the wait was woken", name);
	is_int(index_of, (long)key - 1, "%s: by its key", name);
}

/* ---- the same of futex_waitv ---- */

static uint32_t words[2];

static long waitv_for_two(void *arg)
{
	struct ufx_waitv_entry e[2] = {
		{ 0, (uintptr_t)&words[0], UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, 0 },
		{ 0, (uintptr_t)&words[1], UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, 0 },
	};

	(void)arg;
	return ufx_futex_waitv(e, 2, 0, NULL, CLOCK_MONOTONIC);
}

static void one_waitv(int woken, const char *name)
{
	struct ufx_domain *own = ufx_domain_default();
	struct blocked b;

	held = go_on = 0;
	blocked_start(&b, waitv_for_two, NULL, NULL);
	if (!blocked_wait(&b))
		bail("it does not wait");
	pthread_kill(b.thread, SIGUSR1);
	while (!__atomic_load_n(&held, __ATOMIC_SEQ_CST))
		sched_yield();
	is_int(ufx_domain_wake(own, (uintptr_t)&words[woken], 1, UFX_ALL), 1,
	       "futex_waitv, %s: one word is woken", name);
	is_int(ufx_domain_purge(own, (uintptr_t)&words[1 - woken], 1), 1,
	       "futex_waitv, %s: the other purged", name);
	__atomic_store_n(&go_on, 1, __ATOMIC_SEQ_CST);
	is_int(blocked_join(&b), woken, "futex_waitv, %s: the wait was woken", name);
}

int main(void)
{
	struct sigaction action = { .sa_handler = hold, .sa_flags = SA_RESTART };

	if (ufx_domain_create(&d, NULL))
		bail("no domain");
	if (signals_delayed()) {
		skip(signals_delayed(), "all");
		return tap_end();
	}
	sigaction(SIGUSR1, &action, NULL);
	one(1, interrupt, "interrupted behind it");
	one(2, interrupt, "interrupted before it");
	one(1, purge, "purged behind it");
	one(2, purge, "purged before it");
	one_waitv(0, "purged behind it");
	one_waitv(1, "purged before it");
	return tap_end();
}
