/* SPDX-License-Identifier: MIT */
/* Sequences that are wrong, one for each value of BROKEN; see broken.py. */
#include <ufutex/section.h>

#ifdef __x86_64__
#define LOAD "movq %[cells], %[tmp]\n\t"
#define STORE "movq %[tmp], %[cells]\n\t"
#define CALL "call ufx_broken_call\n\t"
#define NOTHING "nop\n"
#define SIGNATURE ".byte 0x0f, 0xb9, 0x3d\n\t.long 0x53053053\n"
#define WRONG_SIGNATURE ".byte 0x0f, 0xb9, 0x3d\n\t.long 0x53053054\n"
#define GOTO "jmp"
#define AREA ufx_section_env.area
#else
#define LOAD "ldr %[tmp], %[cells]\n\t"
#define STORE "str %[tmp], %[cells]\n\t"
#define CALL "bl ufx_broken_call\n\t"
#define NOTHING "nop\n"
#define SIGNATURE ".inst 0xd428bc00\n"
#define WRONG_SIGNATURE ".inst 0xd428bc01\n"
#define GOTO "b"
#define AREA ufx_section_area()
#endif

#if BROKEN == 1 /* two stores */
#define BODY LOAD STORE STORE
#elif BROKEN == 2 /* a call */
#define BODY LOAD CALL STORE
#elif BROKEN == 3 /* the commit is not the last instruction */
#define BODY LOAD STORE NOTHING
#elif BROKEN == 4 /* nothing is committed */
#define BODY LOAD NOTHING
#else
#define BODY LOAD STORE
#endif

/* The tail of a section with another signature or abort address. */
#define END(signature, abort_in_section)                                       \
	"2:\n\t"                                                               \
	".pushsection __rseq_failure, \"ax?\"\n\t" signature                   \
	abort_in_section GOTO " %l[abort]\n\t"                                 \
	".popsection\n\t"

#define END_ELSEWHERE                                                          \
	"2:\n\t"                                                               \
	".pushsection __rseq_failure, \"ax?\"\n\t" SIGNATURE "4:\n\t" GOTO       \
	" ufx_broken_call\n\t"                                                \
	".popsection\n\t"

UFX_API void ufx_broken_call(void);
UFX_API int ufx_broken(uintptr_t *cells);
struct ufx_section_environment ufx_section_env;

void ufx_broken_call(void)
{
}

int ufx_broken(uintptr_t *cells)
{
	uintptr_t tmp, cpu;

	__asm__ __volatile__ goto(
		UFX_SECTION_BEGIN
#if BROKEN == 5 /* the abort address lies inside */
		"4:\n\t" BODY END(SIGNATURE, "")
#elif BROKEN == 6 /* the signature is another */
		BODY END(WRONG_SIGNATURE, "4:\n\t")
#elif BROKEN == 8 /* an abort leaves the function */
		BODY END_ELSEWHERE
#else
		BODY END(SIGNATURE, "4:\n\t")
#endif
#if BROKEN == 7 /* a jump from outside */
		GOTO " 1b\n\t"
#endif
		: [tmp] "=&r"(tmp), [cpu] "=&r"(cpu), [cells] "+m"(*cells)
		: [area] "r"(AREA), [cpus] "r"(ufx_section_env.cpus)
		: "memory", "cc"
		: slow, abort);
	return 0;
slow:
	return 1;
abort:
	return 2;
}
