/* SPDX-License-Identifier: MIT */
/*
 * A library that makes futex calls of its own: in its functions, and in its
 * constructor, where a thread of its own waits and is woken.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "plugin.h"

static long own_futex(uint32_t *word, long op, long value)
{
#ifdef __x86_64__
	register long r10 __asm__("r10") = 0;
	long result;

	__asm__ volatile("mov $202, %%eax\n\tsyscall"
			 : "=&a"(result)
			 : "D"(word), "S"(op), "d"(value), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
#else
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
#endif
}

static long wait(uint32_t *word, uint32_t value)
{
	return own_futex(word, FUTEX_WAIT_PRIVATE, value);
}

static long wake(uint32_t *word, int n)
{
	return own_futex(word, FUTEX_WAKE_PRIVATE, n);
}

static uint32_t word;

static void *waits(void *arg)
{
	while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0)
		wait(&word, 0);
	*(int *)arg = 1;
	return NULL;
}

__attribute__((visibility("default"))) struct plugin plugin;

__attribute__((constructor)) static void construct(void)
{
	pthread_t thread;

	plugin.wait = wait;
	plugin.wake = wake;
	if (pthread_create(&thread, NULL, waits, &plugin.constructed))
		return;
	__atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
	wake(&word, 1);
	pthread_join(thread, NULL);
}

__attribute__((destructor)) static void destruct(void)
{
	wake(&word, 1);
}
