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

static bool is_part(const ZydisDecodedOperand *op, ZydisRegister whole)
{
	return op->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
			op->reg.value) == whole;
}

static bool is_rax(const ZydisDecodedOperand *op)
{
	return is_part(op, ZYDIS_REGISTER_RAX);
}

/* Also where it is not written down, as push writes rsp. */
static bool writes(const struct decoded *d, ZydisRegister whole)
{
	for (int n = 0; n < d->i.operand_count; n++)
		if (is_part(&d->op[n], whole) &&
		    d->op[n].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
			return true;
	return false;
}

static bool writes_rax(const struct decoded *d)
{
	if (writes(d, ZYDIS_REGISTER_RAX))
		return true;
	/* Some list no register: the kernel's answer, a callee's result. */
	return d->i.meta.category == ZYDIS_CATEGORY_CALL ||
	       d->i.meta.category == ZYDIS_CATEGORY_SYSCALL ||
	       d->i.meta.category == ZYDIS_CATEGORY_INTERRUPT;
}

/* mov $number, %eax or %rax; xor %eax, %eax */
static bool sets_rax(const struct decoded *d, uint32_t *value)
{
	if (!is_rax(&d->op[0]) || d->op[0].size < 32)
		return false;
	if (d->i.mnemonic == ZYDIS_MNEMONIC_MOV &&
	    d->op[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		*value = (uint32_t)d->op[1].imm.value.u;
		return true;
	}
	*value = 0;
	return d->i.mnemonic == ZYDIS_MNEMONIC_XOR && is_rax(&d->op[1]) &&
	       d->op[1].size == d->op[0].size;
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

static uint8_t describe(const struct decoded *d, uint32_t *value)
{
	uint8_t is = 0;

	if (d->i.mnemonic == ZYDIS_MNEMONIC_SYSCALL)
		is |= UFX_IS_SYSCALL;
	if (transfers(&d->i))
		is |= UFX_IS_TRANSFER;
	if (ends(&d->i))
		is |= UFX_IS_END;
	if (relative_operand(d))
		is |= UFX_IS_RELATIVE;
	if (writes(d, ZYDIS_REGISTER_RSP))
		is |= UFX_IS_STACK;
	if (sets_rax(d, value))
		is |= UFX_IS_SET;
	else if (writes_rax(d))
		is |= UFX_IS_CHANGE;
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
		ufx_code_mark(code, to, UFX_MARK_TARGET);
		code->labels = true;
	}
}

static void note(struct ufx_code *code, const struct decoded *d, uint32_t at)
{
	uint64_t address = code->range.start + at;

	code->marks[at] |= UFX_MARK_BEGIN;
	if (d->i.mnemonic == ZYDIS_MNEMONIC_ENDBR64)
		ufx_code_mark(code, address, UFX_MARK_TARGET);
	if (d->i.meta.category == ZYDIS_CATEGORY_UNCOND_BR &&
	    !d->i.raw.imm[0].is_relative)
		code->indirect = true;
	note_label(code, d, address);
}

bool ufx_code_split(const struct ufx_code *code)
{
	for (uint32_t at = 0; at < code->size; at++)
		if ((code->marks[at] & UFX_MARK_TARGET) &&
		    !(code->marks[at] & UFX_MARK_BEGIN) &&
		    !(at && (code->marks[at - 1] & UFX_MARK_BEGIN) &&
		      code->bytes[at - 1] == 0xf0))
			return true;
	return false;
}

/* ---- a function -------------------------------------------------------------- */

static void add(struct ufx_code *code, const struct decoded *d, uint32_t at)
{
	struct ufx_instruction *i;

	code->list = UFX_SITES_ROOM(code->list, code->count);
	i = &code->list[code->count++];
	*i = (struct ufx_instruction){ .at = at, .length = d->i.length };
	i->is = describe(d, &i->value);
	if (i->is & UFX_IS_RELATIVE)
		i->relocation = d->i.raw.disp.offset;
}

void ufx_code_decode(struct ufx_code *code, const struct ufx_object *object,
		     const struct ufx_function *range)
{
	struct decoded d;
	size_t left;
	uint32_t at = 0;

	memset(code, 0, sizeof(*code));
	code->range = *range;
	code->size = (uint32_t)(range->end - range->start);
	code->bytes = ufx_object_bytes(object, range->start, &left);
	code->marks = ufx_sites_memory(NULL, code->size, 1);
	memset(code->marks, 0, code->size);
	while (at < code->size &&
	       decode(&d, code->bytes + at, code->size - at)) {
		add(code, &d, at);
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
