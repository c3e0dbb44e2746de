// SPDX-License-Identifier: MIT
/*
 * futex(2) of guests with a memory of their own: addresses that are not the host's,
 * pages that are not there, words that guests share, signals, clocks. Which call
 * has which error is asked by folder guest.
 */
#include <limits.h>
#include "futex_numbers.h"
#include <ufutex/futex.h>

#include "blocked.h"
#include "guest_memory.h"
#include "tap.h"

#define WAIT_P FUTEX_WAIT_PRIVATE
#define WAKE_P FUTEX_WAKE_PRIVATE

static struct memory memories[2];
static struct ufx_guest guests[2];
static struct ufx_guest_thread self[2];

/* ---- calls, and threads that make one ---- */

struct call {
	struct blocked b;
	struct ufx_guest_thread thread;
	uint64_t at;
	int op;
	uint64_t timeout;
	unsigned int waitv; /* so many entries at @at */
};

static long make_call(void *arg)
{
	struct call *c = arg;

	if (c->waitv)
		return ufx_guest_waitv(&c->thread, c->at, c->waitv, 0, c->timeout,
				       CLOCK_MONOTONIC);
	return ufx_guest_futex(&c->thread, c->at, c->op, 0, c->timeout, 0, UINT32_MAX);
}

static void start(struct call *c)
{
	blocked_start(&c->b, make_call, c, NULL);
	if (!blocked_wait(&c->b))
		ok(0, "it must block, not return %ld", blocked_join(&c->b));
}

static struct call *waits(struct call *c, int guest, uint64_t at, int op)
{
	*c = (struct call){ .thread = { .guest = &guests[guest] }, .at = at, .op = op };
	start(c);
	return c;
}

static long wake(int guest, uint64_t at, int op)
{
	return ufx_guest_futex(&self[guest], at, op, INT_MAX, 0, 0, 0);
}

static long two_words(uint64_t at, int op, uint32_t n, uint64_t n2, uint64_t at2,
		      uint32_t val3)
{
	return ufx_guest_futex(&self[0], at, op, n, n2, at2, val3);
}

/* ---- whose words are whose ---- */

static void apart(void)
{
	struct call a, b;

	waits(&a, 0, AT(0, 0), WAIT_P);
	waits(&b, 1, AT(0, 0), WAIT_P);
	is_int(wake(0, AT(0, 4), WAKE_P), 0, "another word");
	is_int(wake(0, AT(0, 0), FUTEX_WAKE), 0, "a shared wake finds no private wait");
	is_int(wake(0, AT(0, 0), WAKE_P), 1, "one guest's own");
	is_int(blocked_join(&a.b), 0, "it is woken");
	ok(!blocked_ended(&b.b), "the other guest's, at the same address, is not");
	is_int(wake(1, AT(0, 0), WAKE_P), 1, "but by its own");
	is_int(blocked_join(&b.b), 0, "it is woken");

	waits(&a, 0, AT(0, 0), FUTEX_WAIT);
	is_int(wake(1, AT(0, 0), FUTEX_WAKE), 0, "a shared call on a guest's own memory");
	is_int(wake(0, AT(0, 0), WAKE_P), 0, "is not private");
	is_int(wake(0, AT(0, 0), FUTEX_WAKE), 1, "but its own");
	is_int(blocked_join(&a.b), 0, "it is woken");
}

/* The shared page is at another address in each. */
static void together(void)
{
	struct call a, b;

	waits(&a, 0, AT(8, 64), FUTEX_WAIT);
	waits(&b, 0, AT(8, 64), WAIT_P);
	is_int(wake(1, AT(9, 68), FUTEX_WAKE), 0, "another shared word");
	is_int(wake(1, AT(9, 64), FUTEX_WAKE), 1, "the shared word, by its other address");
	is_int(blocked_join(&a.b), 0, "it is woken");
	ok(!blocked_ended(&b.b), "a private wait on the same memory is not");
	is_int(wake(0, AT(8, 64), WAKE_P), 1, "but privately");
	blocked_join(&b.b);
	is_int(two_words(AT(8, 0), FUTEX_REQUEUE, 1, 1, AT(0, 0), 0), -EINVAL,
	       "two words, one shared between guests, one not");
}

/* ---- memory that is not there ---- */

static void faults(void)
{
	is_int(wake(0, BASE - 4, WAKE_P), 0, "a private wake does not look");
	is_int(wake(0, LIMIT, WAKE_P), -EFAULT, "beyond the guest's memory it is told");
	is_int(wake(0, UINT64_MAX - 3, WAKE_P), -EFAULT, "at the end of all addresses");
	is_int(two_words(AT(1, 0), FUTEX_WAIT_PRIVATE, 0, 0, 0, 0), -EFAULT, "WAIT: absent");
	is_int(wake(0, AT(1, 0), FUTEX_WAKE), -EFAULT, "a shared wake looks");
	is_int(two_words(AT(0, 0), FUTEX_WAKE_OP_PRIVATE, 1, 1, AT(1, 0), 0), -EFAULT,
	       "WAKE_OP: absent");
	is_int(two_words(AT(0, 0), FUTEX_WAKE_OP_PRIVATE, 1, 1, AT(2, 0), 0), -EFAULT,
	       "WAKE_OP: read-only");
	is_int(two_words(AT(1, 0), FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, AT(0, 0), 0), -EFAULT,
	       "CMP_REQUEUE: absent");
	is_int(two_words(AT(0, 0), FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, AT(1, 0), 0), 0,
	       "CMP_REQUEUE: the other word is not looked at");
	is_int(ufx_guest_futex(&self[0], AT(0, 0), WAIT_P, 0, AT(1, 0), 0, 0), -EFAULT,
	       "a timeout that is absent");
	is_int(ufx_guest_futex(&self[0], AT(0, 0), WAIT_P, 0, LIMIT - 8, 0, 0), -EFAULT,
	       "a timeout that is half there");
	is_int(ufx_guest_futex(&self[0], AT(0, 0), WAIT_P, 0, UINT64_MAX - 7, 0, 0),
	       -EFAULT, "a timeout that wraps");
}

static int count(const int *n)
{
	return __atomic_load_n(n, __ATOMIC_RELAXED);
}

/* Away once it is locked: brought in without the lock, and once more. */
static void away(struct memory *m)
{
	m->brought_in = m->refused = 0;
	m->state[3] = AWAY;
	m->flees = true;
}

static void pages_that_come(void)
{
	struct memory *m = &memories[0];
	struct call a;

	away(m);
	waits(&a, 0, AT(3, 0), WAIT_P);
	ok(count(&m->refused) == 1 && count(&m->brought_in) == 2,
	   "WAIT brings its page in, twice");
	is_int(wake(0, AT(3, 0), WAKE_P), 1, "and is woken");
	is_int(blocked_join(&a.b), 0, "once");
	away(m);
	is_int(two_words(AT(3, 0), FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, AT(0, 0), 0), 0,
	       "CMP_REQUEUE, the same");
	ok(m->refused == 1, "refused once");
	away(m);
	is_int(two_words(AT(3, 0), FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, AT(0, 0), 1), -EAGAIN,
	       "CMP_REQUEUE: the value differs");
	m->state[3] = AWAY;
	m->flees = false;
	m->refused = 0;
	is_int(two_words(AT(0, 0), FUTEX_WAKE_OP_PRIVATE, 1, 1, AT(3, 0),
			 FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 0)), 0, "WAKE_OP, too");
	is_int(*memory_word(m, AT(3, 0)), 5, "once");
	*memory_word(m, AT(3, 0)) = 0;
}

/* ---- signals ---- */

static void signals(void)
{
	struct call a;
	struct ufx_guest_thread *t = &a.thread;

	waits(&a, 0, AT(0, 0), WAIT_P);
	ok(ufx_guest_signal(t, -EINTR), "a thread that waits is interrupted");
	is_int(blocked_join(&a.b), -EINTR, "it returns what it was told");
	is_int(wake(0, AT(0, 0), WAKE_P), 0, "and has left");
	is_int(make_call(&a), -EINTR, "a call that would block returns as well");
	*memory_word(&memories[0], AT(0, 0)) = 1;
	is_int(make_call(&a), -EAGAIN, "but the value comes first");
	*memory_word(&memories[0], AT(0, 0)) = 0;
	ufx_guest_signal_taken(t);
	start(&a);
	ok(ufx_guest_signal(t, -512), "taken, it waits again, until the next");
	is_int(blocked_join(&a.b), -512, "which wants to restart it");
	ufx_guest_signal_taken(t);
	ok(!ufx_guest_signal(t, -EINTR), "one who does not wait");
	ufx_guest_signal_taken(t);
	ok(!ufx_guest_signal(NULL, -EINTR) && !ufx_guest_signal(t, 0), "nobody, nothing");

	a = (struct call){ .thread = { .guest = &guests[0] }, .at = AT(8, 0),
			   .op = FUTEX_WAIT };
	start(&a);
	ok(ufx_guest_signal(t, -EINTR), "one who waits on a shared word");
	is_int(blocked_join(&a.b), -EINTR, "is interrupted");
}

/* ---- many words ---- */

static void entry(unsigned int i, uint64_t at, uint32_t flags)
{
	struct memory *m = &memories[0];

	/* Not even aligned. */
	memory_write(m, AT(4, 1) + i * 24, 8, 0);
	memory_write(m, AT(4, 1) + i * 24 + 8, 8, at);
	memory_write(m, AT(4, 1) + i * 24 + 16, 4, flags);
	memory_write(m, AT(4, 1) + i * 24 + 20, 4, 0);
}

static void many(void)
{
	const uint32_t private = UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE;
	struct call a = { .thread = { .guest = &guests[0] }, .at = AT(4, 1), .waitv = 3 };

	entry(0, AT(0, 0), private);
	entry(1, AT(0, 4), private);
	entry(2, AT(0, 8), UFX_FUTEX2_U32); /* shared, but its own */
	start(&a);
	is_int(wake(0, AT(0, 4), WAKE_P), 1, "waitv: the middle one");
	is_int(blocked_join(&a.b), 1, "waitv: its index");
	start(&a);
	is_int(wake(0, AT(0, 8), FUTEX_WAKE), 1, "waitv: the shared one");
	is_int(blocked_join(&a.b), 2, "waitv: its index");
	start(&a);
	ok(ufx_guest_signal(&a.thread, -EINTR), "waitv: a signal");
	is_int(blocked_join(&a.b), -EINTR, "waitv: interrupted");
	is_int(make_call(&a), -EINTR, "waitv: as long as it is not taken");
	ufx_guest_signal_taken(&a.thread);
	entry(1, AT(1, 0), private);
	is_int(make_call(&a), -EFAULT, "waitv: absent");
	away(&memories[0]);
	entry(1, AT(3, 0), private);
	start(&a);
	ok(count(&memories[0].refused) == 1, "waitv: brings a page in, twice");
	is_int(wake(0, AT(3, 0), WAKE_P), 1, "waitv: woken there");
	is_int(blocked_join(&a.b), 1, "waitv: its index");
	entry(1, AT(8, 0), UFX_FUTEX2_U32);
	is_int(make_call(&a), -EINVAL, "waitv: words of two domains");
}

/* ---- clocks ---- */

static int guest_timeout(void *space, uint64_t at, struct timespec *timeout)
{
	(void)space;
	*timeout = (struct timespec){ (time_t)(at & 0xff), 0 };
	return at == 0xfff ? -EFAULT : 0;
}

static struct {
	time_t seconds;
	clockid_t clock;
	bool relative;
} asked;

/* A guest whose time stands still: all that it waits for is over. */
static void guest_deadline(void *space, const struct timespec *timeout, clockid_t clock,
			   bool relative, struct ufx_deadline *deadline)
{
	(void)space;
	asked.seconds = timeout->tv_sec;
	asked.clock = clock;
	asked.relative = relative;
	*deadline = ufx_deadline_in(0);
}

static void clocks(void)
{
	struct ufx_guest_ops ops = memory_ops;
	struct ufx_guest guest = guests[0];
	struct ufx_guest_thread t = { .guest = &guest };

	ops.timeout = guest_timeout;
	ops.deadline = guest_deadline;
	guest.ops = &ops;
	is_int(ufx_guest_futex(&t, AT(0, 0), WAIT_P, 0, 7, 0, 0), -ETIMEDOUT, "its time");
	ok(asked.seconds == 7 && asked.clock == CLOCK_MONOTONIC && asked.relative,
	   "WAIT is relative");
	is_int(ufx_guest_futex(&t, AT(0, 0), FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME,
			       0, 8, 0, 1), -ETIMEDOUT, "its other time");
	ok(asked.seconds == 8 && asked.clock == CLOCK_REALTIME && !asked.relative,
	   "WAIT_BITSET is absolute");
	is_int(ufx_guest_futex(&t, AT(0, 0), WAIT_P, 0, 0xfff, 0, 0), -EFAULT,
	       "a timeout that it cannot read");
}

/* ---- the rest ---- */

static void bad_calls(void)
{
	struct ufx_guest_thread nobody = { .guest = NULL };

	is_int(ufx_guest_futex(NULL, 0, 0, 0, 0, 0, 0), -EINVAL, "no thread");
	is_int(ufx_guest_futex(&nobody, 0, 0, 0, 0, 0, 0), -EINVAL, "no guest");
	is_int(ufx_guest_waitv(NULL, AT(4, 1), 1, 0, 0, 0), -EINVAL, "waitv: no thread");
	for (int op = 6; op <= 13; op++) {
		if (op == FUTEX_WAIT_BITSET || op == FUTEX_WAKE_BITSET)
			continue;
		is_int(two_words(AT(0, 0), op, 1, 0, AT(0, 4), 0), -ENOSYS,
		       "priority inheritance: operation %d", op);
	}
}

static void killed(void)
{
	struct call a, b;

	waits(&a, 0, AT(0, 0), WAIT_P);
	waits(&b, 1, AT(0, 0), WAIT_P);
	is_int(ufx_domain_cancel(guests[0].domain), 1, "one guest is killed");
	is_int(blocked_join(&a.b), -ECANCELED, "its wait ends");
	is_int(make_call(&a), -ECANCELED, "and each later one");
	ok(!blocked_ended(&b.b), "the other guest goes on");
	is_int(wake(1, AT(0, 0), WAKE_P), 1, "and wakes its own");
	is_int(blocked_join(&b.b), 0, "it is woken");
}

int main(void)
{
	struct ufx_domain *shared;

	if (ufx_domain_create(&shared, NULL))
		bail("no domain");
	for (int i = 0; i < 2; i++) {
		guests[i] = (struct ufx_guest){ .ops = &memory_ops, .space = &memories[i],
						.size = LIMIT, .shared = shared };
		if (ufx_domain_create(&guests[i].domain, NULL))
			bail("no domain");
		self[i].guest = &guests[i];
		memories[i].state[1] = ABSENT;
		memories[i].state[2] = READ_ONLY;
		memories[i].state[8 + i] = SHARED;
	}
	apart();
	together();
	faults();
	pages_that_come();
	signals();
	many();
	clocks();
	bad_calls();
	killed();
	is_int(ufx_domain_destroy(guests[0].domain) | ufx_domain_destroy(guests[1].domain) |
	       ufx_domain_destroy(shared), 0, "nobody is left");
	return tap_end();
}
