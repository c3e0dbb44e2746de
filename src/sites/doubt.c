/* SPDX-License-Identifier: MIT */
/*
 * A doubt is refuted if no instruction that branches or takes an address ends
 * where it does, in code that is decoded rightly. That is a function, or what
 * stands between two, as of objects that are linked to every program without
 * a description. It must
 *
 * - decode from its beginning to its end;
 * - have nothing that may jump into one of its instructions, wherever that comes
 *   from, and be it only by a guess;
 * - if it is no function: have nothing that no program executes, nor zeros,
 *   but in front. They are what data decode to. It is no longer than GAP_MAX.
 *
 * In all other cases the doubt counts.
 */
#include "sites/doubt.h"

#include <string.h>

#include "sites/array.h"

#define GAP_MAX 65536 /* what is larger is a program of its own */

static int by_place(const void *a, const void *b)
{
	const struct ufx_doubt *one = a, *other = b;

	return one->at < other->at ? -1 : one->at > other->at;
}

static bool is_counted(const struct ufx_code_set *set, const struct ufx_doubt *d)
{
	const struct ufx_code *code = ufx_code_at(set, d->to);

	return code->marks[d->to - code->range.start] & UFX_MARK_GUESS;
}

static void count_it(const struct ufx_code_set *set, const struct ufx_doubt *d)
{
	ufx_code_mark(ufx_code_at(set, d->to), d->to, UFX_MARK_GUESS | UFX_MARK_ENTRY);
}

/* ---- the code around ---------------------------------------------------------- */

/* Sections are filled up with zeros. */
static void skip_zeros(const struct ufx_object *o, struct ufx_function *gap)
{
	size_t left;
	const uint8_t *bytes = ufx_object_bytes(o, gap->start, &left);

	while (gap->start < gap->end && !*bytes++)
		gap->start++;
}

/* What is between functions, the first behind being number @n. */
static void gap_around(const struct ufx_object *o, const struct ufx_segment *s,
		       size_t n, struct ufx_function *gap)
{
	gap->start = s->address;
	gap->end = s->address + s->size;
	if (n < o->function_count && o->functions[n].start < gap->end)
		gap->end = o->functions[n].start;
	if (n && o->functions[n - 1].end > gap->start)
		gap->start = o->functions[n - 1].end;
	skip_zeros(o, gap);
}

static bool looks_like_code(const struct ufx_code *code)
{
	for (size_t n = 0; n < code->count; n++) {
		const struct ufx_instruction *i = &code->list[n];
		const uint8_t *bytes = code->bytes + i->at;

		if ((i->is & UFX_IS_TRAP && !(i->is & UFX_IS_NOTHING)) ||
		    (i->length == 2 && !bytes[0] && !bytes[1]))
			return false;
	}
	return true;
}

/* What @address is in. It is not whole if it is not to be relied on. */
static void decode_around(struct ufx_code *code, const struct ufx_object *o,
			  uint64_t address)
{
	const struct ufx_segment *s = ufx_object_segment(o, address);
	size_t n = ufx_object_function(o, address);
	bool gap = n == o->function_count || o->functions[n].start > address;
	struct ufx_function range = { 0 };

	if (gap)
		gap_around(o, s, n, &range);
	else
		range = o->functions[n];
	if (range.start < s->address || range.end > s->address + s->size ||
	    (gap && range.end - range.start > GAP_MAX))
		range = (struct ufx_function){ address, address + 1, 0, false };
	ufx_code_decode(code, o, &range);
	code->whole = code->whole && code->size > 1 &&
		      (!gap || looks_like_code(code));
}

/* ---- what refutes one ----------------------------------------------------------- */

static const struct ufx_instruction *instruction_at(const struct ufx_code *code,
						    uint64_t address)
{
	size_t low = 0, high = code->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (code->range.start + code->list[middle].at <= address)
			low = middle;
		else
			high = middle;
	}
	return &code->list[low];
}

/* There may be prefixes in front. */
static bool is_real(const struct ufx_code *code, const struct ufx_doubt *d)
{
	const struct ufx_instruction *i = instruction_at(code, d->at);

	return code->range.start + i->at + i->length == d->end &&
	       i->is & (UFX_IS_TRANSFER | UFX_IS_RELATIVE);
}

static bool may_be_refuted(const struct ufx_code *code, const struct ufx_doubt *d)
{
	return code->whole && ufx_code_covers(code, d->at) && !is_real(code, d);
}

static void drop_last(struct ufx_code_set *around)
{
	ufx_code_free(&around->list[--around->count]);
}

/* Keeps the doubts that may be refuted, and in @around the code that would. */
static void keep(const struct ufx_code_set *set, struct ufx_doubts *doubts,
		 struct ufx_code_set *around)
{
	size_t kept = 0;
	bool useful = true;

	for (size_t n = 0; n < doubts->count; n++) {
		const struct ufx_doubt *d = &doubts->list[n];

		if (is_counted(set, d))
			continue;
		if (!around->count ||
		    around->list[around->count - 1].range.end <= d->at) {
			if (!useful)
				drop_last(around);
			around->list = UFX_SITES_ROOM(around->list, around->count);
			decode_around(&around->list[around->count++], set->object,
				      d->at);
			useful = false;
		}
		if (may_be_refuted(&around->list[around->count - 1], d)) {
			doubts->list[kept++] = *d;
			useful = true;
		} else {
			count_it(set, d);
		}
	}
	if (!useful)
		drop_last(around);
	doubts->count = kept;
}

void ufx_doubts_settle(const struct ufx_code_set *set,
		       struct ufx_doubts *doubts)
{
	struct ufx_code_set around = { .object = set->object };

	if (doubts->count)
		qsort(doubts->list, doubts->count, sizeof(*doubts->list), by_place);
	keep(set, doubts, &around);
	ufx_code_guesses(&around, NULL);
	for (size_t n = 0; n < around.count; n++)
		around.list[n].whole = !ufx_code_split(&around.list[n],
						       UFX_MARK_REACHED);
	for (size_t n = 0; n < doubts->count; n++)
		if (!ufx_code_at(&around, doubts->list[n].at)->whole)
			count_it(set, &doubts->list[n]);
	for (size_t n = 0; n < around.count; n++)
		ufx_code_free(&around.list[n]);
	free(around.list);
	free(doubts->list);
	memset(doubts, 0, sizeof(*doubts));
}
