/* SPDX-License-Identifier: MIT */
/*
 * futex_waitv, futex_wake, futex_wait, futex_requeue by a system call
 * instruction of the program's own, whose number is in a register, or by the C
 * library's syscall() with RUN_BY_LIBC.
 */
#include "run.h"

#define WAITV 449
#define WAKE 454
#define WAIT 455
#define REQUEUE 456
#define SIZE_U32 2
#define PRIVATE 128

struct one {
	uint64_t value, address;
	uint32_t flags, reserved;
};

__attribute__((noinline)) static long call6(long number, long a, long b, long c,
					    long d, long e, long f)
{
#if defined(__x86_64__) && !defined(RUN_BY_LIBC)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
#else
	long result = syscall(number, a, b, c, d, e, f);

	return result < 0 ? -errno : result;
#endif
}

static uint32_t words[3];
static long handled;

static void handler(int sig)
{
	(void)sig;
	add(&handled);
}

static long waitv(const struct timespec *limit)
{
	struct one all[3];

	for (int i = 0; i < 3; i++)
		all[i] = (struct one){ 0, (uintptr_t)&words[i], SIZE_U32 | PRIVATE, 0 };
	return call6(WAITV, (long)all, 3, 0, (long)limit, CLOCK_MONOTONIC, 0);
}

static long waitv_all(void *arg)
{
	return waitv(arg);
}

static long wait_one(void *arg)
{
	return call6(WAIT, (long)&words[(long)(intptr_t)arg], 0, 0xffffffffl, SIZE_U32 | PRIVATE, 0,
		     CLOCK_MONOTONIC);
}

static long wake(int i, int n)
{
	return call6(WAKE, (long)&words[i], 0xffffffffl, n, SIZE_U32 | PRIVATE, 0, 0);
}

static void waits_of_many(void)
{
	struct timespec limit = in_ms(CLOCK_MONOTONIC, 20);
	struct blocked b;

	is_int(waitv(&limit), -ETIMEDOUT, "waitv: a limit");
	words[1] = 1;
	is_int(waitv(NULL), -EAGAIN, "waitv: another value");
	words[1] = 0;
	for (int i = 0; i < 3; i++) {
		blocked_start(&b, waitv_all, NULL, NULL);
		blocked_wait(&b);
		is_int(wake(i, 1), 1, "waitv: a wake of %d", i);
		is_int(blocked_join(&b), i, "waitv: woken by %d", i);
		is_int(wake(0, 9) + wake(1, 9) + wake(2, 9), 0, "waitv: nobody is left");
	}
	for (int flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
		handled = 0;
		handle(SIGUSR1, flags, handler);
		blocked_start(&b, waitv_all, NULL, NULL);
		blocked_wait(&b);
		pthread_kill(b.thread, SIGUSR1);
		until(&handled, 1);
		if (blocked_wait(&b))
			wake(2, 1);
		ok(1, "waitv, a handler with flags %x: %ld", (unsigned int)flags,
		   blocked_join(&b));
	}
}

static void waits_of_one(void)
{
	struct one pair[2] = { { 0, (uintptr_t)&words[0], SIZE_U32 | PRIVATE, 0 },
			       { 0, (uintptr_t)&words[1], SIZE_U32 | PRIVATE, 0 } };
	struct blocked b;

	blocked_start(&b, wait_one, (void *)0, NULL);
	blocked_wait(&b);
	is_int(wake(1, 1), 0, "wait: not another word");
	is_int(wake(0, 1), 1, "wait: a wake");
	is_int(blocked_join(&b), 0, "wait: woken");
	blocked_start(&b, wait_one, (void *)0, NULL);
	blocked_wait(&b);
	is_int(call6(REQUEUE, (long)pair, 0, 0, 1, 0, 0), 1, "requeue: of one");
	is_int(wake(0, 1), 0, "requeue: not here");
	is_int(raw_futex(&words[1], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1,
	       "requeue: there, by the older call");
	is_int(blocked_join(&b), 0, "requeue: woken");
}

int main(void)
{
	if (call6(WAITV, 0, 0, 0, 0, 0, 0) == -ENOSYS)
		skip("not in this kernel", "futex_waitv");
	else
		waits_of_many();
	if (wake(0, 1) == -ENOSYS)
		skip("not in this kernel", "futex_wake");
	else
		waits_of_one();
	return tap_end();
}
