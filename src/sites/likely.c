/* SPDX-License-Identifier: MIT */
/*
 * All ways to decode what stands before the bytes are tried, from each byte
 * on, with the branches forward that are on the way. On those that arrive
 * exactly there, and have nothing that ends a program, eax may come from
 *
 * - an instruction on the way: a mov of one of our numbers, of a register or of
 *   memory, a lea, a pop shortly before;
 * - elsewhere, if something leads to a place on the way, or if the way begins
 *   where code ends that is known;
 *
 * Without either, the bytes are data, or a part of an instruction, or a system
 * call whose number is a constant that is another's. What is not seen is a
 * number that was set further away.
 */
#include "sites/likely.h"

#include <string.h>

#include "sites/number.h"

#define POP_REACH 16

/* Is what eax has before the byte at an offset still in it at the end? */
struct ways {
	struct ufx_code code; /* up to and with the system call */
	uint32_t end;
	bool open[UFX_LIKELY_REACH + 1];
};

static bool comes_through(const struct ways *w, uint32_t at)
{
	return at <= w->end && w->open[at];
}

/* Does it put into eax what may be one of our numbers? */
static bool sets_number(const struct ways *w, const struct ufx_instruction *i)
{
	if (i->reg != UFX_RAX)
		return false;
	if (i->is & UFX_IS_SET)
		return ufx_number_is_ours(i->value);
	if (i->is & UFX_IS_POP)
		return w->end - i->at <= POP_REACH;
	return i->is & (UFX_IS_COPY | UFX_IS_LOAD);
}

static bool forgets(const struct ufx_instruction *i)
{
	const uint16_t sets = UFX_IS_SET | UFX_IS_COPY | UFX_IS_LOAD | UFX_IS_POP;

	return i->is & (UFX_IS_SYSCALL | UFX_IS_TRAP) || i->writes == UINT16_MAX ||
	       (i->is & sets && i->reg == UFX_RAX);
}

static bool leads_here(const struct ufx_code_set *set, uint64_t address)
{
	const struct ufx_code *code = ufx_code_at(set, address);

	return code && code->marks[address - code->range.start] & UFX_MARK_REACHED;
}

/* From the byte @at on. Returns true if a number of ours may come from there. */
static bool try_from(struct ways *w, uint32_t at)
{
	struct ufx_instruction i;
	bool open;

	if (!ufx_code_instruction(&w->code, at, &i))
		return false;
	open = !(i.is & UFX_IS_END) && comes_through(w, at + i.length);
	if (i.to != UFX_NOWHERE && i.to > at)
		open |= comes_through(w, i.to);
	if (open && sets_number(w, &i))
		return true;
	w->open[at] = open && !forgets(&i);
	return false;
}

bool ufx_code_likely(const struct ufx_code_set *set, uint64_t begin,
		     uint64_t address)
{
	const bool edge = address - begin <= UFX_LIKELY_REACH;
	struct ways w = { 0 };
	uint32_t at;

	if (!edge)
		begin = address - UFX_LIKELY_REACH;
	w.end = (uint32_t)(address - begin);
	if (!ufx_code_view(&w.code, set->object, begin, address + 2))
		return true;
	w.open[w.end] = true;
	for (at = w.end; at > 0; at--) {
		if (w.open[at] && leads_here(set, begin + at))
			return true;
		if (try_from(&w, at - 1))
			return true;
	}
	/* Further away: the longest instruction begins before the 16th byte. */
	for (at = 1; !edge && at < 16; at++)
		if (w.open[at])
			return true;
	return w.open[0];
}
