// SPDX-License-Identifier: MIT
/*
 * Deferred calls within bounds: how many, and how many bytes, may wait; how
 * many calls, and how long, a driver with a budget runs; what is left over.
 */
#include <ufutex/grace.h>

#include "grace/period.h"

#include "blocked.h"
#include "hammer.h"

static int ran;

static void count(struct ufx_call *call)
{
	(void)call;
	__atomic_fetch_add(&ran, 1, __ATOMIC_SEQ_CST);
}

static struct ufx_call calls[1000];
static int used;

static void queue(int n, size_t bytes)
{
	while (n--)
		ufx_grace_call_bytes(&calls[used++ % 1000], count, bytes);
}

static void begin(void)
{
	ufx_grace_limit(64, 1 << 20);
	ufx_grace_barrier();
	ran = used = 0;
}

static long long waiting(void)
{
	return (long long)ufx_grace_pending(NULL);
}

static long long bytes_waiting(void)
{
	uint64_t bytes;

	ufx_grace_pending(&bytes);
	return (long long)bytes;
}

static void bytes(void)
{
	begin();
	queue(3, 300000);
	is_int(ran, 0, "calls for 900,000 bytes wait");
	is_int(waiting(), 3, "three");
	is_int(bytes_waiting(), 900000, "and so many bytes");
	queue(1, 148575);
	is_int(ran, 0, "one less than a MiB");
	queue(1, 1);
	is_int(ran, 5, "a MiB is run");
	is_int(waiting() + bytes_waiting(), 0, "nothing waits any more");
}

static void limits(void)
{
	begin();
	ufx_grace_limit(3, 0);
	queue(2, 1ul << 40);
	is_int(ran, 0, "two of three calls wait, whatever they hold");
	queue(1, 0);
	is_int(ran, 3, "the third runs them");
	ufx_grace_limit(0, 100);
	queue(500, 0);
	is_int(ran, 3, "500 calls without bytes");
	queue(1, 100);
	is_int(ran, 504, "the bytes run them");
	ufx_grace_limit(0, 0);
	queue(500, 1000);
	is_int(waiting(), 500, "no limit");
	is_int(ran, 504, "none runs");
	ufx_grace_limit(1, 0);
	queue(1, 0);
	is_int(ran, 1005, "a limit of one: each call at once");
}

static void number(void)
{
	uint64_t before;

	begin();
	ufx_grace_limit(0, 0);
	is_int(ufx_grace_run(10, 0), 0, "nothing to run");
	queue(25, 8);
	before = ufx_periods_made();
	is_int(ufx_grace_run(10, 0), 10, "ten of 25");
	is_int(waiting(), 15, "fifteen wait");
	is_int(bytes_waiting(), 120, "with their bytes");
	is_int(ufx_grace_run(10, 0), 10, "ten more");
	is_int((long long)(ufx_periods_made() - before), 1, "one period did for both");
	queue(3, 8);
	is_int(ufx_grace_run(6, 0), 6, "five, and one that came later");
	is_int(ufx_grace_run(0, 0), 2, "no bound");
	is_int(ran, 28, "each has run once");
	queue(5, 0);
	ufx_grace_run(2, 0);
	queue(1, 0);
	is_int(ufx_grace_barrier(), 0, "a barrier");
	is_int(ran, 34, "runs what was left over, too");
	queue(5, 0);
	ufx_grace_run(2, 0);
	ufx_grace_call_hurry(&calls[used++], count);
	is_int(ran, 40, "so does a hurried call");
	queue(5, 0);
	ufx_grace_run(2, 0);
	ufx_grace_limit(4, 0);
	queue(1, 0);
	is_int(ran, 46, "and one that reaches the limit: what is left over counts");
}

static int order[6], ordered;

struct numbered {
	struct ufx_call call;
	int number;
};

static void note_order(struct ufx_call *call)
{
	order[ordered++] = ((struct numbered *)call)->number;
}

static void in_order(void)
{
	struct numbered n[6];
	int i, wrong = 0;

	begin();
	ufx_grace_limit(0, 0);
	for (i = 0; i < 4; i++) {
		n[i].number = i;
		ufx_grace_call(&n[i].call, note_order);
	}
	ufx_grace_run(2, 0);
	for (; i < 6; i++) {
		n[i].number = i;
		ufx_grace_call(&n[i].call, note_order);
	}
	ufx_grace_barrier();
	for (i = 0; i < 6; i++)
		wrong += order[i] != i;
	is_int(wrong, 0, "what is left over comes before what is queued later");
}

/* ---- time ---- */

static void spin_a_while(struct ufx_call *call)
{
	int64_t end = clock_ms() + 3;

	while (clock_ms() < end)
		;
	count(call);
}

static void duration(void)
{
	int i, n;

	begin();
	ufx_grace_limit(0, 0);
	for (i = 0; i < 8; i++)
		ufx_grace_call(&calls[i], spin_a_while);
	n = ufx_grace_run(0, 1);
	is_int(n, 1, "a nanosecond is enough for one call");
	n = ufx_grace_run(0, 4000000);
	ok(n >= 1 && n <= 2, "four milliseconds for one or two of two to three (%d)", n);
	n = ufx_grace_run(3, 60000000000);
	is_int(n, 3, "a minute and three calls: the number bounds");
	ufx_grace_barrier();
	is_int(ran, 8, "all have run");
}

/* ---- from within, and beside other drivers ---- */

static int run_said, hurried_said;

static void runs(struct ufx_call *call)
{
	(void)call;
	run_said = ufx_grace_run(1, 0);
	ufx_grace_call_hurry(&calls[1], count);
	hurried_said = ran;
}

static void from_within(void)
{
	begin();
	ufx_grace_call(&calls[0], runs);
	is_int(ufx_grace_run(1, 0), 1, "one");
	is_int(run_said, -EDEADLK, "run within a call");
	is_int(hurried_said, 0, "what is hurried within does not run there");
	is_int(waiting(), 1, "nor past the budget");
	is_int(ufx_grace_run(1, 0), 1, "but next");
	is_int(ran, 1, "once");
}

static int lingers, go;

static void linger(struct ufx_call *call)
{
	(void)call;
	__atomic_store_n(&lingers, 1, __ATOMIC_SEQ_CST);
	wait_until(&go, 1);
}

static long run_one(void *call)
{
	ufx_grace_call(call, linger);
	return ufx_grace_run(1, 0);
}

static long hurry(void *call)
{
	ufx_grace_call_hurry(call, count);
	return __atomic_load_n(&ran, __ATOMIC_SEQ_CST);
}

/* Who hurries does not rely on a driver that may stop short. */
static void hurried_beside(void)
{
	struct blocked driver, other;
	struct ufx_call lingering;

	begin();
	lingers = go = 0;
	blocked_start(&driver, run_one, &lingering, NULL);
	wait_until(&lingers, 1);
	is_int(ufx_grace_run(5, 0), 0, "another thread drives: it is left alone");
	blocked_start(&other, hurry, &calls[0], NULL);
	ok(blocked_wait(&other), "a hurried call waits for a driver with a budget");
	__atomic_store_n(&go, 1, __ATOMIC_SEQ_CST);
	is_int(blocked_join(&other), 1, "and runs itself");
	is_int(blocked_join(&driver), 1, "the other ran one");
}

/* ---- storm, with a handler that looks ---- */

static int looks;

static void look(int sig)
{
	uint64_t bytes;

	(void)sig;
	ufx_grace_pending(&bytes);
	ufx_grace_poll(ufx_grace_get_state());
	__atomic_fetch_add(&looks, 1, __ATOMIC_RELAXED);
}

struct box {
	struct ufx_call call;
	int *count;
};

static void unbox(struct ufx_call *call)
{
	struct box *box = (struct box *)call;

	__atomic_fetch_add(box->count, 1, __ATOMIC_SEQ_CST);
	free(box);
}

static void post(struct hammer *h)
{
	struct box *box = malloc(sizeof(*box));

	box->count = h->arg;
	if (hammer_random(h, 8))
		ufx_grace_call_bytes(&box->call, unbox, hammer_random(h, 100000));
	else
		ufx_grace_call_hurry(&box->call, unbox);
	if (!hammer_random(h, 4))
		ufx_grace_run(hammer_random(h, 4), hammer_random(h, 2) ? 1000 : 0);
}

static void storm(void)
{
	struct crew c = { 0 };
	timer_t timer = signal_each(200000, look);
	int i, n = 0;
	uint64_t posted;

	begin();
	for (i = 0; i < 4; i++)
		crew_add(&c, post, &n);
	nap_us(300000);
	posted = crew_stop(&c);
	timer_delete(timer);
	is_int(ufx_grace_barrier(), 0, "%llu calls, budgets, handlers",
	       (unsigned long long)posted);
	is_int(n, (long long)posted, "each has run once");
	is_int(waiting() + bytes_waiting(), 0, "nothing is counted any more");
	ok(looks > 0, "handlers looked");
}

int main(void)
{
	bytes();
	limits();
	number();
	in_order();
	duration();
	from_within();
	hurried_beside();
	storm();
	return tap_end();
}
