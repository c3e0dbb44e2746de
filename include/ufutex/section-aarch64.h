/* SPDX-License-Identifier: MIT */
/* Restartable sequences for aarch64. */
#ifndef UFUTEX_SECTION_AARCH64_H
#define UFUTEX_SECTION_AARCH64_H

#define UFX_HAVE_SECTIONS 1

/* Labels as in section-x86_64.h. The signature is a BRK instruction. */
#define UFX_SECTION_BEGIN                                                      \
	".pushsection __rseq_cs, \"aw?\"\n\t"                                  \
	".balign 32\n\t"                                                       \
	"3: .long 0, 0\n\t"                                                    \
	".quad 1f, 2f - 1f, 4f\n\t"                                            \
	".popsection\n\t"                                                      \
	".pushsection __rseq_cs_ptr_array, \"aw?\"\n\t"                        \
	".quad 3b\n\t"                                                         \
	".popsection\n\t"                                                      \
	"adrp %[tmp], 3b\n\t"                                                  \
	"add %[tmp], %[tmp], :lo12:3b\n\t"                                     \
	"str %[tmp], [%[area], #8]\n"                                          \
	"1:\n\t"                                                               \
	"ldr %w[cpu], [%[area], #4]\n\t"                                       \
	"cmp %w[cpu], %w[cpus]\n\t"                                            \
	"b.hs %l[slow]\n\t"

#define UFX_SECTION_END                                                        \
	"2:\n\t"                                                               \
	".pushsection __rseq_failure, \"ax?\"\n\t"                             \
	".inst 0xd428bc00\n"                                                   \
	"4:\n\t"                                                               \
	"b %l[abort]\n\t"                                                      \
	".popsection\n\t"

static inline char *ufx_section_area(void)
{
	return (char *)__builtin_thread_pointer() + ufx_section_env.area;
}

/* Clears the pointer to the calling thread's last sequence. */
static inline void ufx_section_clear(void)
{
	__asm__ __volatile__("str xzr, [%[area], #8]"
			     :
			     : [area] "r"(ufx_section_area())
			     : "memory");
}

/* {state of *@cells; this CPU's cell += @n} */
static inline enum ufx_section_result ufx_section_add(const uintptr_t *cells,
						      long n)
{
	uintptr_t tmp, cpu, value;

	__asm__ __volatile__ goto(
		UFX_SECTION_BEGIN
		"ldr %[tmp], [%[cells]]\n\t"
		"tst %[tmp], #7\n\t"
		"b.ne %l[slow]\n\t"
		"add %[tmp], %[tmp], %[cpu], lsl #12\n\t"
		"ldr %[value], [%[tmp]]\n\t"
		"add %[value], %[value], %[n]\n\t"
		"str %[value], [%[tmp]]\n"
		UFX_SECTION_END
		: [tmp] "=&r"(tmp), [cpu] "=&r"(cpu), [value] "=&r"(value)
		: [area] "r"(ufx_section_area()),
		  [cpus] "r"(ufx_section_env.cpus), [cells] "r"(cells),
		  [n] "r"(n)
		: "memory", "cc"
		: slow, abort);
	return UFX_SECTION_DONE;
slow:
	return UFX_SECTION_SLOW;
abort:
	return UFX_SECTION_ABORT;
}

/* {object = *@where; its state; this CPU's cell of it += 1} */
static inline enum ufx_section_result ufx_section_pin(void *const *where,
						      void **object)
{
	uintptr_t tmp, cpu, value;
	void *obj;

	__asm__ __volatile__ goto(
		UFX_SECTION_BEGIN
		"ldar %[obj], [%[where]]\n\t"
		"cbz %[obj], %l[empty]\n\t"
		"ldr %[tmp], [%[obj]]\n\t"
		"tst %[tmp], #7\n\t"
		"b.ne %l[slow]\n\t"
		"add %[tmp], %[tmp], %[cpu], lsl #12\n\t"
		"ldr %[value], [%[tmp]]\n\t"
		"add %[value], %[value], #1\n\t"
		"str %[value], [%[tmp]]\n"
		UFX_SECTION_END
		: [tmp] "=&r"(tmp), [cpu] "=&r"(cpu), [value] "=&r"(value),
		  [obj] "=&r"(obj)
		: [area] "r"(ufx_section_area()),
		  [cpus] "r"(ufx_section_env.cpus), [where] "r"(where)
		: "memory", "cc"
		: slow, empty, abort);
	*object = obj;
	return UFX_SECTION_DONE;
slow:
	return UFX_SECTION_SLOW;
empty:
	return UFX_SECTION_EMPTY;
abort:
	return UFX_SECTION_ABORT;
}

/*
 * {object = *@where; in the atomic state; its count, if not zero, += 1}.
 * EMPTY also where the count was zero; SLOW where the state is another;
 * ABORT also where the count changed meanwhile (the exclusive store failed).
 * The state is loaded with acquire: who sees "atomic" sees the bias too, and
 * does not take an old zero for EMPTY.
 */
static inline enum ufx_section_result
ufx_section_pin_atomic(void *const *where, void **object)
{
	uintptr_t tmp, cpu, value;
	void *obj;

	__asm__ __volatile__ goto(
		UFX_SECTION_BEGIN
		"ldar %[obj], [%[where]]\n\t"
		"cbz %[obj], %l[empty]\n\t"
		"ldar %[tmp], [%[obj]]\n\t"
		"tbz %[tmp], #0, %l[slow]\n\t"
		"ldr %[tmp], [%[obj], #8]\n\t"
		"add %[tmp], %[tmp], #8\n\t"
		"ldaxr %[value], [%[tmp]]\n\t"
		"cbz %[value], %l[empty]\n\t"
		"add %[value], %[value], #1\n\t"
		"stxr %w[cpu], %[value], [%[tmp]]\n"
		UFX_SECTION_END
		"cbnz %w[cpu], %l[abort]\n\t"
		: [tmp] "=&r"(tmp), [cpu] "=&r"(cpu), [value] "=&r"(value),
		  [obj] "=&r"(obj)
		: [area] "r"(ufx_section_area()),
		  [cpus] "r"(ufx_section_env.cpus), [where] "r"(where)
		: "memory", "cc"
		: slow, empty, abort);
	*object = obj;
	return UFX_SECTION_DONE;
slow:
	return UFX_SECTION_SLOW;
empty:
	return UFX_SECTION_EMPTY;
abort:
	return UFX_SECTION_ABORT;
}

/*
 * {table = *@where; nothing in front of it; the lock word of @hash's bucket}:
 * read-only, the last load is the commit. What is in front of the table is
 * loaded with acquire, so that the bucket is read after it. The layout of a
 * table is checked in src/table/table.h.
 */
static inline enum ufx_section_result
ufx_section_peek(void *const *where, uint64_t hash, uint64_t *word)
{
	uintptr_t tmp, cpu, value;
	void *table;

	__asm__ __volatile__ goto(
		UFX_SECTION_BEGIN
		"ldar %[table], [%[where]]\n\t"
		"cbz %[table], %l[empty]\n\t"
		"add %[tmp], %[table], #16\n\t"
		"ldar %[value], [%[tmp]]\n\t"
		"cbnz %[value], %l[slow]\n\t"
		"ldr %w[tmp], [%[table], #24]\n\t"
		"and %w[tmp], %w[tmp], %w[hash]\n\t"
		"add %[tmp], %[table], %[tmp], lsl #6\n\t"
		"ldr %[tmp], [%[tmp], #128]\n"
		UFX_SECTION_END
		: [tmp] "=&r"(tmp), [cpu] "=&r"(cpu), [value] "=&r"(value),
		  [table] "=&r"(table)
		: [area] "r"(ufx_section_area()),
		  [cpus] "r"(ufx_section_env.cpus), [where] "r"(where),
		  [hash] "r"(hash)
		: "memory", "cc"
		: slow, empty, abort);
	*word = tmp;
	return UFX_SECTION_DONE;
slow:
	return UFX_SECTION_SLOW;
empty:
	return UFX_SECTION_EMPTY;
abort:
	return UFX_SECTION_ABORT;
}

/*
 * {table = *@where; nothing in front of it; @hash's bucket; neither locked nor
 * moved; its lock word += @take}: the exclusive store that locks the bucket is
 * the commit. It is a release, so that a load with acquire behind it is not
 * satisfied before it. SLOW where a closer look is needed; ABORT also where
 * the store failed.
 */
static inline enum ufx_section_result
ufx_section_lock(void *const *where, uint64_t hash, uint64_t take, void **table,
		 void **bucket)
{
	uintptr_t tmp, cpu, value;
	void *t;

	__asm__ __volatile__ goto(
		UFX_SECTION_BEGIN
		"ldar %[table], [%[where]]\n\t"
		"cbz %[table], %l[slow]\n\t"
		"add %[tmp], %[table], #16\n\t"
		"ldar %[value], [%[tmp]]\n\t"
		"cbnz %[value], %l[slow]\n\t"
		"ldr %w[tmp], [%[table], #24]\n\t"
		"and %w[tmp], %w[tmp], %w[hash]\n\t"
		"add %[tmp], %[table], %[tmp], lsl #6\n\t"
		"add %[tmp], %[tmp], #128\n\t"
		"ldaxr %[value], [%[tmp]]\n\t"
		"tbnz %[value], #0, %l[slow]\n\t"
		"tbnz %[value], #2, %l[slow]\n\t"
		"add %[value], %[value], %[take]\n\t"
		"stlxr %w[cpu], %[value], [%[tmp]]\n"
		UFX_SECTION_END
		"cbnz %w[cpu], %l[abort]\n\t"
		: [tmp] "=&r"(tmp), [cpu] "=&r"(cpu), [value] "=&r"(value),
		  [table] "=&r"(t)
		: [area] "r"(ufx_section_area()),
		  [cpus] "r"(ufx_section_env.cpus), [where] "r"(where),
		  [hash] "r"(hash), [take] "r"(take)
		: "memory", "cc"
		: slow, abort);
	*table = t;
	*bucket = (void *)tmp;
	return UFX_SECTION_DONE;
slow:
	return UFX_SECTION_SLOW;
abort:
	return UFX_SECTION_ABORT;
}

#endif
