/* SPDX-License-Identifier: MIT */
/* An operation on a word, a comparison, and wakes of two keys, in one step. */
#include <errno.h>

#include <ufutex/wake.h>

#include "futex/node.h"
#include "futex/wake.h"
#include "host/guard_sized.h"

static uint64_t apply(const struct ufx_word_op *o, uint64_t old)
{
	switch (o->operation) {
	case UFX_SET:
		return o->operand;
	case UFX_ADD:
		return old + o->operand;
	case UFX_OR:
		return old | o->operand;
	case UFX_ANDN:
		return old & ~o->operand;
	default:
		return old ^ o->operand;
	}
}

/* As a signed number of @size bytes. */
static int64_t signed_of(uint64_t value, uint32_t size)
{
	unsigned int unused = 64 - 8 * size;

	return (int64_t)(value << unused) >> unused;
}

/* 1, 0, or -ENOSYS: the kernel finds that out after the operation. */
static int holds(const struct ufx_word_op *o, uint64_t value)
{
	int64_t old = signed_of(value, o->size);

	switch (o->comparison) {
	case UFX_EQ:
		return old == o->operand2;
	case UFX_NE:
		return old != o->operand2;
	case UFX_LT:
		return old < o->operand2;
	case UFX_LE:
		return old <= o->operand2;
	case UFX_GT:
		return old > o->operand2;
	case UFX_GE:
		return old >= o->operand2;
	default:
		return -ENOSYS;
	}
}

static int operate_by(const struct ufx_word_op *o)
{
	int ret;

	ufx_callback_begin();
	ret = o->operate(o->arg);
	ufx_callback_end();
	return ret;
}

/* 1 or 0: does the comparison hold for the old value? Or -errno. */
static int operate(const struct ufx_word_op *o, bool only_touch)
{
	uint64_t bits, old;
	int ret;

	if (o->operate)
		return only_touch ? 0 : operate_by(o);
	bits = o->size == 8 ? UINT64_MAX : ((uint64_t)1 << 8 * o->size) - 1;
	ret = ufx_guarded_load_sized(o->word, o->size, &old);
	while (!ret) {
		ret = ufx_guarded_cas_sized(o->word, o->size, &old,
					    only_touch ? old : apply(o, old) & bits);
	}
	if (ret < 0)
		return ret;
	return only_touch ? 0 : holds(o, old);
}

static bool is_op(const struct ufx_word_op *o)
{
	struct ufx_compared word = { o->word, 0, o->size };

	if (o->operate)
		return true;
	return o->word && !ufx_compared_check(&word) && (unsigned int)o->operation <= UFX_XOR &&
	       (unsigned int)o->comparison <= UFX_GE;
}

/* Does the operation and both wakes, under both locks. */
static long operate_and_wake(struct ufx_domain *d, uint64_t key1, uint32_t n1,
			     uint64_t key2, uint32_t n2, const struct ufx_word_op *op)
{
	struct ufx_waiter *chain = NULL, **end;
	uint32_t gone[2] = { 0, 0 }, come[2] = { 0, 0 };
	struct ufx_place places[2];
	int ret = operate(op, true); /* so that no fault waits under the locks */

	if (ret >= 0)
		ret = ufx_place_lock_two(d, key1, key2, places);
	if (ret)
		return ret;
	ufx_enter_inside(); /* as in ufx_wake */
	ret = operate(op, false);
	if (ret >= 0)
		end = ufx_take(&places[0], key1, n1, UINT32_MAX, &chain, &gone[0]);
	if (ret > 0)
		ufx_take(&places[1], key2, n2, UINT32_MAX, end, &gone[1]);
	ufx_place_unlock_two(places, gone, come);
	ufx_release_all(chain, false);
	return ret < 0 ? ret : (long)gone[0] + gone[1];
}

long ufx_domain_wake_op(struct ufx_domain *d, uint64_t key1, uint32_t n1, uint64_t key2,
			uint32_t n2, const struct ufx_word_op *op)
{
	ufx_rule_not_called();
	ufx_rule(d && op && is_op(op), "a domain; a word that is aligned, of a known size");
	if (!d || !op || !is_op(op))
		return -EINVAL;
	if (ufx_thread_inside)
		return -EAGAIN;
	return operate_and_wake(d, key1, n1, key2, n2, op);
}

/* ---- of futex(2) ---- */

/* The low 12 bits as a signed number. */
static int32_t signed12(uint32_t bits)
{
	return (int32_t)(bits << 20) >> 20;
}

/* FUTEX_WAKE_OP's argument, taken apart. */
static struct ufx_word_op decode(uint32_t encoded, uint32_t *word)
{
	uint32_t operand = (uint32_t)signed12(encoded >> 12);

	if (encoded >> 31) /* the argument is a bit number */
		operand = 1u << (operand & 31);
	return (struct ufx_word_op){
		.word = word,
		.size = sizeof(*word),
		.operation = (enum ufx_word_operation)(encoded >> 28 & 7),
		.operand = operand,
		.comparison = (enum ufx_word_comparison)(encoded >> 24 & 15),
		.operand2 = signed12(encoded),
	};
}

/* In a handler over a critical section: the operation now, the wakes later. */
static long do_and_post(struct ufx_domain *d, const struct ufx_word_op *op,
			uint32_t *word1, uint32_t *word2, uint32_t n1, uint32_t n2)
{
	int ret = operate(op, false);

	if (ret < 0)
		return ret;
	ufx_post(d, (uintptr_t)word1, n1, UINT32_MAX);
	if (ret)
		ufx_post(d, (uintptr_t)word2, n2, UINT32_MAX);
	return 0;
}

long ufx_wake_op(struct ufx_domain *d, uint32_t *word1, uint32_t *word2,
		 uint32_t n1, uint32_t n2, uint32_t encoded)
{
	struct ufx_word_op op = decode(encoded, word2);

	if ((unsigned int)op.operation > UFX_XOR)
		return -ENOSYS;
	if (ufx_thread_inside)
		return do_and_post(d, &op, word1, word2, n1, n2);
	return operate_and_wake(d, (uintptr_t)word1, n1, (uintptr_t)word2, n2, &op);
}
