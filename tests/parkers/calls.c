// SPDX-License-Identifier: MIT
/*
 * How a parker is called: once for each node that somebody else ended, by whatever
 * ended it; with no lock held, nor as if inside the library, so that what it calls is
 * done at once and counts exactly; after the node's last touch; after the threads of
 * the same wake.
 */
#include <ufutex/domain.h>
#include <ufutex/wait.h>
#include <ufutex/wake.h>

#include "blocked.h"
#include "hammer.h"

#define CHAIN 200
#define ROUNDS 20000

static struct ufx_domain *d;

/* A node, and what its parker does; the calls are counted. */
struct one {
	struct ufx_node node;
	void (*act)(struct one *o);
	uint64_t key;
	int calls;
	long saw;
	bool ended; /* its node had, when the parker was called */
};

static void tell(void *handle)
{
	struct one *o = handle;

	__atomic_fetch_add(&o->calls, 1, __ATOMIC_RELAXED);
	o->ended = ufx_node_ended(&o->node);
	if (o->act)
		o->act(o);
}

static const struct ufx_parker parker = { tell };

static int queue(struct one *o, uint64_t key, void (*act)(struct one *o))
{
	struct ufx_condition c = { .key = key, .owner = o };

	o->key = key;
	o->act = act;
	return ufx_node_prepare(d, &o->node, &c, &parker, o);
}

static long wake(uint64_t key)
{
	return ufx_domain_wake(d, key, 1, UFX_ALL);
}

/* ---- what a parker may call ---- */

static void wake_same(struct one *o)
{
	o->saw = wake(o->key);
}

static void wake_same_by(struct one *o)
{
	struct ufx_waker waker = { .n = 1 };

	o->saw = ufx_domain_wake_by(d, o->key, &waker);
}

static void requeue_same(struct one *o)
{
	struct ufx_mover mover = { .wake = 1, .move = 1 };

	o->saw = ufx_domain_requeue(d, o->key, o->key + 1, &mover);
}

static struct one others[2];

static void interrupt_other(struct one *o)
{
	o->saw = ufx_node_interrupt(&others[0].node, 5);
}

static void purge_same(struct one *o)
{
	o->saw = ufx_domain_purge(d, o->key, 1);
}

static void wait_again(struct one *o)
{
	o->saw = ufx_node_finish(&o->node, NULL) == UFX_WOKEN ? queue(o, o->key, NULL) : -1;
}

static const struct {
	const char *name;
	void (*act)(struct one *o);
	long sees;
} acts[] = {
	{ "a wake", wake_same, 1 },
	{ "a wake that asks", wake_same_by, 1 },
	{ "a requeue", requeue_same, 2 },
	{ "an interrupt", interrupt_other, 1 },
	{ "a purge", purge_same, 2 },
	{ "a wait of its own, anew", wait_again, 0 },
};

static void may_call(void)
{
	for (unsigned int i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		struct one first = { .calls = 0 };

		others[0] = others[1] = (struct one){ .calls = 0 };
		queue(&first, 1, acts[i].act);
		queue(&others[0], 1, NULL);
		queue(&others[1], 1, NULL);
		is_int(wake(1), 1, "the first is woken");
		is_int(first.saw, acts[i].sees, "%s in a parker is done at once", acts[i].name);
		is_int(first.calls, 1, "it was called once");
		ok(first.ended, "when its node had ended");
		ufx_node_finish(&first.node, NULL);
		for (int n = 0; n < 2; n++)
			is_int(ufx_node_finish(&others[n].node, NULL) != UFX_LEFT,
			       others[n].calls, "another one was told if it was ended");
	}
}

/* Each parker wakes the next one's key: some of them share buckets. */
static void chain(void)
{
	static struct one ones[CHAIN];
	int exact = 0, calls = 0;

	for (int i = 0; i < CHAIN; i++) {
		ones[i].key = 0;
		queue(&ones[i], 100 + (uint64_t)i / 2, wake_same);
	}
	/* Two wait on each key; the second one's parker finds nobody. */
	for (int i = 0; i < CHAIN; i += 2)
		is_int(wake(100 + (uint64_t)i / 2), 1, "a wake counts what it ended itself");
	for (int i = 0; i < CHAIN; i++) {
		exact += ones[i].saw == !(i % 2);
		calls += ones[i].calls;
		ufx_node_finish(&ones[i].node, NULL);
	}
	is_int(exact, CHAIN, "so did those in parkers");
	is_int(calls, CHAIN, "each was told once");
}

/* ---- who ends them ---- */

static void end_by(const char *name, long (*end)(struct one *ones), int how)
{
	struct one ones[3] = { { .calls = 0 } };

	for (int i = 0; i < 3; i++)
		queue(&ones[i], 1, NULL);
	is_int(end(ones), 3, "%s ends three", name);
	for (int i = 0; i < 3; i++) {
		ok(ones[i].calls == 1 && ones[i].ended, "%s: told once, when it had ended", name);
		is_int(ufx_node_finish(&ones[i].node, NULL), how, "%s: and how", name);
		is_int(ones[i].calls, 1, "%s: not told again", name);
	}
}

static long by_wake(struct one *ones)
{
	(void)ones;
	return ufx_domain_wake(d, 1, UFX_ALL, UFX_ALL);
}

static long by_asking(struct one *ones)
{
	struct ufx_waker waker = { .n = UFX_ALL };

	(void)ones;
	return ufx_domain_wake_by(d, 1, &waker);
}

static long by_requeue(struct one *ones)
{
	struct ufx_mover mover = { .wake = 3 };

	(void)ones;
	return ufx_domain_requeue(d, 1, 2, &mover);
}

static long by_operation(struct one *ones)
{
	uint32_t word = 0;
	struct ufx_word_op op = { .word = &word, .size = 4, .operation = UFX_ADD };

	(void)ones;
	return ufx_domain_wake_op(d, 2, 1, 1, 3, &op);
}

static long by_interrupts(struct one *ones)
{
	long n = 0;

	for (int i = 0; i < 3; i++)
		n += ufx_node_interrupt(&ones[i].node, 0);
	return n;
}

static long by_owner(struct one *ones)
{
	long n = 0;

	for (int i = 0; i < 3; i++)
		n += ufx_domain_interrupt_owner(d, &ones[i], 0);
	return n;
}

static long by_purge(struct one *ones)
{
	(void)ones;
	return ufx_domain_purge(d, 0, 5);
}

static long by_cancel(struct one *ones)
{
	(void)ones;
	return ufx_domain_cancel(d);
}

static void all_endings(void)
{
	end_by("wake", by_wake, UFX_WOKEN);
	end_by("wake_by", by_asking, UFX_WOKEN);
	end_by("requeue", by_requeue, UFX_WOKEN);
	end_by("wake_op", by_operation, UFX_WOKEN);
	end_by("interrupt", by_interrupts, UFX_INTERRUPTED);
	end_by("interrupt_owner", by_owner, UFX_INTERRUPTED);
	end_by("purge", by_purge, UFX_CANCELLED);
	end_by("cancel", by_cancel, UFX_CANCELLED); /* the domain's last */
}

/* ---- threads in the same wake ---- */

static long block(void *arg)
{
	struct ufx_condition c = { .key = *(uint64_t *)arg };

	return ufx_domain_wait(d, &c, NULL, NULL);
}

static struct blocked thread;

static void await_thread(struct one *o)
{
	while (!blocked_ended(&thread))
		sched_yield();
	o->saw = 1;
}

/* A parker that waits for a thread that queued behind it: it does not hold it up. */
static void threads_first(void)
{
	uint64_t key = 3;
	struct one o = { .calls = 0 };

	queue(&o, key, await_thread);
	blocked_start(&thread, block, &key, NULL);
	ok(blocked_wait(&thread), "a thread sleeps behind it");
	is_int(ufx_domain_wake(d, key, 2, UFX_ALL), 2, "both are woken");
	is_int(o.saw, 1, "the thread went before the parker returned");
	is_int(blocked_join(&thread), UFX_WOKEN, "woken");
	ufx_node_finish(&o.node, NULL);
}

/* ---- finish that races with wakes ---- */

struct race {
	struct ufx_node node;
	int round; /* of the waiter */
	int calls;
	long woken, left;
};

static void count_call(void *handle)
{
	__atomic_fetch_add(&((struct race *)handle)->calls, 1, __ATOMIC_RELAXED);
}

static const struct ufx_parker counter = { count_call };

static void *race_main(void *arg)
{
	struct ufx_condition c = { .key = 4 };
	struct race *r = arg;

	for (int i = 1; i <= ROUNDS; i++) {
		if (ufx_node_prepare(d, &r->node, &c, &counter, r))
			bail("it does not queue");
		__atomic_store_n(&r->round, i, __ATOMIC_RELEASE);
		if (i % 4 == 0)
			sched_yield();
		if (ufx_node_finish(&r->node, NULL) == UFX_LEFT)
			r->left++;
		else
			r->woken++;
	}
	__atomic_store_n(&r->round, 0, __ATOMIC_RELEASE);
	return NULL;
}

/* Its node is reused at once, while the parker of the wait before may still come. */
static void races(void)
{
	static struct race r = { .round = -1 };
	pthread_t waiter;
	long said = 0;

	if (pthread_create(&waiter, NULL, race_main, &r))
		bail("no thread");
	while (__atomic_load_n(&r.round, __ATOMIC_ACQUIRE))
		said += wake(4);
	pthread_join(waiter, NULL);
	is_int(r.woken, said, "as many were woken as wakes say");
	is_int(r.calls, said, "and told: who left was not, nobody twice");
	is_int(r.woken + r.left, ROUNDS, "every wait ended");
	diag("  %ld woken, %ld left", r.woken, r.left);
}

int main(void)
{
	if (ufx_domain_create(&d, NULL))
		bail("no domain");
	may_call();
	chain();
	threads_first();
	races();
	all_endings();
	is_int(ufx_domain_destroy(d), 0, "nobody is left");
	return tap_end();
}
