// SPDX-License-Identifier: MIT
/* The two that are asked: the kernel by bare system calls, and the engine. */
#include "fuzz.h"

#include <errno.h>

#include "../stay.h"
#include "host/syscall.h"

#define NR_HASH 78 /* PR_FUTEX_HASH */

static bool requeue_mixes, user_is_wide, lacks[FUZZ_STORE + 1];

/* The arguments that lie in memory. */
struct memory {
	void *word, *word2;
	struct timespec *timeout;
	struct ufx_waitv_entry *list;
};

static struct ufx_waitv_entry *put_list(const struct fuzz_call *call,
					enum fuzz_side side)
{
	struct ufx_waitv_entry list[FUZZ_ENTRIES];

	for (unsigned int i = 0; i < call->entries; i++) {
		list[i].val = call->entry[i].val;
		list[i].uaddr = (uintptr_t)fuzz_place_address(
			call->entry[i].place, side);
		list[i].flags = call->entry[i].flags;
		list[i].reserved = call->entry[i].reserved;
	}
	return fuzz_spot_put(call->list, true, list,
			     call->entries * sizeof(list[0]), side);
}

static struct memory put(const struct fuzz_call *call, enum fuzz_side side)
{
	struct memory m = {
		.word = fuzz_place_address(call->word, side),
		.word2 = fuzz_place_address(call->word2, side),
		.timeout = (struct timespec *)call->number,
	};

	if (call->timed)
		m.timeout = fuzz_spot_put(call->spot, false, &call->timeout,
					  sizeof(call->timeout), side);
	if (call->kind == FUZZ_WAITV || call->kind == FUZZ_REQUEUE)
		m.list = put_list(call, side);
	return m;
}

long fuzz_ask_kernel(const struct fuzz_call *c, enum fuzz_side side)
{
	struct memory m = put(c, side);

	switch (c->kind) {
	case FUZZ_FUTEX:
		return ufx_syscall(SYS_futex, (long)m.word, (int)c->op, (long)c->val,
				   (long)m.timeout, (long)m.word2, c->val3);
	case FUZZ_WAITV:
		return ufx_syscall(UFX_NR_futex_waitv, (long)m.list, c->nr,
				   c->flags, (long)m.timeout, c->clock, 0);
	case FUZZ_WAKE:
		return ufx_syscall(UFX_NR_futex_wake, (long)m.word, (long)c->mask,
				   c->nr, c->flags, 0, 0);
	case FUZZ_WAIT:
		return ufx_syscall(UFX_NR_futex_wait, (long)m.word, (long)c->val,
				   (long)c->mask, c->flags, (long)m.timeout,
				   c->clock);
	case FUZZ_REQUEUE:
		return ufx_syscall(UFX_NR_futex_requeue, (long)m.list, c->flags,
				   c->nr, c->nr2, 0, 0);
	case FUZZ_HASH:
		return ufx_syscall(SYS_prctl, NR_HASH, (long)c->arg[0],
				   (long)c->arg[1], (long)c->arg[2],
				   (long)c->arg[3], 0);
	case FUZZ_STORE:
		break;
	}
	return 0;
}

long fuzz_ask_engine(const struct fuzz_call *c, enum fuzz_side side)
{
	struct memory m = put(c, side);

	switch (c->kind) {
	case FUZZ_FUTEX:
		return ufx_futex(m.word, (int)c->op, (uint32_t)c->val, m.timeout,
				 m.word2, c->val3);
	case FUZZ_WAITV:
		return ufx_futex_waitv(m.list, (unsigned int)c->nr, c->flags,
				       m.timeout, c->clock);
	case FUZZ_WAKE:
		return ufx_futex_wake(m.word, c->mask, c->nr, c->flags);
	case FUZZ_WAIT:
		return ufx_futex_wait(m.word, c->val, c->mask, c->flags, m.timeout,
				      c->clock);
	case FUZZ_REQUEUE:
		return ufx_futex_requeue(m.list, c->flags, c->nr, c->nr2);
	case FUZZ_HASH:
		return ufx_prctl_futex_hash(c->arg[0], c->arg[1], c->arg[2],
					    c->arg[3]);
	case FUZZ_STORE:
		break;
	}
	return 0;
}

bool fuzz_requeue_mixes(void)
{
	return requeue_mixes;
}

bool fuzz_user_is_wide(void)
{
	return user_is_wide;
}

bool fuzz_kernel_has(enum fuzz_kind kind)
{
	return !lacks[kind];
}

/* README: slots. Asked of the kernel before anything is done. */
static bool slots_known(void)
{
	/* With one thread and nothing set, 0; 3 slots are refused. */
	return ufx_syscall(SYS_prctl, NR_HASH, 2, 0, 0, 0, 0) == 0 &&
	       ufx_syscall(SYS_prctl, NR_HASH, 0x100000003, 0, 0, 0, 0) == -EINVAL;
}

static void look_at_requeue(void)
{
	uint32_t words[2] = { 0, 0 };
	struct ufx_waitv_entry list[2] = {
		{ 0, (uintptr_t)&words[0], UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, 0 },
		{ 0, (uintptr_t)&words[1], UFX_FUTEX2_U32, 0 },
	};

	requeue_mixes = ufx_syscall(UFX_NR_futex_requeue, (long)list, 0, 0, 0, 0,
				    0) == 0;
}

void fuzz_sides_start(void)
{
	/* A word with a NUMA node gets the number of the one that we are on. */
	stay_on_this_cpu();
	lacks[FUZZ_WAITV] = ufx_syscall(UFX_NR_futex_waitv, 0, 0, 0, 0, 0, 0) ==
			    -ENOSYS;
	lacks[FUZZ_WAKE] = ufx_syscall(UFX_NR_futex_wake, 0, 0, 0, 0, 0, 0) ==
			   -ENOSYS;
	lacks[FUZZ_WAIT] = lacks[FUZZ_REQUEUE] = lacks[FUZZ_WAKE];
	lacks[FUZZ_HASH] = !slots_known();
	look_at_requeue();
	user_is_wide = ufx_syscall(SYS_futex, 1l << 52, 1 | 128, 1, 0, 0, 0) == 0;
}
