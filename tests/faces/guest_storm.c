// SPDX-License-Identifier: MIT
/*
 * Eight threads of a guest on locks in its memory: a mutex of three states, a condition
 * variable by CMP_REQUEUE, a semaphore by waitv and WAKE_OP, while signals come and pages
 * go. A wake-up that is lost hangs.
 */
#include "futex_numbers.h"
#include <ufutex/futex.h>

#include "guest_memory.h"
#include "hammer.h"

#define THREADS 8
#define EACH 3000

enum { MUTEX = AT(0, 0), SEMAPHORE = AT(1, 8), NEVER = AT(2, 4), ENTRIES = AT(3, 0),
       TURN = AT(4, 0) };

static struct memory m;
static struct ufx_guest guest = { .ops = &memory_ops, .space = &m, .size = LIMIT };
static struct ufx_guest_thread threads[THREADS];
static long held, count, interrupted, done;

static long futex(struct hammer *h, uint64_t at, int op, uint32_t val, uint64_t val2,
		  uint64_t at2, uint32_t val3)
{
	struct ufx_guest_thread *t = &threads[h->number];
	long ret = ufx_guest_futex(t, at, op | FUTEX_PRIVATE_FLAG, val, val2, at2, val3);

	if (ret == -EINTR) {
		__atomic_fetch_add(&interrupted, 1, __ATOMIC_RELAXED);
		ufx_guest_signal_taken(t);
	} else if (ret < 0 && ret != -EAGAIN) {
		bail("futex returns %ld", ret);
	}
	return ret;
}

/* ---- the guest's code ---- */

static uint32_t *word(uint64_t at)
{
	return (uint32_t *)&m.bytes[at - BASE];
}

static void lock(struct hammer *h)
{
	uint32_t free = 0;

	if (__atomic_compare_exchange_n(word(MUTEX), &free, 1, false, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST))
		return;
	while (__atomic_exchange_n(word(MUTEX), 2, __ATOMIC_SEQ_CST))
		futex(h, MUTEX, FUTEX_WAIT, 2, 0, 0, 0);
}

static void unlock(struct hammer *h)
{
	if (__atomic_exchange_n(word(MUTEX), 0, __ATOMIC_SEQ_CST) == 2)
		futex(h, MUTEX, FUTEX_WAKE, 1, 0, 0, 0);
}

static void enter(struct hammer *h)
{
	lock(h);
	if (held++)
		bail("two threads hold the mutex");
}

static void leave(struct hammer *h)
{
	held--;
	unlock(h);
}

/* With the mutex held: lets whoever waits go on, once it has the mutex. */
static bool release(struct hammer *h)
{
	uint32_t turn = __atomic_load_n(word(TURN), __ATOMIC_SEQ_CST);

	if (!(turn & 1))
		return false;
	__atomic_store_n(word(TURN), turn + 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(word(MUTEX), 2, __ATOMIC_SEQ_CST);
	futex(h, TURN, FUTEX_CMP_REQUEUE, 0, 1, MUTEX, turn + 1);
	return true;
}

/* Whoever comes in first waits until another has been there, moved to the mutex. */
static void take_turns(struct hammer *h)
{
	uint32_t turn;

	enter(h);
	count++;
	if (release(h)) {
		leave(h);
		return;
	}
	turn = __atomic_add_fetch(word(TURN), 1, __ATOMIC_SEQ_CST);
	leave(h);
	while (__atomic_load_n(word(TURN), __ATOMIC_SEQ_CST) == turn &&
	       __atomic_load_n(&done, __ATOMIC_SEQ_CST) < THREADS - 1)
		futex(h, TURN, FUTEX_WAIT, turn, 0, 0, 0);
	/* As one that was moved to the mutex: others may be behind it. */
	while (__atomic_exchange_n(word(MUTEX), 2, __ATOMIC_SEQ_CST))
		futex(h, MUTEX, FUTEX_WAIT, 2, 0, 0, 0);
	unlock(h);
}

static bool try_take(void)
{
	uint32_t v = __atomic_load_n(word(SEMAPHORE), __ATOMIC_SEQ_CST);

	while (v)
		if (__atomic_compare_exchange_n(word(SEMAPHORE), &v, v - 1, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return true;
	return false;
}

/* Takes by a wait on two words, gives by an addition that wakes. */
static void take_and_give(struct hammer *h)
{
	while (!try_take()) {
		struct ufx_guest_thread *t = &threads[h->number];
		long ret = ufx_guest_waitv(t, ENTRIES, 2, 0, 0, 0);

		if (ret == -EINTR)
			ufx_guest_signal_taken(t);
		else if (ret != 1 && ret != -EAGAIN)
			bail("waitv returns %ld", ret);
	}
	futex(h, SEMAPHORE, FUTEX_WAKE_OP, 1, 0, SEMAPHORE,
	      FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_LT, 0));
}

static void step(struct hammer *h)
{
	take_turns(h);
	take_and_give(h);
	if (h->rounds + 1 == EACH) {
		h->stop = 1;
		enter(h);
		__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
		release(h);
		leave(h);
	}
}

static void signals(struct hammer *h)
{
	ufx_guest_signal(&threads[hammer_random(h, THREADS)], -EINTR);
	nap_us(20 + (long)hammer_random(h, 100));
}

/* Signals end waits, those too that nobody would wake: so once without. */
static void storm(bool with_signals)
{
	struct crew crew = { 0 }, others = { 0 };
	const char *name = with_signals ? "signals come" : "no signals";

	count = done = 0;
	for (int i = 0; i < THREADS; i++)
		crew_add(&crew, step, NULL);
	if (with_signals)
		crew_add(&others, signals, NULL);
	crew_join(&crew);
	crew_stop(&others);
	is_int(count, THREADS * EACH, "%s: each was alone with the count each time", name);
	is_int(*word(SEMAPHORE), 2, "%s: what was taken has been given", name);
	ok(m.refused > 0, "%s: some pages were away under the lock", name);
	ok(with_signals == (interrupted > 0), "%s: %ld interrupted", name, interrupted);
	diag("  %d refused", m.refused);
}

int main(void)
{
	if (ufx_domain_create(&guest.domain, NULL))
		bail("no domain");
	m.dawdles = true;
	*word(SEMAPHORE) = 2;
	for (int i = 0; i < 2; i++) {
		memory_write(&m, ENTRIES + i * 24 + 8, 8, i ? SEMAPHORE : NEVER);
		memory_write(&m, ENTRIES + i * 24 + 16, 4,
			     UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE);
	}
	for (int i = 0; i < THREADS; i++)
		threads[i].guest = &guest;
	storm(false);
	storm(true);
	is_int(ufx_domain_destroy(guest.domain), 0, "nobody is left");
	return tap_end();
}
