/* SPDX-License-Identifier: MIT */
/* futex(2) of a guest: decodes, checks in Linux's order, calls the operations. */
#include "faces/guest.h"

#define COMMAND(op) ((op) & ~(UFX_FUTEX_PRIVATE | UFX_FUTEX_CLOCK_REALTIME))

/* Not served, but their timeouts are looked at first. */
enum { LOCK_PI = 6, WAIT_REQUEUE_PI = 11, LOCK_PI2 = 13 };

/* A call, decoded. */
struct call {
	struct ufx_guest_thread *thread;
	const struct ufx_guest *guest;
	int op; /* with its flags */
	bool shared;
	uint64_t word1, word2;
	uint32_t val, val2, val3;
	bool timed;
	struct timespec timeout;
};

/* Linux wakes one where none or fewer are asked for. */
static uint32_t at_least_one(uint32_t n)
{
	return (int32_t)n < 1 ? 1 : n;
}

/* ---- one word ---- */

static long wait_at(const struct call *c, const struct ufx_guest_place *place,
		    uint32_t mask, const struct ufx_deadline *deadline)
{
	struct ufx_guest_look look = { c->thread, c->word1, c->val, 0 };
	struct ufx_condition condition = ufx_guest_condition(place, mask, &look);
	uint64_t answer;
	int how;

	do {
		int ret = ufx_guest_look(c->guest, c->word1, c->val);

		if (ret)
			return ret;
		how = ufx_domain_wait(place->domain, &condition, deadline, &answer);
	} while (how == UFX_MISMATCH && look.why == -EBUSY);
	return how == UFX_WOKEN ? 0 : ufx_guest_ending(how, look.why, answer);
}

static long wait(const struct call *c, uint32_t mask)
{
	bool relative = COMMAND(c->op) == UFX_FUTEX_WAIT;
	struct ufx_guest_place place;
	struct ufx_deadline deadline;
	int ret;

	if (!mask)
		return -EINVAL;
	ret = ufx_guest_place(c->guest, c->word1, c->shared, false, &place);
	if (ret)
		return ret;
	if (!c->timed)
		return wait_at(c, &place, mask, NULL);
	deadline = ufx_guest_deadline(c->guest, &c->timeout,
				      c->op & UFX_FUTEX_CLOCK_REALTIME ?
					      CLOCK_REALTIME : CLOCK_MONOTONIC,
				      relative);
	return wait_at(c, &place, mask, &deadline);
}

static long wake(const struct call *c, uint32_t mask)
{
	struct ufx_guest_place place;
	int ret;

	if (!mask)
		return -EINVAL;
	ret = ufx_guest_place(c->guest, c->word1, c->shared, false, &place);
	if (ret)
		return ret;
	return ufx_domain_wake(place.domain, place.key, at_least_one(c->val), mask);
}

/* ---- two words ---- */

static int two_places(const struct call *c, bool write2, struct ufx_guest_place places[2])
{
	int ret = ufx_guest_place(c->guest, c->word1, c->shared, false, &places[0]);

	if (!ret)
		ret = ufx_guest_place(c->guest, c->word2, c->shared, write2, &places[1]);
	if (!ret && places[0].domain != places[1].domain)
		ret = -EINVAL;
	return ret;
}

static int compare_locked(struct ufx_mover *m)
{
	const struct call *c = m->arg;
	uint32_t value;
	int ret = c->guest->ops->load(c->guest->space, c->word1, &value, true);

	return !ret && value != c->val3 ? -EAGAIN : ret;
}

static long requeue(struct call *c, bool compare)
{
	struct ufx_mover mover = { .wake = c->val, .move = c->val2,
				   .check = compare ? compare_locked : NULL, .arg = c };
	struct ufx_guest_place places[2];
	long ret;

	if ((int32_t)c->val < 0 || (int32_t)c->val2 < 0)
		return -EINVAL;
	ret = two_places(c, false, places);
	if (ret)
		return ret;
	do {
		if (compare)
			ret = ufx_guest_look(c->guest, c->word1, c->val3);
		if (ret)
			return ret;
		ret = ufx_domain_requeue(places[0].domain, places[0].key, places[1].key,
					 &mover);
	} while (ret == -EBUSY);
	return ret;
}

/* ---- WAKE_OP ---- */

enum { OP_SET, OP_ADD, OP_OR, OP_ANDN, OP_XOR, OP_COUNT };
enum { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };

/* The low 12 bits as a signed number. */
static int32_t signed12(uint32_t bits)
{
	return (int32_t)((bits & 0xfff) ^ 0x800) - 0x800;
}

/* The operand; bit 31 of the code says that it is a bit number. */
static uint32_t operand(uint32_t code)
{
	uint32_t number = (uint32_t)signed12(code >> 12);

	return code >> 31 ? 1u << (number & 31) : number;
}

static uint32_t apply(uint32_t code, uint32_t old)
{
	switch (code >> 28 & 7) {
	case OP_SET:
		return operand(code);
	case OP_ADD:
		return old + operand(code);
	case OP_OR:
		return old | operand(code);
	case OP_ANDN:
		return old & ~operand(code);
	default:
		return old ^ operand(code);
	}
}

/* 1, 0, or -ENOSYS: Linux finds that out after the operation. */
static int compare(uint32_t code, int32_t old)
{
	int32_t with = signed12(code);

	switch (code >> 24 & 15) {
	case CMP_EQ:
		return old == with;
	case CMP_NE:
		return old != with;
	case CMP_LT:
		return old < with;
	case CMP_LE:
		return old <= with;
	case CMP_GT:
		return old > with;
	case CMP_GE:
		return old >= with;
	default:
		return -ENOSYS;
	}
}

/* 1 or 0: the comparison; or -errno. */
static int operate_locked(void *arg)
{
	const struct call *c = arg;
	const struct ufx_guest_ops *ops = c->guest->ops;
	uint32_t old;
	int ret = ops->load(c->guest->space, c->word2, &old, true);

	while (!ret)
		ret = ops->cas(c->guest->space, c->word2, &old, apply(c->val3, old), true);
	return ret < 0 ? ret : compare(c->val3, (int32_t)old);
}

/* Has the page there, and writable, before the locks. */
static int touch(const struct call *c)
{
	const struct ufx_guest_ops *ops = c->guest->ops;
	uint32_t old;
	int ret = ops->load(c->guest->space, c->word2, &old, false);

	while (!ret)
		ret = ops->cas(c->guest->space, c->word2, &old, old, false);
	return ret < 0 ? -EFAULT : 0;
}

static long wake_op(struct call *c)
{
	struct ufx_word_op op = { .operate = operate_locked, .arg = c };
	struct ufx_guest_place places[2];
	long ret = two_places(c, true, places);

	if (ret)
		return ret;
	if ((c->val3 >> 28 & 7) >= OP_COUNT)
		return -ENOSYS;
	do {
		ret = touch(c);
		if (ret)
			return ret;
		ret = ufx_domain_wake_op(places[0].domain, places[0].key,
					 at_least_one(c->val), places[1].key,
					 at_least_one(c->val2), &op);
	} while (ret == -EBUSY);
	return ret;
}

/* ---- the call ---- */

static bool has_timeout(int command)
{
	return command == UFX_FUTEX_WAIT || command == UFX_FUTEX_WAIT_BITSET ||
	       command == LOCK_PI || command == LOCK_PI2 || command == WAIT_REQUEUE_PI;
}

static long serve(struct call *c)
{
	if ((c->op & UFX_FUTEX_CLOCK_REALTIME) && COMMAND(c->op) != UFX_FUTEX_WAIT_BITSET)
		return -ENOSYS;
	switch (COMMAND(c->op)) {
	case UFX_FUTEX_WAIT:
		return wait(c, UINT32_MAX);
	case UFX_FUTEX_WAIT_BITSET:
		return wait(c, c->val3);
	case UFX_FUTEX_WAKE:
		return wake(c, UINT32_MAX);
	case UFX_FUTEX_WAKE_BITSET:
		return wake(c, c->val3);
	case UFX_FUTEX_REQUEUE:
		return requeue(c, false);
	case UFX_FUTEX_CMP_REQUEUE:
		return requeue(c, true);
	case UFX_FUTEX_WAKE_OP:
		return wake_op(c);
	default:
		return -ENOSYS;
	}
}

long ufx_guest_futex(struct ufx_guest_thread *t, uint64_t uaddr, int op, uint32_t val,
		     uint64_t timeout, uint64_t uaddr2, uint32_t val3)
{
	struct call c = { .thread = t, .op = op, .shared = !(op & UFX_FUTEX_PRIVATE),
			  .word1 = uaddr, .word2 = uaddr2,
			  .val = val, .val2 = (uint32_t)timeout, .val3 = val3 };

	ufx_rule(t && t->guest, "a thread, of a guest");
	if (!t || !t->guest)
		return -EINVAL;
	c.guest = t->guest;
	if (timeout && has_timeout(COMMAND(op))) {
		int ret = ufx_guest_timeout(c.guest, timeout, &c.timeout);

		if (ret)
			return ret;
		c.timed = true;
	}
	return serve(&c);
}
