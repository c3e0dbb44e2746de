/* SPDX-License-Identifier: MIT */
/* Restartable sequences for x86-64. */
#ifndef UFUTEX_SECTION_X86_64_H
#define UFUTEX_SECTION_X86_64_H

#define UFX_HAVE_SECTIONS 1

/*
 * Label 1: first instruction; 2: behind the commit; 3: descriptor; 4: abort
 * address, behind the signature that the kernel looks for. Flag ? puts both
 * parts into the function's own group, so that a discarded copy of an inline
 * function takes them along.
 */
#define UFX_SECTION_BEGIN                                                      \
	".pushsection __rseq_cs, \"aw?\"\n\t"                                  \
	".balign 32\n\t"                                                       \
	"3: .long 0, 0\n\t"                                                    \
	".quad 1f, 2f - 1f, 4f\n\t"                                            \
	".popsection\n\t"                                                      \
	".pushsection __rseq_cs_ptr_array, \"aw?\"\n\t"                        \
	".quad 3b\n\t"                                                         \
	".popsection\n\t"                                                      \
	"leaq 3b(%%rip), %[tmp]\n\t"                                           \
	"movq %[tmp], %%fs:8(%[area])\n"                                       \
	"1:\n\t"                                                               \
	"movl %%fs:4(%[area]), %k[cpu]\n\t"                                    \
	"cmpl %[cpus], %k[cpu]\n\t"                                            \
	"jae %l[slow]\n\t"

#define UFX_SECTION_END                                                        \
	"2:\n\t"                                                               \
	".pushsection __rseq_failure, \"ax?\"\n\t"                             \
	".byte 0x0f, 0xb9, 0x3d\n\t"                                           \
	".long 0x53053053\n"                                                   \
	"4:\n\t"                                                               \
	"jmp %l[abort]\n\t"                                                    \
	".popsection\n\t"

/* Clears the pointer to the calling thread's last sequence. */
static inline void ufx_section_clear(void)
{
	__asm__ __volatile__("movq $0, %%fs:8(%[area])"
			     :
			     : [area] "r"(ufx_section_env.area)
			     : "memory");
}

/* A build for tests can make the stretch before the commit long. */
#ifdef UFX_TEST_DELAYS
UFX_BEGIN
extern uint64_t ufx_section_delay;
UFX_END
#define UFX_SECTION_DELAY                                                      \
	"movq ufx_section_delay(%%rip), %[cpu]\n"                              \
	"5:\n\t"                                                               \
	"subq $1, %[cpu]\n\t"                                                  \
	"jns 5b\n\t"                                                           \
	"movl %%fs:4(%[area]), %k[cpu]\n\t"
#else
#define UFX_SECTION_DELAY
#endif

/* {state of *@cells; this CPU's cell += @n} */
static inline enum ufx_section_result ufx_section_add(const uintptr_t *cells,
						      long n)
{
	uintptr_t tmp, cpu;

	__asm__ __volatile__ goto(
		UFX_SECTION_BEGIN
		"movq %[cells], %[tmp]\n\t"
		"testb $7, %b[tmp]\n\t"
		"jnz %l[slow]\n\t"
		UFX_SECTION_DELAY
		"shlq $12, %[cpu]\n\t"
		"addq %[n], (%[tmp], %[cpu])\n"
		UFX_SECTION_END
		: [tmp] "=&r"(tmp), [cpu] "=&r"(cpu)
		: [area] "r"(ufx_section_env.area),
		  [cpus] "rm"(ufx_section_env.cpus), [cells] "m"(*cells),
		  [n] "er"(n)
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
	uintptr_t tmp, cpu;
	void *obj;

	__asm__ __volatile__ goto(
		UFX_SECTION_BEGIN
		"movq %[where], %[obj]\n\t"
		"testq %[obj], %[obj]\n\t"
		"jz %l[empty]\n\t"
		"movq (%[obj]), %[tmp]\n\t"
		"testb $7, %b[tmp]\n\t"
		"jnz %l[slow]\n\t"
		UFX_SECTION_DELAY
		"shlq $12, %[cpu]\n\t"
		"incq (%[tmp], %[cpu])\n"
		UFX_SECTION_END
		: [tmp] "=&r"(tmp), [cpu] "=&r"(cpu), [obj] "=&r"(obj)
		: [area] "r"(ufx_section_env.area),
		  [cpus] "rm"(ufx_section_env.cpus), [where] "m"(*where)
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
 * ABORT also where the count changed meanwhile.
 */
static inline enum ufx_section_result
ufx_section_pin_atomic(void *const *where, void **object)
{
	uintptr_t tmp, cpu;
	void *obj;

	__asm__ __volatile__ goto(
		UFX_SECTION_BEGIN
		"movq %[where], %[obj]\n\t"
		"testq %[obj], %[obj]\n\t"
		"jz %l[empty]\n\t"
		"testb $1, (%[obj])\n\t"
		"jz %l[slow]\n\t"
		"movq 8(%[obj]), %[tmp]\n\t"
		"movq 8(%[tmp]), %%rax\n\t"
		"testq %%rax, %%rax\n\t"
		"jz %l[empty]\n\t"
		UFX_SECTION_DELAY
		"leaq 1(%%rax), %[cpu]\n\t"
		"lock cmpxchgq %[cpu], 8(%[tmp])\n"
		UFX_SECTION_END
		"jnz %l[abort]\n\t"
		: [tmp] "=&r"(tmp), [cpu] "=&r"(cpu), [obj] "=&r"(obj)
		: [area] "r"(ufx_section_env.area),
		  [cpus] "rm"(ufx_section_env.cpus), [where] "m"(*where)
		: "memory", "cc", "rax"
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
 * read-only, the last load is the commit. Loads are not reordered here. The
 * layout of a table is checked in src/table/table.h.
 */
static inline enum ufx_section_result
ufx_section_peek(void *const *where, uint64_t hash, uint64_t *word)
{
	uintptr_t tmp, cpu;
	void *table;

	__asm__ __volatile__ goto(
		UFX_SECTION_BEGIN
		"movq %[where], %[table]\n\t"
		"testq %[table], %[table]\n\t"
		"jz %l[empty]\n\t"
		"movl 24(%[table]), %k[tmp]\n\t"
		"andl %k[hash], %k[tmp]\n\t"
		"cmpq $0, 16(%[table])\n\t"
		"jnz %l[slow]\n\t"
		UFX_SECTION_DELAY
		"shlq $6, %[tmp]\n\t"
		"movq 128(%[table], %[tmp]), %[tmp]\n"
		UFX_SECTION_END
		: [tmp] "=&r"(tmp), [cpu] "=&r"(cpu), [table] "=&r"(table)
		: [area] "r"(ufx_section_env.area),
		  [cpus] "rm"(ufx_section_env.cpus), [where] "m"(*where),
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
 * moved; its lock word += @take}: the compare and swap that locks the bucket
 * is the commit. SLOW where a closer look is needed; ABORT also where the word
 * changed meanwhile.
 */
static inline enum ufx_section_result
ufx_section_lock(void *const *where, uint64_t hash, uint64_t take, void **table,
		 void **bucket)
{
	uintptr_t tmp, cpu;
	void *t;

	__asm__ __volatile__ goto(
		UFX_SECTION_BEGIN
		"movq %[where], %[table]\n\t"
		"testq %[table], %[table]\n\t"
		"jz %l[slow]\n\t"
		"movl 24(%[table]), %k[tmp]\n\t"
		"andl %k[hash], %k[tmp]\n\t"
		"cmpq $0, 16(%[table])\n\t"
		"jnz %l[slow]\n\t"
		"shlq $6, %[tmp]\n\t"
		"leaq 128(%[table], %[tmp]), %[tmp]\n\t"
		"movq (%[tmp]), %%rax\n\t"
		"testb $5, %%al\n\t"
		"jnz %l[slow]\n\t"
		UFX_SECTION_DELAY
		"leaq (%%rax, %[take]), %[cpu]\n\t"
		"lock cmpxchgq %[cpu], (%[tmp])\n"
		UFX_SECTION_END
		"jnz %l[abort]\n\t"
		: [tmp] "=&r"(tmp), [cpu] "=&r"(cpu), [table] "=&r"(t)
		: [area] "r"(ufx_section_env.area),
		  [cpus] "rm"(ufx_section_env.cpus), [where] "m"(*where),
		  [hash] "r"(hash), [take] "r"(take)
		: "memory", "cc", "rax"
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
