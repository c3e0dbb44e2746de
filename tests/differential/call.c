// SPDX-License-Identifier: MIT
/* Operations to calls of one side. */
#include <limits.h>

#include "program.h"

#define FLAGS (UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE)
#define SECOND 1000000000

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

int64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int64_t deadline_ns(const struct place *at, const struct op *o)
{
	return at->start + at->unit * (1 + o->deadline);
}

static struct timespec to_timespec(int64_t ns)
{
	return (struct timespec){ ns / SECOND, ns % SECOND };
}

static clockid_t clock_of(const struct op *o)
{
	return o->realtime && o->call != CALL_WAIT ? CLOCK_REALTIME :
						     CLOCK_MONOTONIC;
}

static struct timespec timeout_of(const struct op *o, const struct place *at)
{
	bool relative = o->call == CALL_WAIT;
	int64_t now = clock_ns(clock_of(o)), left;

	if (o->wrong == WRONG_NSEC)
		return o->second ? (struct timespec){ -1, 0 } :
				   (struct timespec){ 1, SECOND };
	switch (o->timeout) {
	case TIMEOUT_PAST:
		return (struct timespec){ 0, relative ? 0 : 1 };
	case TIMEOUT_EXPIRES:
		left = deadline_ns(at, o) - now_ns();
		if (left < 0)
			left = 0;
		return to_timespec(relative ? left : now + left);
	default:
		return to_timespec((relative ? 0 : now) + 1000l * SECOND);
	}
}

/* NULL, or where the timeout is. */
static struct timespec *put_timeout(const struct op *o, const struct place *at,
				    struct arguments *a)
{
	if (o->wrong == WRONG_POINTER && (o->call != CALL_WAITV || !o->second))
		return (struct timespec *)8;
	if (o->timeout == TIMEOUT_NONE && o->wrong != WRONG_NSEC &&
	    o->wrong != WRONG_CLOCK)
		return NULL;
	a->timeout = timeout_of(o, at);
	return &a->timeout;
}

static uint32_t *address(const struct op *o, const struct place *at, bool second)
{
	uint32_t *word = at->word[second ? o->word2 : o->word];
	bool odd = call_has_two(o->call) ? o->second : false;

	if (o->wrong == WRONG_ODD && odd == second)
		return (uint32_t *)((char *)word + 2);
	if (o->wrong == WRONG_NULL && !second)
		return NULL;
	return word;
}

static int op_of(const struct op *o)
{
	static const int ops[] = {
		[CALL_WAIT] = FUTEX_WAIT,
		[CALL_WAIT_BITSET] = FUTEX_WAIT_BITSET,
		[CALL_WAKE] = FUTEX_WAKE,
		[CALL_WAKE_BITSET] = FUTEX_WAKE_BITSET,
		[CALL_REQUEUE] = FUTEX_REQUEUE,
		[CALL_CMP_REQUEUE] = FUTEX_CMP_REQUEUE,
		[CALL_WAKE_OP] = FUTEX_WAKE_OP,
	};
	int op = ops[o->call] | FUTEX_PRIVATE_FLAG;

	if (o->wrong == WRONG_FLAGS && o->call != CALL_WAKE_OP)
		op |= FUTEX_CLOCK_REALTIME;
	if (o->call == CALL_WAIT_BITSET && o->realtime)
		op |= FUTEX_CLOCK_REALTIME;
	return op;
}

/* One that is negative is the one that @second says. */
static int count(const struct op *o, bool second)
{
	if (o->wrong == WRONG_NEGATIVE && o->second == second)
		return second ? INT_MIN : -1;
	return second ? o->nr2 : o->nr;
}

static long call_v1(const struct subject *s, const struct op *o,
		    const struct place *at, struct arguments *a)
{
	uint32_t *word = address(o, at, false), *word2 = address(o, at, true);
	uint32_t mask = o->wrong == WRONG_MASK ? 0 : o->mask;
	struct timespec *nr2 = (struct timespec *)(uintptr_t)(uint32_t)count(o, true);
	uint32_t nr = (uint32_t)count(o, false), encoded = o->encoded;
	int op = op_of(o);

	switch (o->call) {
	case CALL_WAIT:
	case CALL_WAIT_BITSET:
		return s->futex(word, op, o->val, put_timeout(o, at, a), NULL, mask);
	case CALL_WAKE:
	case CALL_WAKE_BITSET:
		return s->futex(word, op, nr, NULL, NULL, mask);
	case CALL_WAKE_OP:
		if (o->wrong == WRONG_FLAGS)
			encoded = 7u << 28 | (encoded & 0x8fffffff);
		return s->futex(word, op, nr, nr2, word2, encoded);
	default:
		return s->futex(word, op, nr, nr2, word2, o->val);
	}
}

static struct ufx_waitv_entry entry(const uint32_t *word, uint64_t val)
{
	return (struct ufx_waitv_entry){ val, (uintptr_t)word, FLAGS, 0 };
}

static void spoil(struct ufx_waitv_entry *e, const struct op *o)
{
	switch (o->wrong) {
	case WRONG_ODD:
		e->uaddr += 2;
		break;
	case WRONG_NULL:
		e->uaddr = 0;
		break;
	case WRONG_LARGE:
		e->val |= 1ull << 32;
		break;
	case WRONG_ENTRY:
		if (o->second)
			e->reserved = 1;
		else
			e->flags = UFX_FUTEX2_PRIVATE;
		break;
	default:
		break;
	}
}

static long call_waitv(const struct subject *s, const struct op *o,
		       const struct place *at, struct arguments *a)
{
	unsigned int nr = (unsigned int)o->nr;
	clockid_t clock = o->wrong == WRONG_CLOCK ? CLOCK_BOOTTIME : clock_of(o);
	struct ufx_waitv_entry *list = a->list;

	for (unsigned int i = 0; i < nr; i++)
		a->list[i] = entry(at->word[o->entry[i % o->given].word],
				   o->entry[i % o->given].val);
	spoil(&a->list[nr - 1], o);
	if (o->wrong == WRONG_COUNT)
		nr = o->second ? 0 : ENTRIES + 1;
	if (o->wrong == WRONG_POINTER && o->second)
		list = NULL;
	return s->waitv(list, nr, o->wrong == WRONG_FLAGS, put_timeout(o, at, a),
			clock);
}

static long call_requeue2(const struct subject *s, const struct op *o,
			  const struct place *at, struct arguments *a)
{
	a->list[0] = entry(address(o, at, false), o->val);
	a->list[1] = entry(address(o, at, true), 0);
	if (o->wrong == WRONG_LARGE)
		a->list[o->second].val |= 1ull << 32;
	if (o->wrong == WRONG_ENTRY)
		a->list[o->second].reserved = 1;
	return s->requeue(o->wrong == WRONG_POINTER ? NULL : a->list,
			  o->wrong == WRONG_FLAGS, count(o, false), count(o, true));
}

static long call_one2(const struct subject *s, const struct op *o,
		      const struct place *at, struct arguments *a)
{
	unsigned int flags = o->wrong == WRONG_FLAGS ? FLAGS | 16 : FLAGS;
	uint32_t *word = address(o, at, false);
	unsigned long mask = o->wrong == WRONG_MASK ? 0 : o->mask;
	unsigned long val = o->val;

	if (o->wrong == WRONG_LARGE && (o->call == CALL_WAKE2 || o->second))
		mask |= 1ul << 32;
	else if (o->wrong == WRONG_LARGE)
		val |= 1ul << 32;
	if (o->call == CALL_WAKE2)
		return s->wake(word, mask, o->nr, flags);
	return s->wait(word, val, mask, flags, put_timeout(o, at, a),
		       o->wrong == WRONG_CLOCK ? CLOCK_BOOTTIME : clock_of(o));
}

long make_call(const struct subject *s, const struct op *o,
	       const struct place *at, struct arguments *a)
{
	switch (o->call) {
	case CALL_WAITV:
		return call_waitv(s, o, at, a);
	case CALL_REQUEUE2:
		return call_requeue2(s, o, at, a);
	case CALL_WAKE2:
	case CALL_WAIT2:
		return call_one2(s, o, at, a);
	default:
		return call_v1(s, o, at, a);
	}
}
