/* SPDX-License-Identifier: MIT */
/*
 * Access to memory that threads share. Everything goes through these, so that
 * the core can be compiled for another host.
 */
#ifndef UFX_HOST_ATOMIC_H
#define UFX_HOST_ATOMIC_H

#include <ufutex/base.h>

#define ufx_load(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define ufx_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define ufx_store(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define ufx_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

/*
 * Read-modify-writes are full fences on x86. Elsewhere they are acquire and
 * release, and seq_cst among themselves, but order no plain load behind them:
 * ufx_fence_after_rmw does.
 */
#define ufx_xchg(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define ufx_fetch_add(p, v) __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define ufx_fetch_sub(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST)
#define ufx_fetch_or(p, v) __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define ufx_fetch_and(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
#define ufx_add_relaxed(p, v)                                                  \
	((void)__atomic_fetch_add((p), (v), __ATOMIC_RELAXED))

/* Compares and swaps; on failure *@e is what was found, an acquire. */
#define UFX_CAS(p, e, v)                                                       \
	__atomic_compare_exchange_n((p), (e), (v), false, __ATOMIC_SEQ_CST,    \
				    __ATOMIC_ACQUIRE)

#if defined(__riscv)
/*
 * gcc before 14 compares all of a register, and forgets to extend what it expects
 * of 32 bits as the machine does what it has found: with the highest bit set it
 * would never be equal.
 */
static inline bool ufx_cas_word(void *word, void *expected, uint32_t desired)
{
	long want = *(const int32_t *)expected, found, failed = 0;

	__asm__ __volatile__("1: lr.w.aqrl %[f], (%[w])\n\t"
			     "bne %[f], %[e], 2f\n\t"
			     "sc.w.rl %[s], %[d], (%[w])\n\t"
			     "bnez %[s], 1b\n"
			     "2:"
			     : [f] "=&r"(found), [s] "+&r"(failed)
			     : [w] "r"(word), [e] "r"(want), [d] "r"(desired)
			     : "memory");
	if (found == want)
		return true;
	*(int32_t *)expected = (int32_t)found;
	return false;
}

#define ufx_cas(p, e, v)                                                       \
	__builtin_choose_expr(sizeof(*(p)) == 4,                               \
			      ufx_cas_word((p), (e), (uint32_t)(uintptr_t)(v)), \
			      UFX_CAS(p, e, v))
#else
#define ufx_cas(p, e, v) UFX_CAS(p, e, v)
#endif

#define ufx_likely(x) __builtin_expect(!!(x), 1)
#define ufx_unlikely(x) __builtin_expect(!!(x), 0)

#define ufx_container(p, type, member)                                         \
	((type *)((char *)(p)-offsetof(type, member)))

/*
 * UFX_PORTABLE: not for Linux by itself, but for whatever gives the functions of
 * ufutex/host.h.
 */
#ifndef UFX_PORTABLE
#define UFX_PORTABLE 0
#endif

/*
 * UFX_MODEL: the core is compiled for the explorer's host, with the thread
 * sanitizer's instrumentation but not its runtime. No assembly, then.
 */
#ifndef UFX_MODEL
#define UFX_MODEL 0
#endif

#if UFX_MODEL
#define UFX_TSAN 0
#elif defined(__SANITIZE_THREAD__)
#define UFX_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UFX_TSAN 1
#endif
#endif
#ifndef UFX_TSAN
#define UFX_TSAN 0
#endif

/*
 * UFX_EMBEDDED: compiled into somebody's program (scripts/amalgamate.py), and
 * maybe into its libraries too. Then nothing runs before it is called, and what
 * copies of the engine cannot know of each other is not done.
 */
#ifndef UFX_EMBEDDED
#define UFX_EMBEDDED 0
#endif

static inline void ufx_compiler_barrier(void)
{
	__asm__ __volatile__("" ::: "memory");
}

/*
 * The full fence. On x86 a locked instruction on the stack: mfence, which some
 * compilers choose for a seq_cst fence, costs several times as much. The
 * thread sanitizer does not know fences; it gets a seq_cst read-modify-write.
 */
#if UFX_TSAN
extern uint32_t ufx_fence_word;
#endif

static inline void ufx_fence(void)
{
#if UFX_TSAN
	__atomic_fetch_add(&ufx_fence_word, 0, __ATOMIC_SEQ_CST);
#elif defined(__x86_64__) && !UFX_MODEL
	__asm__ __volatile__("lock; orq $0, (%%rsp)" ::: "memory", "cc");
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* A full fence, given that a read-modify-write of ours stands just before. */
static inline void ufx_fence_after_rmw(void)
{
#if defined(__x86_64__) && !UFX_TSAN && !UFX_MODEL
	ufx_compiler_barrier();
#else
	ufx_fence();
#endif
}

/* Tells the processor that this is a spinning loop. */
#if UFX_MODEL
void ufx_pause(void);
#else
static inline void ufx_pause(void)
{
#if defined(__x86_64__)
	__asm__ __volatile__("pause" ::: "memory");
#elif defined(__aarch64__)
	__asm__ __volatile__("isb" ::: "memory");
#elif defined(__riscv)
	__asm__ __volatile__(".4byte 0x0100000f" ::: "memory"); /* pause: a hint */
#else
	ufx_compiler_barrier();
#endif
}
#endif

/* A bound that the explorer makes small, to come to what lies beyond it. */
#define UFX_SMALL(usual, small) (UFX_MODEL ? (small) : (usual))

#endif
