// SPDX-License-Identifier: MIT
/* The two phases of a node, by one thread: each ending, each callback, each error. */
#include <errno.h>
#include <limits.h>

#include <ufutex/domain.h>
#include <ufutex/wait.h>
#include <ufutex/wake.h>

#include "tap.h"

static struct ufx_domain *d;
static uint64_t word;
static int told;
static void *told_what;

static void tell(void *handle)
{
	told++;
	told_what = handle;
}

static const struct ufx_parker parker = { tell };

static struct ufx_condition on(uint64_t key)
{
	return (struct ufx_condition){ .key = key };
}

static int prepare(struct ufx_node *n, struct ufx_condition c)
{
	return ufx_node_prepare(d, n, &c, &parker, n);
}

static int finish(struct ufx_node *n, uint64_t *answer)
{
	return ufx_node_finish(n, answer);
}

static void endings(void)
{
	struct ufx_node a = { .handle = NULL }, b = a;
	uint64_t answer = 9;

	is_int(prepare(&a, on(1)), 0, "queued");
	ok(!ufx_node_ended(&a), "not ended");
	is_int(finish(&a, &answer), UFX_LEFT, "it leaves by itself");
	is_int((long)answer, 0, "there is no answer");
	is_int(told, 0, "nobody told it");

	prepare(&a, on(1));
	prepare(&b, on(1));
	is_int(ufx_domain_wake(d, 1, 1, UFX_ALL), 1, "one is woken");
	ok(told == 1 && told_what == &a, "the first, by its parker");
	ok(ufx_node_ended(&a) && !ufx_node_ended(&b), "it has ended, the other not");
	is_int(finish(&a, &answer), UFX_WOKEN, "woken");
	is_int((long)answer, 0, "by a wake without a token");
	ok(ufx_node_interrupt(&b, 42), "the other one is interrupted");
	ok(!ufx_node_interrupt(&b, 43), "once");
	is_int(finish(&b, &answer), UFX_INTERRUPTED, "and knows it");
	is_int((long)answer, 42, "and why");

	prepare(&a, on(100));
	prepare(&b, on(107));
	is_int(ufx_domain_purge(d, 100, 7), 1, "a purge ends one in its range");
	is_int(finish(&a, NULL), UFX_CANCELLED, "it was cancelled");
	is_int(ufx_domain_purge(d, 107, 1), 1, "the other is at the end of its own");
	is_int(finish(&b, NULL), UFX_CANCELLED, "it, too");
	prepare(&a, on(UINT64_MAX));
	is_int(ufx_domain_purge(d, UINT64_MAX, 1), 1, "the last of all keys");
	finish(&a, NULL);
}

static void masks(void)
{
	struct ufx_node a = { .handle = NULL }, b = a;
	struct ufx_condition one = { .key = 1, .mask = 1 }, two = { .key = 1, .mask = 2 };

	prepare(&a, one);
	prepare(&b, two);
	is_int(ufx_domain_wake(d, 1, 9, 4), 0, "nobody has that bit");
	is_int(ufx_domain_wake(d, 1, 9, 6), 1, "one has one of these");
	is_int(finish(&b, NULL), UFX_WOKEN, "the second");
	is_int(ufx_domain_wake(d, 1, 9, UFX_ALL), 1, "all bits");
	finish(&a, NULL);
	is_int(ufx_domain_wake(d, 1, 0, UFX_ALL), 0, "no one asked for");
}

/* ---- words ---- */

static void size(uint32_t bytes, uint64_t value)
{
	struct ufx_condition c = { .key = 1, .word = &word, .expected = value,
				   .size = bytes };
	struct ufx_node n = { .handle = NULL };

	word = value;
	is_int(prepare(&n, c), 0, "%u bytes: as expected", bytes);
	is_int(finish(&n, NULL), UFX_LEFT, "%u bytes: queued", bytes);
	word = bytes == 8 ? value + 1 : value | (uint64_t)1 << (8 * bytes);
	is_int(prepare(&n, c), bytes == 8 ? -EAGAIN : 0,
	       "%u bytes: of the others nothing matters", bytes);
	ufx_node_finish(&n, NULL);
	word = value ^ 1;
	is_int(prepare(&n, c), -EAGAIN, "%u bytes: a mismatch", bytes);
}

static void words(void)
{
	size(1, 0xfe);
	size(2, 0xfffe);
	size(4, 0xfffffffe);
	size(8, 0xfffffffffffffffe);
}

static bool no_check(void *arg)
{
	++*(int *)arg;
	return false;
}

static bool yes_check(void *arg)
{
	++*(int *)arg;
	return true;
}

static bool calls_back(void *arg)
{
	struct ufx_node other = { .handle = NULL };
	struct ufx_condition c = { .key = 77 };

	*(int *)arg = ufx_node_prepare(d, &other, &c, &parker, NULL);
	return false;
}

static void checks(void)
{
	int calls = 0;
	struct ufx_condition c = { .key = 1, .word = &word, .size = 4, .check = no_check,
				   .arg = &calls };
	struct ufx_node n = { .handle = NULL };

	word = 0;
	is_int(prepare(&n, c), -EAGAIN, "a check says no");
	is_int(calls, 1, "asked once");
	word = 1;
	is_int(prepare(&n, c), -EAGAIN, "the word differs");
	is_int(calls, 1, "not asked");
	word = 0;
	c.check = yes_check;
	is_int(prepare(&n, c), 0, "a check says yes");
	is_int(calls, 2, "asked once");
	finish(&n, NULL);
	c.check = calls_back;
	c.word = NULL;
	is_int(prepare(&n, c), -EAGAIN, "a check that calls the library");
	is_int(calls, -EINTR, "which refuses");
}

/* ---- callbacks of wakes ---- */

static struct ufx_seen seen[8];
static unsigned int seen_n;
static enum ufx_verdict verdicts[8];

static enum ufx_verdict each(const struct ufx_seen *s, uint64_t *token, void *arg)
{
	(void)arg;
	seen[seen_n] = *s;
	*token += s->token;
	return verdicts[seen_n++];
}

static struct ufx_taken taken;
static uint64_t last_token;

static void last(struct ufx_taken *t, void *arg)
{
	(void)arg;
	taken = *t;
	if (last_token)
		t->token = last_token;
}

static void choosing(void)
{
	struct ufx_waker w = { .n = 9, .token = 1000, .each = each, .last = last };
	struct ufx_node n[4] = { { .handle = NULL } };
	uint64_t answer;

	for (unsigned int i = 0; i < 4; i++)
		prepare(&n[i], (struct ufx_condition){ .key = 5, .token = i, .owner = &n[i] });
	verdicts[0] = UFX_SKIP;
	verdicts[1] = UFX_TAKE;
	verdicts[2] = UFX_STOP;
	is_int(ufx_domain_wake_by(d, 5, &w), 1, "one of four is taken");
	is_int(seen_n, 3, "three were seen");
	ok(seen[0].owner == &n[0] && seen[1].token == 1 && seen[2].woken == 1 &&
		   seen[2].more && seen[2].key == 5, "with what they are");
	ok(taken.woken == 1 && taken.more && taken.token == 1000, "the last call knows");
	is_int(finish(&n[1], &answer), UFX_WOKEN, "the second");
	is_int((long)answer, 1001, "has its own token");

	seen_n = 0;
	verdicts[1] = verdicts[2] = verdicts[0] = UFX_TAKE;
	last_token = 7;
	is_int(ufx_domain_wake_by(d, 5, &w), 3, "the others");
	ok(!seen[2].more && !taken.more, "nobody is behind the last one");
	is_int(finish(&n[0], &answer), UFX_WOKEN, "woken");
	is_int((long)answer, 7, "with the token of the last call");
	finish(&n[2], NULL);
	finish(&n[3], NULL);

	last_token = seen_n = 0;
	taken.woken = 9;
	is_int(ufx_domain_wake_by(d, 5, &w), 0, "nobody is there");
	ok(!taken.woken && !seen_n, "the last call is made nevertheless");
}

static bool more_left;
static int left_calls;

static void left(bool more, void *arg)
{
	(void)arg;
	more_left = more;
	left_calls++;
}

static void leaving(void)
{
	struct ufx_node a = { .handle = NULL }, b = a;

	prepare(&a, on(3));
	prepare(&b, on(3));
	ufx_node_finish_by(&a, NULL, left, NULL);
	ok(left_calls == 1 && more_left, "another one is there as it leaves");
	ufx_node_finish_by(&b, NULL, left, NULL);
	ok(left_calls == 2 && !more_left, "then no one");
	prepare(&a, on(3));
	ufx_domain_wake(d, 3, 1, UFX_ALL);
	is_int(ufx_node_finish_by(&a, NULL, left, NULL), UFX_WOKEN, "one that was woken");
	is_int(left_calls, 2, "has not left by itself");
}

/* ---- two keys ---- */

static int check_error;

static int mover_check(struct ufx_mover *m)
{
	m->move = 1;
	return check_error;
}

static void requeueing(void)
{
	struct ufx_mover m = { .wake = 1, .move = 9, .token = 3, .last = last };
	struct ufx_node n[4] = { { .handle = NULL } };
	uint64_t answer;

	last_token = 0;
	for (unsigned int i = 0; i < 4; i++)
		prepare(&n[i], on(10));
	m.word = &word;
	m.size = 8;
	m.expected = word = 5;
	is_int(ufx_domain_requeue(d, 10, 11, &m), 4, "one woken, three moved");
	ok(taken.woken == 1 && taken.moved == 3 && !taken.more, "the last call knows");
	finish(&n[0], &answer);
	is_int((long)answer, 3, "the token");
	is_int(ufx_domain_wake(d, 10, 9, UFX_ALL), 0, "nobody is left there");
	word = 6;
	is_int(ufx_domain_requeue(d, 11, 12, &m), -EAGAIN, "the word differs");
	m.word = NULL;
	m.check = mover_check;
	check_error = -EPERM;
	is_int(ufx_domain_requeue(d, 11, 12, &m), -EPERM, "a check says no");
	check_error = m.wake = 0;
	is_int(ufx_domain_requeue(d, 11, 12, &m), 1, "a check says how many");
	is_int(finish(&n[1], NULL), UFX_LEFT, "the moved one leaves");
	is_int(ufx_domain_wake(d, 11, 9, UFX_ALL), 2, "two had stayed");
	finish(&n[2], NULL);
	finish(&n[3], NULL);
}

static void one_op(uint32_t bytes, enum ufx_word_operation operation, uint64_t operand,
		   uint64_t before, uint64_t after)
{
	struct ufx_word_op op = { .word = &word, .size = bytes, .operation = operation,
				  .operand = operand, .comparison = UFX_LT };
	struct ufx_node a = { .handle = NULL }, b = a;

	prepare(&a, on(20));
	prepare(&b, on(21));
	word = before;
	is_int(ufx_domain_wake_op(d, 20, 1, 21, 1, &op), 2,
	       "%u bytes: the old one was below 0: both", bytes);
	ok(word == after, "%u bytes: the word is %llx", bytes, (unsigned long long)word);
	finish(&a, NULL);
	finish(&b, NULL);
	op.comparison = UFX_GE;
	prepare(&b, on(21));
	word = before;
	is_int(ufx_domain_wake_op(d, 20, 1, 21, 1, &op), 0, "%u bytes: else not", bytes);
	finish(&b, NULL);
}

static void wake_ops(void)
{
	one_op(1, UFX_ADD, 1, 0x55ff, 0x5500);
	one_op(2, UFX_OR, 0x0101, 0x558000, 0x558101);
	one_op(4, UFX_ANDN, 0x80000000, 0x5580000001, 0x5500000001);
	one_op(8, UFX_XOR, 3, 0x8000000000000001, 0x8000000000000002);
	one_op(8, UFX_SET, 12, UINT64_MAX, 12);
}

/* ---- owners, the domain's end ---- */

static void owners(void)
{
	struct ufx_node n[3] = { { .handle = NULL } };
	int me, you;
	uint64_t answer;

	for (unsigned int i = 0; i < 3; i++)
		prepare(&n[i], (struct ufx_condition){ .key = 30 + i % 2,
						       .owner = i == 1 ? &you : &me });
	is_int(ufx_domain_interrupt_owner(d, &me, 6), 2, "all of an owner");
	is_int(finish(&n[0], &answer), UFX_INTERRUPTED, "interrupted");
	is_int((long)answer, 6, "the reason");
	is_int(finish(&n[2], NULL), UFX_INTERRUPTED, "the other, too");
	is_int(finish(&n[1], NULL), UFX_LEFT, "not the other owner's");
}

static void errors(void)
{
	struct ufx_node n = { .handle = NULL };
	struct ufx_condition c = on(1);
	struct ufx_word_op op = { .word = &word, .size = 4,
				  .operation = (enum ufx_word_operation)(UFX_XOR + 1) };

	is_int(ufx_node_prepare(NULL, &n, &c, &parker, NULL), -EINVAL, "no domain");
	is_int(ufx_node_prepare(d, NULL, &c, &parker, NULL), -EINVAL, "no node");
	is_int(ufx_node_prepare(d, &n, NULL, &parker, NULL), -EINVAL, "no condition");
	is_int(ufx_node_finish(&n, NULL), -EINVAL, "finish without prepare");
	is_int(ufx_node_finish(NULL, NULL), -EINVAL, "finish nothing");
	is_int(prepare(&n, c), 0, "queued");
	is_int(prepare(&n, c), -EBUSY, "prepared twice");
	is_int(finish(&n, NULL), UFX_LEFT, "the first one stands");
	c = (struct ufx_condition){ .word = (char *)&word + 1, .size = 2 };
	is_int(prepare(&n, c), -EINVAL, "misaligned");
	c = (struct ufx_condition){ .word = &word, .size = 3 };
	is_int(prepare(&n, c), -EINVAL, "three bytes");
	c = (struct ufx_condition){ .word = &word, .expected = 0x10000, .size = 2 };
	is_int(prepare(&n, c), -EINVAL, "a value that does not fit");
	is_int(ufx_node_block(&n, NULL, NULL), -EINVAL, "block without prepare");
	is_int(ufx_domain_wake(NULL, 1, 1, UFX_ALL), -EINVAL, "wake: no domain");
	is_int(ufx_domain_wake(d, 1, 1, 0), -EINVAL, "wake: no mask");
	is_int(ufx_domain_wake_by(d, 1, NULL), -EINVAL, "wake_by: no waker");
	is_int(ufx_domain_requeue(d, 1, 2, NULL), -EINVAL, "requeue: no mover");
	is_int(ufx_domain_wake_op(d, 1, 1, 2, 1, NULL), -EINVAL, "wake_op: no operation");
	is_int(ufx_domain_wake_op(d, 1, 1, 2, 1, &op), -EINVAL, "wake_op: an unknown one");
	is_int(ufx_domain_interrupt_owner(d, NULL, 0), -EINVAL, "nobody's waits");
	is_int(ufx_domain_purge(NULL, 0, 1), -EINVAL, "purge: no domain");
	is_int(ufx_domain_cancel(NULL), -EINVAL, "cancel: no domain");
	is_int(ufx_domain_wait_any(d, &c, 0, NULL, NULL, NULL), -EINVAL, "wait: on nothing");
	is_int(ufx_domain_wait_any(d, &c, 129, NULL, NULL, NULL), -EINVAL, "wait: on too many");
}

static void deadlines(void)
{
	struct ufx_condition c = { .key = 1, .word = &word, .expected = 0, .size = 8 };
	struct ufx_condition two[2] = { c, { .key = 2, .word = &word, .expected = 1,
					     .size = 8 } };
	struct ufx_deadline soon = ufx_deadline_in(1000000), past = ufx_deadline_in(INT64_MIN);
	struct ufx_deadline never = ufx_deadline_in(INT64_MAX);
	unsigned int index = 9;

	word = 0;
	ok(never.at.tv_sec > soon.at.tv_sec && past.at.tv_sec >= 0, "deadlines saturate");
	is_int(ufx_domain_wait(d, &c, &past, NULL), UFX_TIMED_OUT, "it has passed");
	is_int(ufx_domain_wait(d, &c, &soon, NULL), UFX_TIMED_OUT, "it passes");
	word = 1;
	is_int(ufx_domain_wait(d, &c, NULL, NULL), UFX_MISMATCH, "a mismatch");
	word = 0;
	is_int(ufx_domain_wait_any(d, two, 2, NULL, &index, NULL), UFX_MISMATCH,
	       "a mismatch of the second");
	is_int(index, 1, "is told");
}

static void going(void)
{
	struct ufx_node n = { .handle = NULL };
	struct ufx_condition c = on(1);

	prepare(&n, c);
	is_int(ufx_domain_destroy(d), -EBUSY, "somebody waits");
	ufx_domain_get(d);
	is_int(ufx_domain_cancel(d), 1, "one is cancelled");
	is_int(finish(&n, NULL), UFX_CANCELLED, "it knows");
	is_int(prepare(&n, c), -ECANCELED, "nobody waits any more");
	is_int(ufx_domain_wait(d, &c, NULL, NULL), UFX_CANCELLED, "in neither way");
	is_int((long)ufx_domain_futex(d, (uint32_t *)&word, 0, (uint32_t)word, NULL, NULL, 0),
	       -ECANCELED, "nor by futex");
	is_int(ufx_domain_destroy(d), -EBUSY, "there is another reference");
	ufx_domain_put(d);
	is_int(ufx_domain_destroy(d), 0, "then it goes");
}

int main(void)
{
	if (ufx_domain_create(&d, NULL))
		bail("no domain");
	endings();
	masks();
	words();
	checks();
	choosing();
	leaving();
	requeueing();
	wake_ops();
	owners();
	errors();
	deadlines();
	going();
	return tap_end();
}
