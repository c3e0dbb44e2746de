// SPDX-License-Identifier: MIT
/*
 * Storms on one domain: threads that block, nodes with parkers, and waits of
 * futex(2), mixed in the same queues; wakes, chosen wakes, requeues there and back;
 * interrupts of owners, and replacements. Every token that is given is taken, or
 * somebody hangs; as many waits end as woken as wakes have said.
 */
#include <semaphore.h>

#include <ufutex/domain.h>
#include <ufutex/wait.h>
#include <ufutex/wake.h>

#include "hammer.h"

#define WORDS 4
#define EACH 3000
#define TAKERS 12

static struct ufx_domain *d;
static uint32_t words[WORDS];
static long given, taken, said, woken, interrupted, timed_out;
static long left[WORDS];
static int owners[2];

static void add(long *count, long n)
{
	__atomic_fetch_add(count, n, __ATOMIC_SEQ_CST);
}

static uint64_t key_of(const uint32_t *word)
{
	return (uintptr_t)word;
}

static struct ufx_condition empty(struct hammer *h, uint32_t *word)
{
	return (struct ufx_condition){ .key = key_of(word), .word = word, .size = 4,
				       .owner = &owners[h->number % 2],
				       .priority = (uint32_t)h->number % 3 };
}

static void account(int how)
{
	switch (how) {
	case UFX_WOKEN:
		add(&woken, 1);
		break;
	case UFX_INTERRUPTED:
		add(&interrupted, 1);
		break;
	case UFX_LEFT:
	case UFX_TIMED_OUT:
		add(&timed_out, 1);
		break;
	case UFX_MISMATCH:
		break;
	default:
		bail("a wait ends with %d", how);
	}
}

/* ---- ways to wait ---- */

static void by_thread(struct hammer *h, uint32_t *word)
{
	struct ufx_condition c = empty(h, word);
	struct ufx_deadline soon = ufx_deadline_in((int64_t)hammer_random(h, 300) * 1000);

	account(ufx_domain_wait(d, &c, hammer_random(h, 4) ? NULL : &soon, NULL));
}

static void tell(void *handle)
{
	sem_post((sem_t *)handle);
}

/* A node of its own; posts that come late are taken for new ones, and do no harm. */
static void by_parker(struct hammer *h, uint32_t *word)
{
	static const struct ufx_parker parker = { tell };
	static struct ufx_node nodes[TAKERS];
	static sem_t sems[TAKERS];
	struct ufx_node *n = &nodes[h->number];
	struct ufx_condition c = empty(h, word);
	bool impatient = !hammer_random(h, 4);
	int ret = ufx_node_prepare(d, n, &c, &parker, &sems[h->number]);

	if (ret == -EAGAIN)
		return;
	if (ret)
		bail("prepare returns %d", ret);
	while (!ufx_node_ended(n) && !impatient)
		sem_wait(&sems[h->number]);
	account(ufx_node_finish(n, NULL));
}

static void by_futex(uint32_t *word)
{
	long ret = ufx_domain_futex(d, word, 0, 0, NULL, NULL, 0);

	if (!ret)
		add(&woken, 1);
	else if (ret != -EAGAIN)
		bail("futex returns %ld", ret);
}

static bool try_take(uint32_t *word)
{
	uint32_t value = __atomic_load_n(word, __ATOMIC_SEQ_CST);

	while (value)
		if (__atomic_compare_exchange_n(word, &value, value - 1, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return true;
	return false;
}

static void taker(struct hammer *h)
{
	int w = h->number % WORDS;

	if (__atomic_fetch_sub(&left[w], 1, __ATOMIC_SEQ_CST) <= 0) {
		__atomic_store_n(&h->stop, 1, __ATOMIC_RELAXED);
		return;
	}
	while (!try_take(&words[w])) {
		switch (hammer_random(h, 3)) {
		case 0:
			by_thread(h, &words[w]);
			break;
		case 1:
			by_parker(h, &words[w]);
			break;
		default:
			by_futex(&words[w]);
		}
	}
	add(&taken, 1);
}

/* ---- ways to wake ---- */

static enum ufx_verdict yes(const struct ufx_seen *seen, uint64_t *token, void *arg)
{
	(void)seen;
	(void)token;
	(void)arg;
	return UFX_TAKE;
}

static void wake(struct hammer *h, uint32_t *word)
{
	struct ufx_waker waker = { .n = 1, .each = yes };
	struct ufx_mover mover = { .wake = 1 };
	long ret;

	switch (hammer_random(h, 3)) {
	case 0:
		ret = ufx_domain_wake(d, key_of(word), 1, UFX_ALL);
		break;
	case 1:
		ret = ufx_domain_wake_by(d, key_of(word), &waker);
		break;
	default:
		ret = ufx_domain_requeue(d, key_of(word), key_of(word) + 1, &mover);
	}
	if (ret < 0 || ret > 1)
		bail("a wake returns %ld", ret);
	add(&said, ret);
}

static void give_all(struct hammer *h)
{
	int n[WORDS] = { 0 }, todo = WORDS * EACH;

	while (todo) {
		uint32_t w = hammer_random(h, WORDS);

		if (n[w] == EACH)
			continue;
		n[w]++;
		todo--;
		__atomic_fetch_add(&words[w], 1, __ATOMIC_SEQ_CST);
		add(&given, 1);
		wake(h, &words[w]);
		if (!hammer_random(h, 64))
			sched_yield();
	}
}

/* ---- what happens to them ---- */

static void nuisance(struct hammer *h)
{
	static const uint32_t sizes[] = { 2, 64, 4, 256 };
	uint32_t w = hammer_random(h, WORDS);
	struct ufx_mover away = { .move = 3 }, back = { .move = 100 };

	switch (hammer_random(h, 3)) {
	case 0:
		if (ufx_domain_interrupt_owner(d, &owners[h->rounds % 2], 1) < 0)
			bail("interrupts");
		break;
	case 1:
		if (ufx_domain_set_slots(d, sizes[h->rounds % 4]))
			bail("slots");
		break;
	default:
		/*
		 * To another key and back: a wake between finds nobody there, so
		 * all that come back are woken to look again.
		 */
		ufx_domain_requeue(d, key_of(&words[w]), ~key_of(&words[w]), &away);
		ufx_domain_requeue(d, ~key_of(&words[w]), key_of(&words[w]), &back);
		add(&said, ufx_domain_wake(d, key_of(&words[w]), UFX_ALL, UFX_ALL));
	}
	nap_us((long)hammer_random(h, 200));
}

int main(void)
{
	struct crew takers = { 0 }, others = { 0 };
	struct hammer self = { .random = 1 };

	if (ufx_domain_create(&d, NULL))
		bail("no domain");
	for (int i = 0; i < WORDS; i++)
		left[i] = EACH;
	for (int i = 0; i < TAKERS; i++)
		crew_add(&takers, taker, NULL);
	crew_add(&others, nuisance, NULL);
	while (!__atomic_load_n(&interrupted, __ATOMIC_RELAXED)) /* so they wait */
		sched_yield();
	give_all(&self);
	crew_join(&takers);
	crew_stop(&others);
	is_int(taken, given, "each of %ld tokens is taken", given);
	is_int(woken, said, "as many waits were woken as wakes say");
	ok(interrupted > 0, "some were interrupted");
	diag("  %ld woken, %ld interrupted, %ld timed out", woken, interrupted, timed_out);
	is_int(ufx_domain_destroy(d), 0, "nobody is left");
	return tap_end();
}
