// SPDX-License-Identifier: MIT
/*
 * What is done to a guest's memory when a thread of its ends: the word of set_tid_address,
 * and robust lists, well-formed and not.
 */
#include "futex_numbers.h"

#include "blocked.h"
#include "guest_memory.h"
#include "tap.h"

#define TID 1234u
#define HEAD AT(0, 8)
#define OFFSET 16 /* of a lock's word, from its entry */

static struct memory m;
static struct ufx_guest guest = { .ops = &memory_ops, .space = &m, .size = LIMIT };

/* ---- somebody who waits for a word as it is ---- */

struct waiter {
	struct blocked b;
	uint64_t at;
	int op;
};

static long wait_for(void *arg)
{
	struct waiter *w = arg;
	struct ufx_guest_thread t = { .guest = &guest };

	return ufx_guest_futex(&t, w->at, w->op,
			       __atomic_load_n(memory_word(&m, w->at), __ATOMIC_RELAXED), 0,
			       0, 0);
}

static void waits(struct waiter *w, uint64_t at, int op)
{
	w->at = at;
	w->op = op;
	blocked_start(&w->b, wait_for, w, NULL);
	if (!blocked_wait(&w->b))
		ok(0, "it must block");
}

/* Was it woken? If not it is now. */
static bool woken(struct waiter *w)
{
	struct ufx_guest_thread t = { .guest = &guest };
	bool left = ufx_guest_futex(&t, w->at, FUTEX_WAKE | (w->op & FUTEX_PRIVATE_FLAG), 1,
				    0, 0, 0) == 1;

	blocked_join(&w->b);
	return !left;
}

/* ---- clear_tid ---- */

static void clear_tid(void)
{
	struct waiter w, other;

	memory_write(&m, AT(0, 4), 4, TID);
	waits(&w, AT(0, 4), FUTEX_WAIT);
	waits(&other, AT(0, 4), FUTEX_WAIT_PRIVATE);
	is_int(ufx_guest_clear_tid(&guest, AT(0, 4)), 1, "clear_tid wakes one");
	is_int(*memory_word(&m, AT(0, 4)), 0, "the word is 0");
	ok(woken(&w), "who waits shared is woken");
	ok(!woken(&other), "who waits privately is not");
	is_int(ufx_guest_clear_tid(&guest, AT(0, 4)), 0, "nobody waits");
	is_int(ufx_guest_clear_tid(&guest, AT(1, 0)), -EFAULT, "absent");
	is_int(ufx_guest_clear_tid(&guest, AT(2, 0)), -EFAULT, "read-only");
	is_int(ufx_guest_clear_tid(&guest, AT(0, 2)), -EINVAL, "misaligned");
	is_int(ufx_guest_clear_tid(&guest, LIMIT), -EFAULT, "beyond");
	is_int(ufx_guest_clear_tid(NULL, 0), -EINVAL, "nobody");
}

/* ---- robust lists ---- */

static uint64_t entry(unsigned int i)
{
	return AT(4, i * 32);
}

static uint64_t word(unsigned int i)
{
	return entry(i) + OFFSET;
}

static uint32_t value(unsigned int i)
{
	return *memory_word(&m, word(i));
}

static void set(unsigned int i, uint32_t v)
{
	*memory_word(&m, word(i)) = v;
}

/* A list of @n, each held by @tid; no pending one. */
static void list(unsigned int n, uint32_t tid)
{
	memory_write(&m, HEAD, 8, n ? entry(0) : HEAD);
	memory_write(&m, HEAD + 8, 8, OFFSET);
	memory_write(&m, HEAD + 16, 8, 0);
	for (unsigned int i = 0; i < n; i++) {
		memory_write(&m, entry(i), 8, i + 1 < n ? entry(i + 1) : HEAD);
		set(i, tid);
	}
}

static void pending(uint64_t at)
{
	memory_write(&m, HEAD + 16, 8, at);
}

static long ends(void)
{
	return ufx_guest_robust_exit(&guest, HEAD, TID);
}

static void locks(void)
{
	struct waiter shared, private;

	list(0, 0);
	is_int(ends(), 0, "an empty list");
	list(4, TID);
	set(1, TID | FUTEX_WAITERS);
	set(2, TID + 1);
	set(3, TID | FUTEX_WAITERS | FUTEX_OWNER_DIED);
	waits(&shared, word(1), FUTEX_WAIT);
	waits(&private, word(3), FUTEX_WAIT_PRIVATE);
	is_int(ends(), 3, "three of four are its own");
	is_int(value(0), FUTEX_OWNER_DIED, "its owner died");
	is_int(value(1), FUTEX_OWNER_DIED | FUTEX_WAITERS, "and somebody waits");
	is_int(value(2), TID + 1, "another's lock stays");
	is_int(value(3), FUTEX_OWNER_DIED | FUTEX_WAITERS, "that had lost one before");
	ok(woken(&shared), "who waits shared is woken");
	ok(!woken(&private), "who waits privately is not, as in Linux");
	list(1, TID);
	waits(&shared, word(0), FUTEX_WAIT);
	is_int(ends(), 1, "no FUTEX_WAITERS");
	ok(!woken(&shared), "nobody is woken");
	list(2, TID);
	set(0, TID | FUTEX_WAITERS);
	memory_write(&m, HEAD, 8, entry(0) | 1);
	waits(&shared, word(0), FUTEX_WAIT);
	is_int(ends(), 2, "one that inherits priorities");
	ok(!woken(&shared), "wakes nobody here");
}

/* One lock, pending, of value @v: is who waits for it woken, is it given up? */
static void one_pending(uint32_t v, bool wakes, uint32_t after, const char *name)
{
	struct waiter w;

	list(0, 0);
	set(0, v);
	pending(entry(0));
	waits(&w, word(0), FUTEX_WAIT);
	is_int(ends(), (v & FUTEX_TID_MASK) == TID, "pending: %s", name);
	is_int(value(0), after, "pending: %s: the word after it", name);
	is_int(woken(&w), wakes, "pending: %s: is one woken", name);
}

static void pendings(void)
{
	struct waiter a, b;

	one_pending(0, true, 0, "just released");
	one_pending(FUTEX_WAITERS, true, FUTEX_WAITERS, "just released, to waiters");
	one_pending(TID, false, FUTEX_OWNER_DIED, "just taken");
	one_pending(TID | FUTEX_WAITERS, true, FUTEX_OWNER_DIED | FUTEX_WAITERS,
		    "just taken, with waiters");
	one_pending(TID + 1, true, TID + 1, "another's, who knows of no waiters");
	one_pending((TID + 1) | FUTEX_WAITERS, false, (TID + 1) | FUTEX_WAITERS,
		    "another's, who knows");
	list(2, TID);
	set(1, TID | FUTEX_WAITERS);
	pending(entry(1));
	waits(&a, word(1), FUTEX_WAIT);
	waits(&b, word(1), FUTEX_WAIT);
	is_int(ends(), 2, "pending and on the list");
	ok(woken(&a) + woken(&b) == 1, "wakes one, once");
	list(1, TID);
	set(5, TID);
	pending(entry(5));
	is_int(ends(), 2, "pending and not yet on the list");
	pending(1);
	list(1, TID);
	is_int(ends(), 1, "no pending one, but the bit");
}

/* Lists that threads have spoilt. */
static void bad_lists(void)
{
	list(3, TID);
	memory_write(&m, entry(1), 8, entry(0));
	ok(ends() == 2 && value(2) == TID, "a ring without its head ends");
	list(3, TID);
	memory_write(&m, entry(1), 8, AT(1, 0));
	is_int(ends(), 2, "an entry that is absent ends it");
	list(3, TID);
	memory_write(&m, entry(0), 8, entry(1) + 2);
	ok(ends() == 1 && value(1) == TID, "a word that is not aligned ends it");
	list(2, TID);
	memory_write(&m, HEAD + 8, 8, UINT64_MAX - 3);
	is_int(ends(), 0, "a mad offset");
	is_int(ufx_guest_robust_exit(&guest, AT(1, 0), TID), 0, "a head that is absent");
	is_int(ufx_guest_robust_exit(&guest, LIMIT - 8, TID), 0, "a head that is half there");
	is_int(ufx_guest_robust_exit(&guest, 0, TID), 0, "no head");
	is_int(ufx_guest_robust_exit(NULL, HEAD, TID), -EINVAL, "nobody");
	is_int(ufx_guest_robust_exit(&guest, HEAD, 0), -EINVAL, "thread 0");
	list(UFX_GUEST_ROBUST_LIMIT + 100, TID);
	set(3000, TID);
	pending(entry(3000));
	is_int(ends(), UFX_GUEST_ROBUST_LIMIT + 1, "a long list: so many, and the pending one");
	is_int(value(UFX_GUEST_ROBUST_LIMIT), TID, "and no more");
}

int main(void)
{
	if (ufx_domain_create(&guest.domain, NULL))
		bail("no domain");
	m.state[1] = ABSENT;
	m.state[2] = READ_ONLY;
	clear_tid();
	locks();
	pendings();
	bad_lists();
	is_int(ufx_domain_destroy(guest.domain), 0, "nobody is left");
	return tap_end();
}
