/* SPDX-License-Identifier: MIT */
/*
 * What a futex call of the program's own code leaves of the registers: all
 * that the kernel preserves, the flags, the vectors, and the 128 bytes below
 * the stack pointer.
 */
#include <stddef.h>

#include "run.h"

enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP, R8, R9, R10, R11, R12, R13, R14, R15 };

struct half {
	uint64_t gpr[16], flags;
	uint32_t mxcsr, pad;
	uint64_t red[16], masks[8], pad2[6];
	uint64_t vectors[32][8];
	uint64_t pad3[8];
};

struct registers {
	struct half in, out;
	uint32_t level; /* 0: xmm, 1: ymm, 2: zmm */
};

_Static_assert(sizeof(struct half) == 2496, "as in registers.S");
_Static_assert(offsetof(struct half, red) == 144, "as in registers.S");
_Static_assert(offsetof(struct half, masks) == 272, "as in registers.S");
_Static_assert(offsetof(struct half, vectors) == 384, "as in registers.S");

void registers_pair(struct registers *r);
void registers_number(struct registers *r);
void registers_memory(struct registers *r);

static struct site {
	const char *name;
	void (*call)(struct registers *r);
} sites[] = {
	{ "pair", registers_pair },
	{ "number in a register", registers_number },
	{ "number by rip", registers_memory },
};

#define ARITHMETIC 0x8d5 /* carry, parity, adjust, zero, sign, overflow */
#define DIRECTION 0x400
#define USUAL 0x202

static const uint64_t flag_sets[] = {
	USUAL, USUAL | ARITHMETIC, USUAL | DIRECTION, USUAL | 0x41,
	USUAL | DIRECTION | ARITHMETIC,
};

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return *seed ^ *seed >> 29;
}

static uint32_t vector_level(void)
{
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f"))
		return 2;
	return __builtin_cpu_supports("avx") ? 1 : 0;
}

static void fill(struct registers *r, uint64_t *seed, uint64_t flags)
{
	uint64_t *words = (uint64_t *)&r->in;

	for (size_t i = 0; i < sizeof(r->in) / 8; i++)
		words[i] = next_random(seed);
	for (int i = 0; i < 8; i++)
		r->in.masks[i] &= 0xffff;
	r->in.flags = flags;
	r->in.mxcsr = 0x1f80 | (uint32_t)(*seed >> 62) << 13;
	r->level = vector_level();
	memset(&r->out, 0, sizeof(r->out));
}

/* What has changed, of what may not; NULL if nothing. */
static const char *changed(const struct registers *r)
{
	static const char *const names[16] = {
		"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
		"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
	};
	static const size_t vector_bytes[] = { 16, 32, 64 };
	const struct half *in = &r->in, *out = &r->out;

	for (int i = 0; i < 16; i++)
		if (i != RAX && i != RCX && i != R11 && in->gpr[i] != out->gpr[i])
			return names[i];
	if ((in->flags ^ out->flags) & (ARITHMETIC | DIRECTION))
		return "flags";
	if (in->mxcsr != out->mxcsr)
		return "mxcsr";
	if (memcmp(in->red, out->red, sizeof(in->red)))
		return "red zone";
	for (int i = 0; i < (r->level == 2 ? 32 : 16); i++)
		if (memcmp(in->vectors[i], out->vectors[i], vector_bytes[r->level]))
			return "vectors";
	if (r->level == 2 && memcmp(in->masks, out->masks, sizeof(in->masks)))
		return "masks";
	return NULL;
}

/* ---- the calls -------------------------------------------------------------- */

static uint32_t word, other;

struct operation {
	const char *name;
	long op;
	uint32_t value;
	long timeout, value3; /* of the arguments that it has */
	bool has_timeout, has_second, sleeps, has_waiter;
	long expected;
};

static struct timespec soon = { .tv_nsec = 100000 };

#define WAKE_OP_VALUE FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 77)

static struct operation operations[] = {
	{ "wait, mismatch", FUTEX_WAIT, 5, 0, 0, true, false, false, false, -EAGAIN },
	{ "wait, woken", FUTEX_WAIT, 0, 0, 0, true, false, true, false, 0 },
	{ "wait, timed out", FUTEX_WAIT, 0, (long)&soon, 0, true, false, false, false,
	  -ETIMEDOUT },
	{ "wait_bitset, woken", FUTEX_WAIT_BITSET, 0, 0, 0xffffffff, true, false, true,
	  false, 0 },
	{ "wake of none", FUTEX_WAKE, 1, 0, 0, false, false, false, false, 0 },
	{ "wake of one", FUTEX_WAKE, 1, 0, 0, false, false, false, true, 1 },
	{ "cmp_requeue of none", FUTEX_CMP_REQUEUE, 1, 1, 0, true, true, false, false, 0 },
	{ "cmp_requeue, mismatch", FUTEX_CMP_REQUEUE, 1, 1, 9, true, true, false, false,
	  -EAGAIN },
	{ "cmp_requeue of one", FUTEX_CMP_REQUEUE, 0, 1, 0, true, true, false, true, 1 },
	{ "wake_op of none", FUTEX_WAKE_OP, 1, 1, WAKE_OP_VALUE, true, true, false, false,
	  0 },
	{ "wake_op of one", FUTEX_WAKE_OP, 1, 1, WAKE_OP_VALUE, true, true, false, true,
	  1 },
	{ "no such operation", 99, 1, 0, 0, false, false, false, false, -ENOSYS },
};

/* Arguments; the registers of those that it has not keep their patterns. */
static void arguments(struct registers *r, const struct operation *o, long private)
{
	uint64_t *gpr = r->in.gpr;

	gpr[RAX] = SYS_futex;
	gpr[RDI] = (uint64_t)&word;
	gpr[RSI] = (gpr[RSI] & ~0xffffffffull) | (uint64_t)(o->op | private);
	gpr[RDX] = (gpr[RDX] & ~0xffffffffull) | o->value;
	if (o->has_timeout)
		gpr[R10] = (uint64_t)o->timeout;
	if (o->has_second)
		gpr[R8] = (uint64_t)&other;
	if (o->has_second || o->value3)
		gpr[R9] = (uint64_t)o->value3;
}

struct caller {
	pid_t tid;
	long private;
};

static void *wake_sleeper(void *arg)
{
	struct caller *c = arg;

	until_asleep(c->tid);
	while (!raw_futex(&word, FUTEX_WAKE | c->private, 1, NULL, NULL, 0))
		sched_yield();
	return NULL;
}

static long sleep_there(void *arg)
{
	return raw_futex(&word, FUTEX_WAIT | (long)(intptr_t)arg, 0, NULL, NULL, 0);
}

static void end_waiter(struct blocked *waiter, long private)
{
	while (!blocked_ended(waiter)) {
		raw_futex(&other, FUTEX_WAKE | private, 1, NULL, NULL, 0);
		raw_futex(&word, FUTEX_WAKE | private, 1, NULL, NULL, 0);
		sched_yield();
	}
	blocked_join(waiter);
}

/* Returns what is wrong, or NULL. */
static const char *one(const struct site *s, const struct operation *o,
		       long private, uint64_t flags, uint64_t *seed)
{
	struct caller c = { .tid = own_tid(), .private = private };
	struct registers r;
	struct blocked waiter;
	pthread_t waker = 0;

	word = other = 0;
	fill(&r, seed, flags);
	arguments(&r, o, private);
	if (o->sleeps)
		waker = start(wake_sleeper, &c);
	if (o->has_waiter) {
		blocked_start(&waiter, sleep_there, (void *)private, NULL);
		blocked_wait(&waiter);
	}
	s->call(&r);
	if (o->sleeps)
		pthread_join(waker, NULL);
	if (o->has_waiter)
		end_waiter(&waiter, private);
	if ((long)r.out.gpr[RAX] != o->expected) {
		note("%s: returns %ld", o->name, (long)r.out.gpr[RAX]);
		return "result";
	}
	return changed(&r);
}

static void every_operation(long private, const char *name)
{
	uint64_t seed = 1;

	for (unsigned int i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		const char *bad = NULL;

		for (unsigned int k = 0; k < 3 * 5 && !bad; k++)
			bad = one(&sites[k % 3], &operations[i], private,
				  flag_sets[k / 3], &seed);
		is_str(bad ? bad : "nothing", "nothing",
		       "%s, %s: changes", operations[i].name, name);
	}
}

/* Other numbers at a site that takes any. */
static void other_numbers(void)
{
	struct registers r;
	uint64_t seed = 3;

	fill(&r, &seed, USUAL | ARITHMETIC);
	r.in.gpr[RAX] = SYS_getpid;
	registers_number(&r);
	is_int((long)r.out.gpr[RAX], getpid(), "getpid by the same site");
	is_str(changed(&r), NULL, "getpid: nothing changes");
	r.in.gpr[RAX] = 0x123456789ull;
	registers_number(&r);
	is_int((long)r.out.gpr[RAX], -ENOSYS, "no such number");
	is_str(changed(&r), NULL, "no such number: nothing changes");
}

static void *first_call(void *arg)
{
	uint64_t i = (uint64_t)(uintptr_t)arg, seed = i + 100;

	return (void *)one(&sites[i % 3], &operations[i / 3 % 12],
			   FUTEX_PRIVATE_FLAG, flag_sets[i % 5], &seed);
}

/* A thread's first call, of each kind. */
static void first_calls(void)
{
	int bad = 0;

	for (uintptr_t i = 0; i < 36; i++) {
		void *result;

		pthread_join(start(first_call, (void *)i), &result);
		if (result)
			note("first call %d: %s", (int)i, (char *)result);
		bad += result != NULL;
	}
	is_int(bad, 0, "a thread's first call changes nothing");
}

static long over, handled;

static void handler(int sig)
{
	(void)sig;
	add(&handled);
}

/* Calls that do not block, while handlers come over them. */
static void *hot(void *arg)
{
	static const int indices[] = { 0, 4, 6, 7, 9 };
	uint64_t seed = 7;
	const char *bad = NULL;

	for (long i = 0; !get(&over) && !bad; i++) {
		uint64_t flags = flag_sets[i % 5];

		/* A handler is called with the direction flag clear, by both. */
		bad = one(&sites[i % 3], &operations[indices[i % 5]],
			  (long)(intptr_t)arg, flags, &seed);
	}
	return (void *)bad;
}

static void under_signals(long times)
{
	pthread_t thread = start(hot, (void *)FUTEX_PRIVATE_FLAG);
	void *bad;

	handle(SIGUSR1, SA_RESTART, handler);
	for (long i = 1; i <= times; i++) {
		pthread_kill(thread, SIGUSR1);
		until(&handled, i);
	}
	set(&over, 1);
	pthread_join(thread, &bad);
	is_str(bad ? bad : "nothing", "nothing", "under signals: changes");
}

int main(int argc, char **argv)
{
	long times = rounds(argc, argv, 2000, 100000);

	every_operation(FUTEX_PRIVATE_FLAG, "private");
	every_operation(0, "shared");
	other_numbers();
	first_calls();
	under_signals(times);
	return tap_end();
}
