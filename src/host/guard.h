/* SPDX-License-Identifier: MIT */
/*
 * Guarded access to words of the program: a word that is not mapped gives
 * -EFAULT, not a crash. The instruction that may fault is entered in a table
 * with the address to go on at; a handler for SIGSEGV and SIGBUS looks there.
 * Costs nothing when nothing faults. May be used under a bucket lock.
 */
#ifndef UFX_HOST_GUARD_H
#define UFX_HOST_GUARD_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/atomic.h"

/*
 * Installs the handlers; once, after the start of the library. Faults of
 * others go to the previous handlers.
 */
void ufx_guard_install(void);

/*
 * For a handler of SIGSEGV or SIGBUS, with its third argument. True: the fault
 * was a guarded access; to return is all that is left to do. Async-signal-safe.
 */
bool ufx_guard_fixup(void *context);

/* From now on somebody's own handlers call that: nothing is to be installed. */
void ufx_guard_is_elsewhere(void);

/* A sanitizer or the explorer must see the access; or nobody catches a fault. */
#if UFX_TSAN || UFX_MODEL || UFX_PORTABLE || \
	!(defined(__x86_64__) || defined(__aarch64__) || defined(__riscv))
#define UFX_UNGUARDED 1
#else
#define UFX_UNGUARDED 0
#endif

#define UFX_GUARDED_TABLE                                                      \
	".pushsection ufx_extable, \"a\"\n\t"                                  \
	".balign 4\n\t"                                                        \
	".long 1b - ., %l[fault] - .\n\t"                                      \
	".popsection\n\t"

/* @value = *@word, acquire. Returns 0 or -EFAULT. */
static inline int ufx_guarded_load(const uint32_t *word, uint32_t *value)
{
#if UFX_UNGUARDED
	*value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	return 0;
#else
	uint32_t v;

#if defined(__x86_64__)
	__asm__ __volatile__ goto("1: movl %[w], %[v]\n\t" UFX_GUARDED_TABLE
				  : [v] "=r"(v)
				  : [w] "m"(*word)
				  : "memory"
				  : fault);
#elif defined(__aarch64__)
	__asm__ __volatile__ goto("1: ldar %w[v], [%[w]]\n\t" UFX_GUARDED_TABLE
				  : [v] "=r"(v)
				  : [w] "r"(word)
				  : "memory"
				  : fault);
#elif defined(__riscv)
	__asm__ __volatile__ goto("1: lw %[v], (%[w])\n\t" UFX_GUARDED_TABLE
				  "fence r, rw"
				  : [v] "=r"(v)
				  : [w] "r"(word)
				  : "memory"
				  : fault);
#endif
	*value = v;
	return 0;
fault:
	return -EFAULT;
#endif
}

/*
 * If *@word is *@expected stores @desired, a full fence; else *@expected
 * becomes what was found. Returns 1 (stored), 0, or -EFAULT.
 */
static inline int ufx_guarded_cas(uint32_t *word, uint32_t *expected,
				  uint32_t desired)
{
#if UFX_UNGUARDED
	return ufx_cas(word, expected, desired);
#elif defined(__x86_64__)
	uint32_t found = *expected;

	__asm__ __volatile__ goto("1: lock; cmpxchgl %[d], %[w]\n\t"
				  UFX_GUARDED_TABLE
				  : "+a"(found)
				  : [w] "m"(*word), [d] "r"(desired)
				  : "memory", "cc"
				  : fault);
	if (found == *expected)
		return 1;
	*expected = found;
	return 0;
fault:
	return -EFAULT;
#elif defined(__aarch64__)
	uint32_t found, failed;

	__asm__ __volatile__ goto("1: ldaxr %w[f], [%[w]]\n\t"
				  UFX_GUARDED_TABLE
				  : [f] "=&r"(found)
				  : [w] "r"(word)
				  : "memory"
				  : fault);
	if (found != *expected) {
		__asm__ __volatile__("clrex" ::: "memory");
		*expected = found;
		return 0;
	}
	__asm__ __volatile__ goto("1: stlxr %w[s], %w[d], [%[w]]\n\t"
				  UFX_GUARDED_TABLE
				  : [s] "=&r"(failed)
				  : [w] "r"(word), [d] "r"(desired)
				  : "memory"
				  : fault);
	if (failed)
		return 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return 1;
fault:
	return -EFAULT;
#elif defined(__riscv)
	long want = (int32_t)*expected, found, failed = 0;

	__asm__ __volatile__ goto("1: lr.w.aqrl %[f], (%[w])\n\t"
				  UFX_GUARDED_TABLE
				  "bne %[f], %[e], 2f\n\t"
				  "1: sc.w.rl %[s], %[d], (%[w])\n\t"
				  UFX_GUARDED_TABLE
				  "2:"
				  : [f] "=&r"(found), [s] "+&r"(failed)
				  : [w] "r"(word), [e] "r"(want), [d] "r"(desired)
				  : "memory"
				  : fault);
	if (found != want) {
		*expected = (uint32_t)found;
		return 0;
	}
	if (failed)
		return 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return 1;
fault:
	return -EFAULT;
#endif
}

/* The same for a word at any address, unordered. */
static inline int ufx_guarded_load_any(const uint32_t *word, uint32_t *value)
{
#if defined(__aarch64__) && !UFX_UNGUARDED
	uint32_t v;

	__asm__ __volatile__ goto("1: ldr %w[v], [%[w]]\n\t" UFX_GUARDED_TABLE
				  : [v] "=r"(v)
				  : [w] "r"(word)
				  : "memory"
				  : fault);
	*value = v;
	return 0;
fault:
	return -EFAULT;
#else
	return ufx_guarded_load(word, value);
#endif
}

/* Copies @size bytes (a multiple of 4) from the program. 0 or -EFAULT. */
int ufx_guarded_copy(void *to, const void *from, unsigned long size);

#endif
