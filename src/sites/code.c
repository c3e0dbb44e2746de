/* SPDX-License-Identifier: MIT */
#include "sites/code.h"

#include <Zydis/Zydis.h>
#include <string.h>

#include "sites/array.h"

struct decoded {
	ZydisDecodedInstruction i;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
};

static const ZydisDecoder *decoder(void)
{
	static ZydisDecoder d;
	static bool ready;

	if (!ready)
		ZydisDecoderInit(&d, ZYDIS_MACHINE_MODE_LONG_64,
				 ZYDIS_STACK_WIDTH_64);
	ready = true;
	return &d;
}

static bool decode(struct decoded *d, const uint8_t *bytes, size_t left)
{
	return ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder(), bytes, left, &d->i,
						   d->op));
}

/* ---- what an instruction is ------------------------------------------------ */

static bool ends(const ZydisDecodedInstruction *i)
{
	return i->meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
	       i->meta.category == ZYDIS_CATEGORY_RET ||
	       i->mnemonic == ZYDIS_MNEMONIC_UD2 ||
	       i->mnemonic == ZYDIS_MNEMONIC_HLT;
}

/* What does not do the same elsewhere, or may not come back. */
static bool transfers(const ZydisDecodedInstruction *i)
{
	switch (i->meta.category) {
	case ZYDIS_CATEGORY_UNCOND_BR:
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_CALL:
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_INTERRUPT:
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_SYSRET:
		return true;
	default:
		return i->meta.branch_type != ZYDIS_BRANCH_TYPE_NONE || ends(i);
	}
}

/* The number of the general register that the operand is, or is a part of. */
static bool general(const ZydisDecodedOperand *op, uint8_t *reg)
{
	ZydisRegister whole;

	if (op->type != ZYDIS_OPERAND_TYPE_REGISTER)
		return false;
	whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
						 op->reg.value);
	if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15)
		return false;
	*reg = (uint8_t)(whole - ZYDIS_REGISTER_RAX);
	return true;
}

/* Or is a trap that fills gaps. */
static bool does_nothing(const ZydisDecodedInstruction *i)
{
	return i->meta.category == ZYDIS_CATEGORY_NOP ||
	       i->meta.category == ZYDIS_CATEGORY_WIDENOP ||
	       i->mnemonic == ZYDIS_MNEMONIC_INT3;
}

/* Also what is not written down, as push writes rsp. */
static uint16_t written(const struct decoded *d)
{
	uint16_t mask = 0;
	uint8_t reg;

	for (int n = 0; n < d->i.operand_count; n++)
		if (d->op[n].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE &&
		    general(&d->op[n], &reg))
			mask |= (uint16_t)UFX_REGISTER(reg);
	/* Some are not listed: the kernel's answer, a callee's work. */
	if (d->i.meta.category == ZYDIS_CATEGORY_SYSCALL)
		mask |= UFX_REGISTER(UFX_RAX);
	if (d->i.meta.category == ZYDIS_CATEGORY_CALL ||
	    (d->i.meta.category == ZYDIS_CATEGORY_INTERRUPT && !does_nothing(&d->i)) ||
	    d->i.mnemonic == ZYDIS_MNEMONIC_XBEGIN)
		mask = UINT16_MAX;
	return mask;
}

/* The lower half counts: all of it is written. */
static bool is_target_register(const ZydisDecodedOperand *op, uint8_t *reg)
{
	return general(op, reg) && op->size >= 32;
}

static bool loads(const ZydisDecodedInstruction *i)
{
	switch (i->mnemonic) {
	case ZYDIS_MNEMONIC_MOV: /* but no compiler's with an address of 8 bytes */
		return i->opcode != 0xa1;
	case ZYDIS_MNEMONIC_MOVZX:
	case ZYDIS_MNEMONIC_MOVSX:
	case ZYDIS_MNEMONIC_MOVSXD:
	case ZYDIS_MNEMONIC_LEA:
		return true;
	default:
		return i->meta.category == ZYDIS_CATEGORY_CMOV;
	}
}

/* How @reg of @i is set: also by mov of a register, xor of one with itself. */
static uint16_t sets(const struct decoded *d, struct ufx_instruction *i)
{
	const ZydisDecodedOperand *from = &d->op[1];

	if (!is_target_register(&d->op[0], &i->reg))
		return 0;
	if (d->i.mnemonic == ZYDIS_MNEMONIC_POP)
		return UFX_IS_POP;
	if (d->i.operand_count_visible != 2)
		return 0;
	if (d->i.mnemonic == ZYDIS_MNEMONIC_MOV &&
	    from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		i->value = (uint32_t)from->imm.value.u;
		return UFX_IS_SET;
	}
	if (!is_target_register(from, &i->from))
		return loads(&d->i) ? UFX_IS_LOAD : 0;
	if (loads(&d->i))
		return d->i.mnemonic == ZYDIS_MNEMONIC_MOV ? UFX_IS_COPY : UFX_IS_LOAD;
	return d->i.mnemonic == ZYDIS_MNEMONIC_XOR && i->from == i->reg ? UFX_IS_SET : 0;
}

/* Only kernels do these; floating point of that kind is in the way of nobody. */
static bool traps(const struct decoded *d)
{
	switch (d->i.meta.category) {
	case ZYDIS_CATEGORY_IO:
	case ZYDIS_CATEGORY_IOSTRINGOP:
	case ZYDIS_CATEGORY_INTERRUPT:
	case ZYDIS_CATEGORY_SEGOP:
	case ZYDIS_CATEGORY_X87_ALU:
		return true;
	default:
		return d->i.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED ||
		       d->i.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ||
		       d->i.mnemonic == ZYDIS_MNEMONIC_CLI ||
		       d->i.mnemonic == ZYDIS_MNEMONIC_STI ||
		       d->i.mnemonic == ZYDIS_MNEMONIC_ENTER ||
		       (d->op[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
			ZydisRegisterGetClass(d->op[0].reg.value) ==
				ZYDIS_REGCLASS_SEGMENT);
	}
}

static bool relative_memory(const ZydisDecodedOperand *op)
{
	return op->type == ZYDIS_OPERAND_TYPE_MEMORY &&
	       (op->mem.base == ZYDIS_REGISTER_RIP ||
		op->mem.base == ZYDIS_REGISTER_EIP);
}

static const ZydisDecodedOperand *relative_operand(const struct decoded *d)
{
	for (int n = 0; n < d->i.operand_count; n++)
		if (relative_memory(&d->op[n]))
			return &d->op[n];
	return NULL;
}

static uint16_t describe(const struct decoded *d, struct ufx_instruction *i)
{
	uint16_t is = sets(d, i);

	if (d->i.mnemonic == ZYDIS_MNEMONIC_SYSCALL)
		is |= UFX_IS_SYSCALL;
	if (transfers(&d->i))
		is |= UFX_IS_TRANSFER;
	if (ends(&d->i))
		is |= UFX_IS_END;
	if (relative_operand(d))
		is |= UFX_IS_RELATIVE;
	if (does_nothing(&d->i))
		is |= UFX_IS_NOTHING;
	if (traps(d))
		is |= UFX_IS_TRAP;
	return is;
}

/* ---- where it leads --------------------------------------------------------- */

/* Of a direct branch or call, whatever follows it. */
static bool destination(const struct decoded *d, uint64_t address, uint64_t *to)
{
	return d->i.raw.imm[0].is_relative &&
	       ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&d->i, &d->op[0], address, to));
}

/* Its own beginning is what recursion and callbacks take. */
static void note_label(struct ufx_code *code, const struct decoded *d,
		       uint64_t address)
{
	const ZydisDecodedOperand *op = relative_operand(d);
	uint64_t to;

	if (d->i.mnemonic != ZYDIS_MNEMONIC_LEA || !op ||
	    !ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&d->i, op, address, &to)))
		return;
	if (ufx_code_covers(code, to) && to != code->range.start) {
		ufx_code_mark(code, to, UFX_MARK_TARGET | UFX_MARK_ENTRY);
		code->labels = true;
	}
}

static void note(struct ufx_code *code, const struct decoded *d, uint32_t at)
{
	uint64_t address = code->range.start + at;

	code->marks[at] |= UFX_MARK_BEGIN;
	if (d->i.mnemonic == ZYDIS_MNEMONIC_ENDBR64)
		ufx_code_mark(code, address, UFX_MARK_TARGET | UFX_MARK_ENTRY);
	if (d->i.meta.category == ZYDIS_CATEGORY_UNCOND_BR &&
	    !d->i.raw.imm[0].is_relative)
		code->indirect = true;
	note_label(code, d, address);
}

bool ufx_code_split(const struct ufx_code *code, int marks)
{
	for (uint32_t at = 0; at < code->size; at++)
		if ((code->marks[at] & marks) &&
		    !(code->marks[at] & UFX_MARK_BEGIN) &&
		    !(at && (code->marks[at - 1] & UFX_MARK_BEGIN) &&
		      code->bytes[at - 1] == 0xf0))
			return true;
	return false;
}

/* ---- a function -------------------------------------------------------------- */

static void fill(const struct ufx_code *code, const struct decoded *d, uint32_t at,
		 struct ufx_instruction *i)
{
	uint64_t to;

	*i = (struct ufx_instruction){ .at = at, .to = UFX_NOWHERE };
	i->length = d->i.length;
	i->writes = written(d);
	i->is = describe(d, i);
	if (destination(d, code->range.start + at, &to) && ufx_code_covers(code, to))
		i->to = (uint32_t)(to - code->range.start);
	if (i->is & UFX_IS_RELATIVE)
		i->relocation = d->i.raw.disp.offset;
}

bool ufx_code_instruction(const struct ufx_code *code, uint32_t at,
			  struct ufx_instruction *instruction)
{
	struct decoded d;

	if (!decode(&d, code->bytes + at, code->size - at))
		return false;
	fill(code, &d, at, instruction);
	return true;
}

bool ufx_code_view(struct ufx_code *code, const struct ufx_object *object,
		   uint64_t start, uint64_t end)
{
	size_t left;

	memset(code, 0, sizeof(*code));
	code->range.start = start;
	code->range.end = end;
	code->size = (uint32_t)(end - start);
	code->bytes = ufx_object_bytes(object, start, &left);
	return code->bytes && left >= code->size;
}

void ufx_code_begin(struct ufx_code *code, const struct ufx_object *object,
		    const struct ufx_function *range)
{
	ufx_code_view(code, object, range->start, range->end);
	code->range = *range;
	code->marks = ufx_sites_memory(NULL, code->size, 1);
	memset(code->marks, 0, code->size);
}

void ufx_code_decode(struct ufx_code *code, const struct ufx_object *object,
		     const struct ufx_function *range)
{
	struct decoded d;
	uint32_t at = 0;

	ufx_code_begin(code, object, range);
	while (at < code->size &&
	       decode(&d, code->bytes + at, code->size - at)) {
		code->list = UFX_SITES_ROOM(code->list, code->count);
		fill(code, &d, at, &code->list[code->count++]);
		note(code, &d, at);
		at += d.i.length;
	}
	code->whole = at == code->size;
}

void ufx_code_free(struct ufx_code *code)
{
	free(code->marks);
	free(code->list);
}

bool ufx_code_branches(const struct ufx_object *object,
		       const struct ufx_function *range,
		       ufx_branch_found *found, void *context)
{
	uint64_t address = range->start, to;
	struct decoded d;
	size_t left;

	while (address < range->end) {
		const uint8_t *bytes = ufx_object_bytes(object, address, &left);

		if (!bytes || !decode(&d, bytes, left))
			return false;
		if (destination(&d, address, &to))
			found(context, to);
		address += d.i.length;
	}
	return address == range->end;
}
