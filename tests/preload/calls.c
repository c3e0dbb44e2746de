/* SPDX-License-Identifier: MIT */
/* Every call that syscall() and prctl() divert, with every argument in place. */
#include "served.h"

#include <ufutex/futex.h>

static uint32_t a, b;

static void both_sides(void)
{
	struct blocked w;

	blocked_start(&w, wait_served, &a, NULL);
	ok(blocked_wait(&w), "a private wait sleeps");
	is_int(raw_futex(&a, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 0,
	       "the kernel has nobody on that word");
	is_int(call_futex(&a, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 1,
	       "syscall(FUTEX_WAKE) wakes it");
	is_int(blocked_join(&w), 0, "the wait returns 0");
}

static long wait_raw(void *word)
{
	return raw_futex(word, FUTEX_WAIT_PRIVATE, 0, &test_long, NULL, 0);
}

static void kernel_side(void)
{
	struct blocked w;

	blocked_start(&w, wait_raw, &a, NULL);
	ok(blocked_wait(&w), "a wait by a bare system call sleeps");
	is_int(call_futex(&a, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 0,
	       "the engine has nobody on that word");
	is_int(raw_futex(&a, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 1,
	       "a bare wake wakes it");
	blocked_join(&w);
}

static void errors(void)
{
	static const struct timespec soon = { 0, 1000000 };
	static const struct timespec wrong = { 0, 1000000000 };

	fails(call_futex(&a, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0), EAGAIN,
	      "WAIT, another value: EAGAIN");
	fails(call_futex(&a, FUTEX_WAIT_PRIVATE, 0, &soon, NULL, 0), ETIMEDOUT,
	      "WAIT with a timeout: ETIMEDOUT");
	fails(call_futex(&a, FUTEX_WAIT_PRIVATE, 0, &wrong, NULL, 0), EINVAL,
	      "WAIT, bad timeout: EINVAL");
	fails(call_futex((uint32_t *)16, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0),
	      EFAULT, "WAIT on no memory: EFAULT");
	fails(call_futex(&a, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 0),
	      EINVAL, "WAIT_BITSET without a bit (sixth argument): EINVAL");
	fails(call_futex(&a, 99, 0, NULL, NULL, 0), ENOSYS, "op 99: ENOSYS");
	errno = 77;
	call_futex(&a, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	is_int(errno, 77, "success leaves errno alone");
}

static long wait_bit4(void *word)
{
	return call_futex(word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 4);
}

static void arguments(void)
{
	struct blocked w;
	struct timespec *one = (struct timespec *)1; /* val2 */

	blocked_start(&w, wait_bit4, &a, NULL);
	blocked_wait(&w);
	is_int(call_futex(&a, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 3), 0,
	       "WAKE_BITSET, other bits");
	fails(call_futex(&a, FUTEX_CMP_REQUEUE_PRIVATE, 0, one, &b, 5), EAGAIN,
	      "CMP_REQUEUE, another value (sixth argument)");
	is_int(call_futex(&a, FUTEX_CMP_REQUEUE_PRIVATE, 0, one, &b, 0), 1,
	       "CMP_REQUEUE moves one");
	is_int(call_futex(&a, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 0,
	       "nobody waits on the first word then");
	is_int(call_futex(&a, FUTEX_WAKE_OP_PRIVATE, 1, one, &b,
			  FUTEX_OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 0)), 1,
	       "WAKE_OP wakes it on the second");
	is_int((long)b, 7, "WAKE_OP stored there");
	is_int(blocked_join(&w), 0, "the wait returns 0");
	b = 0;
}

static long call_waitv(void *arg)
{
	return syscall(UFX_NR_futex_waitv, arg, 2, 0, &(struct timespec){ 1l << 40, 0 },
		       CLOCK_MONOTONIC);
}

static void waitv(void)
{
	struct ufx_waitv_entry v[2] = {
		{ 0, (uintptr_t)&a, FUTEX_32 | FUTEX_PRIVATE_FLAG, 0 },
		{ 0, (uintptr_t)&b, FUTEX_32 | FUTEX_PRIVATE_FLAG, 0 },
	};
	struct blocked w;

	blocked_start(&w, call_waitv, v, NULL);
	ok(blocked_wait(&w), "futex_waitv sleeps");
	is_int(call_futex(&b, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 1,
	       "a wake of the second word");
	is_int(blocked_join(&w), 1, "futex_waitv returns its index");
	v[1].val = 1;
	fails(call_waitv(v), EAGAIN, "futex_waitv, another value: EAGAIN");
	fails(syscall(UFX_NR_futex_waitv, v, 0, 0, NULL, 0), EINVAL,
	      "futex_waitv of no words: EINVAL");
}

#define FLAGS (UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE)

static long call_wait2(void *word)
{
	return syscall(UFX_NR_futex_wait, word, 0ul, 2ul, FLAGS, NULL,
		       CLOCK_MONOTONIC);
}

static void futex2(void)
{
	struct ufx_waitv_entry v[2] = {
		{ 0, (uintptr_t)&a, FLAGS, 0 },
		{ 0, (uintptr_t)&b, FLAGS, 0 },
	};
	struct blocked w;

	blocked_start(&w, call_wait2, &a, NULL);
	ok(blocked_wait(&w), "futex_wait sleeps");
	is_int(syscall(UFX_NR_futex_wake, &a, 1ul, 1, FLAGS), 0,
	       "futex_wake, other bits");
	is_int(syscall(UFX_NR_futex_requeue, v, 0, 0, 1), 1,
	       "futex_requeue moves one");
	is_int(syscall(UFX_NR_futex_wake, &b, 2ul, 1, FLAGS), 1,
	       "futex_wake wakes it on the other word");
	is_int(blocked_join(&w), 0, "futex_wait returns 0");
	fails(syscall(UFX_NR_futex_wait, &a, 1ul, 1ul, FLAGS, NULL, 0), EAGAIN,
	      "futex_wait, another value: EAGAIN");
	fails(syscall(UFX_NR_futex_wait, &a, 0ul, 1ul, FLAGS,
		      &(struct timespec){ 0, 1 }, CLOCK_MONOTONIC),
	      ETIMEDOUT, "futex_wait with a timeout (fifth and sixth argument)");
	fails(syscall(UFX_NR_futex_wait, &a, 0ul, 1ul, FLAGS,
		      &(struct timespec){ 0, 1 }, CLOCK_BOOTTIME),
	      EINVAL, "futex_wait, another clock");
	fails(syscall(UFX_NR_futex_wake, &a, 0ul, 1, FLAGS), EINVAL,
	      "futex_wake without a bit: EINVAL");
}

static long wait_shared(void *word)
{
	return call_futex(word, FUTEX_WAIT, 0, &test_long, NULL, 0);
}

static void passed_on(void)
{
	struct blocked w;
	uint32_t pi = 0;

	blocked_start(&w, wait_shared, &a, NULL);
	ok(blocked_wait(&w), "a wait without the private flag sleeps");
	is_int(call_futex(&a, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 0,
	       "a private wake does not find it");
	is_int(raw_futex(&a, FUTEX_WAKE, 9, NULL, NULL, 0), 1,
	       "the kernel has it");
	blocked_join(&w);

	is_int(call_futex(&pi, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0,
	       "LOCK_PI works");
	is_int((long)pi, syscall(SYS_gettid), "LOCK_PI stored the thread's id");
	is_int(call_futex(&pi, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0,
	       "UNLOCK_PI works");
	fails(call_futex(&pi, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EPERM,
	      "UNLOCK_PI by another: EPERM");
}

int main(int argc, char **argv)
{
	(void)argc;
	served(argv);
	both_sides();
	kernel_side();
	errors();
	arguments();
	waitv();
	futex2();
	passed_on();
	return tap_end();
}
