/* SPDX-License-Identifier: MIT */
/* Requeue and wake_op for the public: any keys, words of any size. */
#include <errno.h>

#include <ufutex/wake.h>

#include "futex/node.h"
#include "futex/wake.h"
#include "host/guard_sized.h"

/* ---- requeue ---- */

/* Under both locks: may it? */
static int compare_and_check(struct ufx_mover *m)
{
	struct ufx_compared compared = { m->word, m->expected, m->size };
	int ret = ufx_compare(&compared);

	ufx_callback_begin();
	if (!ret && m->check)
		ret = m->check(m);
	ufx_callback_end();
	return ret;
}

static long requeue(struct ufx_domain *d, uint64_t from, uint64_t to,
		    struct ufx_mover *m)
{
	struct ufx_taken taken = { 0 };
	struct ufx_place places[2];
	struct ufx_waiter *chain;
	int ret = ufx_place_lock_two(d, from, to, places);

	if (ret)
		return ret;
	ret = compare_and_check(m);
	if (ret) {
		ufx_place_unlock_two(places, (uint32_t[2]){ 0 }, (uint32_t[2]){ 0 });
		return ret;
	}
	ufx_enter_inside(); /* as in ufx_wake */
	ufx_take(&places[0], from, m->wake, UINT32_MAX, &chain, &taken.woken);
	for (struct ufx_waiter *w = chain; w && m->token; w = w->next)
		if (w->node)
			ufx_node_of(w)->answer = m->token;
	taken.moved = ufx_move(places, from, to, m->move);
	taken.more = ufx_queue_find(places[0].bucket->root, from);
	taken.token = m->token;
	ufx_say_last(chain, &taken, m->last, m->arg);
	ufx_moved_unlock(places, from, to, taken.woken, taken.moved);
	ufx_release_all(chain, false);
	return (long)taken.woken + taken.moved;
}

long ufx_domain_requeue(struct ufx_domain *d, uint64_t from, uint64_t to,
			const struct ufx_mover *mover)
{
	struct ufx_mover m;
	struct ufx_compared compared;
	int ret;

	ufx_rule(d && mover, "no argument is NULL");
	ufx_rule_not_called();
	if (!d || !mover)
		return -EINVAL;
	m = *mover;
	compared = (struct ufx_compared){ m.word, m.expected, m.size };
	ret = ufx_compared_check(&compared);
	ufx_rule(!ret, "a word is aligned, of 1, 2, 4 or 8 bytes, its value fits");
	if (!ret && ufx_thread_inside)
		return -EAGAIN;
	if (!ret)
		ret = ufx_compare(&compared); /* so that no fault waits under the locks */
	if (ret)
		return ret;
	ufx_fence(); /* as in ufx_wake */
	if (!m.check && !m.last && ufx_place_nobody(d, from))
		return 0;
	return requeue(d, from, to, &m);
}

/* ---- wake_op ---- */

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

static bool holds(const struct ufx_word_op *o, uint64_t value)
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
	default:
		return old >= o->operand2;
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
	return ret < 0 ? ret : holds(o, old);
}

static bool is_op(const struct ufx_word_op *o)
{
	struct ufx_compared word = { o->word, 0, o->size };

	if (o->operate)
		return true;
	return o->word && !ufx_compared_check(&word) && (unsigned int)o->operation <= UFX_XOR &&
	       (unsigned int)o->comparison <= UFX_GE;
}

long ufx_domain_wake_op(struct ufx_domain *d, uint64_t key1, uint32_t n1, uint64_t key2,
			uint32_t n2, const struct ufx_word_op *op)
{
	struct ufx_waiter *chain = NULL, **end;
	uint32_t gone[2] = { 0, 0 }, come[2] = { 0, 0 };
	struct ufx_place places[2];
	int ret;

	ufx_rule_not_called();
	ufx_rule(d && op && is_op(op), "a domain; a word that is aligned, of a known size");
	if (!d || !op || !is_op(op))
		return -EINVAL;
	if (ufx_thread_inside)
		return -EAGAIN;
	ret = operate(op, true); /* faults in, before the locks, what is written under them */
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
