/* SPDX-License-Identifier: MIT */
/*
 * One function, decoded from its beginning to its end, and what is known of
 * each of its bytes.
 */
#ifndef UFUTEX_SITES_CODE_H
#define UFUTEX_SITES_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sites/object.h"

enum ufx_instruction_is {
	UFX_IS_SYSCALL = 1,
	UFX_IS_TRANSFER = 2,  /* branch, call, return, trap: cannot be moved */
	UFX_IS_END = 4,       /* nothing falls through it */
	UFX_IS_RELATIVE = 8,  /* has an operand relative to its own address */
	UFX_IS_SET = 16,      /* sets @reg to @value */
	UFX_IS_COPY = 32,     /* sets @reg to what is in @from */
	UFX_IS_LOAD = 64,     /* sets @reg to another value */
	UFX_IS_POP = 128,     /* pops @reg */
	UFX_IS_NOTHING = 256, /* does nothing, or is a trap that fills gaps */
	UFX_IS_TRAP = 512,    /* cannot be executed by a program, or never is */
};

/* Registers have the processor's numbers. */
#define UFX_RAX 0
#define UFX_RSP 4
#define UFX_REGISTER(n) (1u << (n))
#define UFX_NOWHERE UINT32_MAX

struct ufx_instruction {
	uint32_t at; /* from the function's beginning */
	uint32_t to; /* where in the function it may branch to, or UFX_NOWHERE */
	uint32_t value;
	uint16_t writes; /* which registers, all or a part of each */
	uint16_t is;
	uint8_t length;
	uint8_t relocation; /* where in it its relative displacement is */
	uint8_t reg, from;
	uint8_t kind; /* of a system call that @matters */
	bool matters;
};

/* What is known of a byte. */
enum ufx_mark {
	UFX_MARK_BEGIN = 1,  /* an instruction begins here */
	UFX_MARK_TARGET = 2, /* it is jumped to, or its address is taken */
	UFX_MARK_GUESS = 4,  /* it may be jumped to */
	UFX_MARK_TAKEN = 8,  /* a site's window has it */
	UFX_MARK_ENTRY = 16, /* not only by branches of the function itself */
	UFX_MARK_REACHED = UFX_MARK_TARGET | UFX_MARK_GUESS,
};

struct ufx_code {
	struct ufx_function range;
	const uint8_t *bytes;
	uint32_t size;
	uint8_t *marks; /* one a byte */
	struct ufx_instruction *list;
	size_t count;
	bool whole;    /* it decodes to its end */
	bool gap;      /* it is what stands where no function is known */
	bool outside;  /* its last instruction is behind the function's end */
	bool indirect; /* it has a jump to a computed address */
	bool labels;   /* it takes the address of a place in itself */
};

/* Hears of a direct branch or call to @to. */
typedef void ufx_branch_found(void *context, uint64_t to);

/* Decodes @range, which is in one executable segment. */
void ufx_code_decode(struct ufx_code *code, const struct ufx_object *object,
		     const struct ufx_function *range);

/* Gets ready to mark what is in @range, without decoding it. */
void ufx_code_begin(struct ufx_code *code, const struct ufx_object *object,
		    const struct ufx_function *range);

/* Only bytes, from @start to @end. False, if the object does not have them. */
bool ufx_code_view(struct ufx_code *code, const struct ufx_object *object,
		   uint64_t start, uint64_t end);

/* The one instruction @at so many bytes behind the beginning, if it is one. */
bool ufx_code_instruction(const struct ufx_code *code, uint32_t at,
			  struct ufx_instruction *instruction);

/*
 * Is one of @marks inside an instruction? Then what was decoded is not what
 * is executed, or not all of it. But one past a lock prefix is a way to leave
 * it out.
 */
bool ufx_code_split(const struct ufx_code *code, int marks);
void ufx_code_free(struct ufx_code *code);

/* The direct branches among @range's instructions. Does it decode to its end? */
bool ufx_code_branches(const struct ufx_object *object,
		       const struct ufx_function *range,
		       ufx_branch_found *found, void *context);

static inline bool ufx_code_covers(const struct ufx_code *code, uint64_t address)
{
	return address >= code->range.start && address < code->range.end;
}

/* @address is one that @code covers. */
static inline void ufx_code_mark(struct ufx_code *code, uint64_t address,
				 int mark)
{
	code->marks[address - code->range.start] |= (uint8_t)mark;
}

#endif
