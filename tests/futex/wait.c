// SPDX-License-Identifier: MIT
/*
 * Storms of waits and wakes, with replacements of the table, with timeouts,
 * and without: no wake-up is lost, none is spurious.
 */
#include "futex/wait.h"
#include "futex/wake.h"

#include "blocked.h"
#include "tokens.h"

#define EACH 2000

static void storm(const char *what, uint32_t kinds, bool replace)
{
	struct crew takers = { 0 }, others = { 0 };
	struct hammer self = { .random = kinds };
	int i;

	tokens_start(EACH);
	for (i = 0; i < 12; i++)
		crew_add(&takers, taker, (void *)(uintptr_t)kinds);
	if (replace)
		crew_add(&others, replacer, NULL);
	tokens_give_all(&self, EACH);
	crew_join(&takers);
	crew_stop(&others);
	tokens_check(what);
}

/* ---- the two phases, in one thread ---- */

static uint32_t word, other, park;

static struct ufx_waiter fresh(uint32_t mask)
{
	return (struct ufx_waiter){ .mask = mask, .park = &park };
}

static long wake(uint32_t n, uint32_t mask)
{
	return ufx_wake(ufx_domain_default(), (uintptr_t)&word, n, mask);
}

static void phases(void)
{
	struct ufx_domain *d = ufx_domain_default();
	struct ufx_waiter a = fresh(1), b = fresh(2), c = fresh(3);

	is_int(ufx_wait_prepare(d, &a, &word, 1), -EAGAIN, "the word differs");
	is_int(ufx_wait_prepare(d, &a, &word, 0), 0, "queued");
	ok(!ufx_wait_woken(&a), "not woken");
	ok(!ufx_wait_finish(d, &a), "it leaves without a wake");
	is_int(wake(9, 1), 0, "nobody is there any more");
	is_int(ufx_wait_prepare(d, &a, &word, 0), 0, "queued");
	is_int(ufx_wait_prepare(d, &b, &word, 0), 0, "another");
	is_int(ufx_wait_prepare(d, &c, &word, 0), 0, "and another");
	is_int(wake(1, 2), 1, "one with bit 2");
	ok(ufx_wait_woken(&b) && !ufx_wait_woken(&c), "is the second");
	is_int(wake(9, 4), 0, "nobody with bit 4");
	is_int(wake(9, 3), 2, "two are left");
	ok(ufx_wait_finish(d, &c) && ufx_wait_finish(d, &a) &&
		   ufx_wait_finish(d, &b), "all know it, in whatever order");
	is_int(ufx_wait_probe(d, &word, 0), 0, "a probe");
	is_int(ufx_wait_probe(d, &word, 5), -EAGAIN, "a probe that differs");
}

/* A waiter that was moved leaves from where it is. */
static void leaves_after_requeue(void)
{
	struct ufx_domain *d = ufx_domain_default();
	struct ufx_waiter a = fresh(1), b = fresh(1);

	ufx_wait_prepare(d, &a, &word, 0);
	ufx_wait_prepare(d, &b, &word, 0);
	is_int(ufx_requeue(d, &word, &other, 0, 1, true, 0), 1, "one is moved");
	is_int((long long)a.key, (long long)(uintptr_t)&other, "the first");
	ok(!ufx_wait_finish(d, &a), "it leaves its new queue");
	is_int(ufx_wake(d, (uintptr_t)&other, 1, 1), 0, "nobody is there");
	is_int(wake(1, 1), 1, "the other one is woken");
	ok(ufx_wait_finish(d, &b), "and knows it");
}

/* ---- wakes by bare system calls ---- */

static long wait_for(void *how)
{
	return token_wait(&word, *(enum token_wait *)how, 0);
}

static long bare_wake(uint32_t *at)
{
	return syscall(SYS_futex, at, 129, 1, NULL, NULL, 0);
}

static void foreign(void)
{
	enum token_wait how = WAIT_FOREVER;
	uint64_t before = ufx_wait_foreign_wakes();
	struct blocked b;

	blocked_start(&b, wait_for, &how, NULL);
	blocked_wait(&b);
	if (!ufx_park_has_waitv()) {
		skip("no futex_waitv here", "a bare system call wakes");
	} else if (UFX_EMBEDDED) {
		is_int(bare_wake(&word), 1, "a bare system call, which may be another copy's");
	} else {
		is_int(bare_wake(&word), 1, "a bare system call wakes a waiter");
		is_int(blocked_join(&b), 0, "whose wait returns 0");
		is_int((long long)(ufx_wait_foreign_wakes() - before), 1,
		       "it is counted");
		is_int(wake(1, 1), 0, "nobody is left in the queue");
		how = WAIT_TIMED;
		blocked_start(&b, wait_for, &how, NULL);
		blocked_wait(&b);
		is_int(bare_wake(&word), 0, "a timed wait is not woken so");
	}
	is_int(wake(1, UINT32_MAX), 1, "but by the engine");
	is_int(blocked_join(&b), 0, "it returns 0");
}

int main(void)
{
	wake(1, 1);
	phases();
	leaves_after_requeue();
	foreign();
	storm("for ever", 1, false);
	storm("for ever, replaced", 1, true);
	storm("long timeouts", WAIT_FUTEX2, true);
	storm("three kinds, replaced", WAIT_SHORT, true);
	storm("short timeouts too, replaced", WAIT_KINDS, true);
	return tap_end();
}
