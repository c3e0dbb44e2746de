/* SPDX-License-Identifier: MIT */
#include "host/guard_sized.h"

#if UFX_UNGUARDED
#define PLAIN 1
#endif

/* ---- loads ---- */

#ifdef PLAIN
#define LOAD(bits)                                                             \
	static int ufx_load##bits(const uint##bits##_t *word, uint64_t *value) \
	{                                                                      \
		*value = __atomic_load_n(word, __ATOMIC_ACQUIRE);              \
		return 0;                                                      \
	}
LOAD(8)
LOAD(16)
LOAD(64)
#else
#if defined(__x86_64__)
#define LOAD(bits, insn)                                                       \
	static int ufx_load##bits(const uint##bits##_t *word, uint64_t *value) \
	{                                                                      \
		uint64_t v;                                                    \
                                                                               \
		__asm__ __volatile__ goto("1: " insn "\n\t" UFX_GUARDED_TABLE  \
					  : [v] "=r"(v)                        \
					  : [w] "m"(*word)                     \
					  : "memory"                           \
					  : fault);                            \
		*value = v;                                                    \
		return 0;                                                      \
	fault:                                                                 \
		return -EFAULT;                                                \
	}
LOAD(8, "movzbl %[w], %k[v]")
LOAD(16, "movzwl %[w], %k[v]")
LOAD(64, "movq %[w], %[v]")
#else
#define LOAD(bits, insn)                                                       \
	static int ufx_load##bits(const uint##bits##_t *word, uint64_t *value) \
	{                                                                      \
		uint64_t v;                                                    \
                                                                               \
		__asm__ __volatile__ goto("1: " insn "\n\t" UFX_GUARDED_TABLE  \
					  : [v] "=r"(v)                        \
					  : [w] "r"(word)                      \
					  : "memory"                           \
					  : fault);                            \
		*value = v;                                                    \
		return 0;                                                      \
	fault:                                                                 \
		return -EFAULT;                                                \
	}
#if defined(__aarch64__)
LOAD(8, "ldarb %w[v], [%[w]]")
LOAD(16, "ldarh %w[v], [%[w]]")
LOAD(64, "ldar %[v], [%[w]]")
#else
LOAD(8, "lbu %[v], (%[w])\n\tfence r, rw")
LOAD(16, "lhu %[v], (%[w])\n\tfence r, rw")
LOAD(64, "ld %[v], (%[w])\n\tfence r, rw")
#endif
#endif
#endif

int ufx_guarded_load_sized(const void *word, uint32_t size, uint64_t *value)
{
	uint32_t v = 0;
	int ret;

	switch (size) {
	case 1:
		return ufx_load8(word, value);
	case 2:
		return ufx_load16(word, value);
	case 8:
		return ufx_load64(word, value);
	default:
		ret = ufx_guarded_load(word, &v);
		*value = v;
		return ret;
	}
}

/* ---- compare and swap ---- */

#if !defined(PLAIN) && defined(__x86_64__)
#define CAS(bits, insn, constraint)                                            \
	static int ufx_cas##bits(uint##bits##_t *word, uint64_t *expected,     \
			     uint64_t desired)                                 \
	{                                                                      \
		uint##bits##_t found = (uint##bits##_t)*expected, was = found; \
                                                                               \
		__asm__ __volatile__ goto("1: lock; " insn "\n\t"              \
					  UFX_GUARDED_TABLE                    \
					  : "+a"(found)                        \
					  : [w] "m"(*word),                    \
					    [d] constraint((uint##bits##_t)desired) \
					  : "memory", "cc"                     \
					  : fault);                            \
		*expected = found;                                             \
		return found == was;                                           \
	fault:                                                                 \
		return -EFAULT;                                                \
	}
CAS(8, "cmpxchgb %[d], %[w]", "q")
CAS(16, "cmpxchgw %[d], %[w]", "r")
CAS(64, "cmpxchgq %[d], %[w]", "r")
#else
/*
 * The word is looked at under guard just before; what can fault then is the store
 * to a page that may not be written, as for any atomic of the program's own.
 */
#define CAS(bits)                                                              \
	static int ufx_cas##bits(uint##bits##_t *word, uint64_t *expected,     \
			     uint64_t desired)                                 \
	{                                                                      \
		uint##bits##_t found = (uint##bits##_t)*expected;              \
		uint64_t value;                                                \
		int stored;                                                    \
                                                                               \
		if (ufx_load##bits(word, &value))                              \
			return -EFAULT;                                        \
		stored = __atomic_compare_exchange_n(                          \
			word, &found, (uint##bits##_t)desired, false,          \
			__ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);                   \
		*expected = found;                                             \
		return stored;                                                 \
	}
CAS(64)
#if !defined(__riscv)
CAS(8)
CAS(16)
#else
/*
 * The machine has no such operations on less than four bytes, and the compiler
 * calls a library for them: so it is done on the four around.
 */
static int ufx_cas_part(void *word, unsigned int bits, uint64_t *expected, uint64_t desired)
{
	uint32_t *whole = (uint32_t *)((uintptr_t)word & ~(uintptr_t)3), old;
	unsigned int shift = (unsigned int)((uintptr_t)word & 3) * 8;
	uint32_t mask = (uint32_t)((1ull << bits) - 1);
	int ret = ufx_guarded_load(whole, &old);

	while (!ret) {
		if ((old >> shift & mask) != (*expected & mask)) {
			*expected = old >> shift & mask;
			return 0;
		}
		/* 0 may be its neighbours' doing. */
		ret = ufx_guarded_cas(whole, &old,
				      (old & ~(mask << shift)) |
					      ((uint32_t)desired & mask) << shift);
	}
	return ret;
}

static int ufx_cas8(void *word, uint64_t *expected, uint64_t desired)
{
	return ufx_cas_part(word, 8, expected, desired);
}

static int ufx_cas16(void *word, uint64_t *expected, uint64_t desired)
{
	return ufx_cas_part(word, 16, expected, desired);
}
#endif
#endif

int ufx_guarded_cas_sized(void *word, uint32_t size, uint64_t *expected,
			  uint64_t desired)
{
	uint32_t found = (uint32_t)*expected;
	int ret;

	switch (size) {
	case 1:
		return ufx_cas8(word, expected, desired);
	case 2:
		return ufx_cas16(word, expected, desired);
	case 8:
		return ufx_cas64(word, expected, desired);
	default:
		ret = ufx_guarded_cas(word, &found, (uint32_t)desired);
		*expected = found;
		return ret;
	}
}
