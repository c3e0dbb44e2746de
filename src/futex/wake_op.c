/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "futex/wake.h"
#include "host/guard.h"

/* FUTEX_WAKE_OP's argument, taken apart. */
struct operation {
	uint32_t op, cmp;
	uint32_t oparg;
	int32_t cmparg;
};

enum { OP_SET, OP_ADD, OP_OR, OP_ANDN, OP_XOR, OP_COUNT };
enum { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };

/* The low 12 bits as a signed number. */
static int32_t signed12(uint32_t bits)
{
	return (int32_t)(bits << 20) >> 20;
}

static struct operation decode(uint32_t encoded)
{
	struct operation o = {
		.op = encoded >> 28 & 7,
		.cmp = encoded >> 24 & 15,
		.oparg = (uint32_t)signed12(encoded >> 12),
		.cmparg = signed12(encoded),
	};

	if (encoded >> 31) /* the argument is a bit number */
		o.oparg = 1u << (o.oparg & 31);
	return o;
}

static uint32_t apply(const struct operation *o, uint32_t old)
{
	switch (o->op) {
	case OP_SET:
		return o->oparg;
	case OP_ADD:
		return old + o->oparg;
	case OP_OR:
		return old | o->oparg;
	case OP_ANDN:
		return old & ~o->oparg;
	default:
		return old ^ o->oparg;
	}
}

/* 1, 0, or -ENOSYS: the kernel finds that out after the operation. */
static int compare(const struct operation *o, int32_t old)
{
	switch (o->cmp) {
	case CMP_EQ:
		return old == o->cmparg;
	case CMP_NE:
		return old != o->cmparg;
	case CMP_LT:
		return old < o->cmparg;
	case CMP_LE:
		return old <= o->cmparg;
	case CMP_GT:
		return old > o->cmparg;
	case CMP_GE:
		return old >= o->cmparg;
	default:
		return -ENOSYS;
	}
}

/* Atomically; does the comparison hold for the old value? Or -errno. */
static int do_operation(const struct operation *o, uint32_t *word)
{
	uint32_t old;
	int ret;

	if (ufx_guarded_load(word, &old))
		return -EFAULT;
	do {
		ret = ufx_guarded_cas(word, &old, apply(o, old));
	} while (!ret);
	return ret < 0 ? ret : compare(o, (int32_t)old);
}

/* Faults in for writing, before the locks, what is written under them. */
static int touch(uint32_t *word)
{
	uint32_t old;
	int ret;

	if (ufx_guarded_load(word, &old))
		return -EFAULT;
	do {
		ret = ufx_guarded_cas(word, &old, old);
	} while (!ret);
	return ret < 0 ? ret : 0;
}

/* In a handler over a critical section: the operation now, the wakes later. */
static long do_and_post(struct ufx_domain *d, const struct operation *o,
			uint32_t *word1, uint32_t *word2, uint32_t n1, uint32_t n2)
{
	int ret = do_operation(o, word2);

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
	uint64_t key1 = (uintptr_t)word1, key2 = (uintptr_t)word2;
	struct operation o = decode(encoded);
	struct ufx_waiter *chain = NULL, **end;
	uint32_t gone[2] = { 0, 0 }, come[2] = { 0, 0 };
	struct ufx_place places[2];
	int ret;

	if (o.op >= OP_COUNT)
		return -ENOSYS;
	if (ufx_thread_inside)
		return do_and_post(d, &o, word1, word2, n1, n2);
	ret = touch(word2);
	if (!ret)
		ret = ufx_place_lock_two(d, key1, key2, places);
	if (ret)
		return ret;
	ufx_enter_inside(); /* as in ufx_wake */
	ret = do_operation(&o, word2);
	if (ret >= 0)
		end = ufx_take(&places[0], key1, n1, UINT32_MAX, &chain, &gone[0]);
	if (ret > 0)
		ufx_take(&places[1], key2, n2, UINT32_MAX, end, &gone[1]);
	ufx_place_unlock_two(places, gone, come);
	ufx_release_all(chain, false);
	return ret < 0 ? ret : (long)gone[0] + gone[1];
}
