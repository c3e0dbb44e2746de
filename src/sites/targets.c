/* SPDX-License-Identifier: MIT */
/*
 * What may be jumped to. All of it errs on the side of too many: one too many
 * refuses a window at worst, one too few lets a jump end inside one. What only
 * looks like an instruction is a doubt first, for which see doubt.c.
 *
 * - Direct branches: of the function itself, and of others, as of parts that
 *   the compiler moved away (.cold). Those of others that are long are looked
 *   for at every byte; short ones by decoding the neighbours, byte by byte where
 *   those do not decode.
 * - Places whose address a lea takes.
 * - Jump tables: for every address that a lea takes, as many words as lead
 *   into text when they are added to it, which is what compilers make of
 *   switches in position-independent code; no more than TABLE_MAX.
 * - Pointers: every aligned word, wherever it is, that is an address. So that
 *   has tables of addresses, computed gotos, symbols' values, and relocations'
 *   addends, which are loaded with the object.
 * - Landing pads, where unwinding goes on.
 *
 * Not seen: addresses that a program computes in yet another way. A function
 * that takes the address of a place in itself and jumps to a computed one is
 * refused as a whole (find.c).
 */
#include <dwarf.h>
#include <string.h>

#include "sites/array.h"
#include "sites/doubt.h"
#include "sites/site.h"

#define TABLE_MAX 8192
#define SHORT_REACH 130
#define LEA_SIZE 7

/* An address that may be taken, and from where on by what may be a lea. */
struct base {
	uint64_t address, at;
};

struct bases {
	struct base *list;
	size_t count;
};

/* What is looked for, and where it is written down what is in doubt, if it is. */
struct hunt {
	const struct ufx_code_set *set;
	struct ufx_doubts *doubts;
	struct bases bases;
};

struct branches {
	const struct ufx_code_set *set;
	const struct ufx_function *from;
};

struct ufx_code *ufx_code_at(const struct ufx_code_set *set, uint64_t address)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->list[middle].range.end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == set->count || set->list[low].range.start > address)
		return NULL;
	return &set->list[low];
}

static void mark(const struct ufx_code_set *set, uint64_t address,
		 int how)
{
	struct ufx_code *code = ufx_code_at(set, address);

	if (code)
		ufx_code_mark(code, address, how);
}

static void is_target(const struct ufx_code_set *set, uint64_t address)
{
	mark(set, address, UFX_MARK_TARGET | UFX_MARK_ENTRY);
}

static void may_be_target(const struct ufx_code_set *set, uint64_t address)
{
	mark(set, address, UFX_MARK_GUESS | UFX_MARK_ENTRY);
}

/* Where no window is near, only instructions count, for the number (number.c). */
static bool is_of_interest(const struct ufx_code *code, uint64_t address)
{
	uint32_t at = (uint32_t)(address - code->range.start);
	uint32_t from = at > UFX_SITE_BYTES ? at - UFX_SITE_BYTES : 0;
	uint32_t to = code->size - at > UFX_SITE_BYTES ? at + UFX_SITE_BYTES : code->size;

	if (!at || (code->marks[at] & UFX_MARK_GUESS))
		return false;
	return !code->whole || (code->marks[at] & UFX_MARK_BEGIN) ||
	       memmem(code->bytes + from, to - from, "\x0f\x05", 2);
}

/* What looks like an instruction from @at to @end may lead to @to. */
static void doubt(struct hunt *h, uint64_t at, uint64_t end, uint64_t to)
{
	struct ufx_doubts *d = h->doubts;
	struct ufx_code *code = ufx_code_at(h->set, to);

	if (!code)
		return;
	if (!d || !is_of_interest(code, to)) {
		may_be_target(h->set, to);
		return;
	}
	d->list = UFX_SITES_ROOM(d->list, d->count);
	d->list[d->count++] = (struct ufx_doubt){ at, end, to };
}

/* A function's branches within itself are no entries. */
static void branch_found(void *context, uint64_t to)
{
	const struct branches *b = context;
	struct ufx_code *code = ufx_code_at(b->set, to);

	if (code)
		ufx_code_mark(code, to, code->range.start == b->from->start ?
				UFX_MARK_TARGET : UFX_MARK_TARGET | UFX_MARK_ENTRY);
}

/* Does it decode to its end? */
static bool find_branches(const struct ufx_code_set *set,
			  const struct ufx_function *from)
{
	struct branches b = { set, from };

	return ufx_code_branches(set->object, from, branch_found, &b);
}

static int32_t word(const uint8_t *bytes)
{
	int32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

/* ---- long branches, and addresses that are taken ---------------------------- */

/* How long what is in front of the displacement is; 0: this is no branch. */
static size_t branch_prefix(const uint8_t *bytes)
{
	if (bytes[0] == 0xe8 || bytes[0] == 0xe9)
		return 1;
	if (bytes[0] == 0x0f && (bytes[1] & 0xf0) == 0x80)
		return 2;
	return bytes[0] == 0xc7 && bytes[1] == 0xf8 ? 2 : 0; /* xbegin */
}

static bool is_lea(const uint8_t *bytes)
{
	return (bytes[0] & 0xf8) == 0x48 && bytes[1] == 0x8d &&
	       (bytes[2] & 0xc7) == 0x05;
}

static void found_lea(struct hunt *h, uint64_t at, const uint8_t *bytes)
{
	struct bases *b = &h->bases;
	uint64_t base = at + LEA_SIZE + (uint64_t)(int64_t)word(bytes + 3);

	doubt(h, at, at + LEA_SIZE, base);
	b->list = UFX_SITES_ROOM(b->list, b->count);
	b->list[b->count++] = (struct base){ base, at };
}

static void found_branch(struct hunt *h, uint64_t at, const uint8_t *bytes,
			 size_t prefix)
{
	uint64_t end = at + prefix + 4;

	doubt(h, at, end, end + (uint64_t)(int64_t)word(bytes + prefix));
}

/*
 * What was decoded to its end told its branches exactly; it is not guessed at
 * again, byte by byte.
 */
static void scan_text(struct hunt *h, const struct ufx_segment *s)
{
	const struct ufx_code *code = h->set->list, *end = code + h->set->count;

	for (size_t at = 0; at + LEA_SIZE <= s->size; at++) {
		const uint8_t *bytes = s->bytes + at;
		uint64_t address = s->address + at;
		size_t prefix = branch_prefix(bytes);

		while (code < end && address >= code->range.end)
			code++;
		if (prefix && !(code < end && ufx_code_covers(code, address) &&
				code->whole))
			found_branch(h, address, bytes, prefix);
		if (is_lea(bytes))
			found_lea(h, address, bytes);
	}
}

/* ---- short branches ---------------------------------------------------------- */

static bool is_short_branch(uint8_t byte)
{
	return (byte & 0xf0) == 0x70 || byte == 0xeb || (byte & 0xfc) == 0xe0;
}

static void scan_short(struct hunt *h, uint64_t from, uint64_t to)
{
	for (; from < to; from++) {
		size_t left;
		const uint8_t *bytes = ufx_object_bytes(h->set->object, from, &left);

		if (bytes && left >= 2 && is_short_branch(bytes[0]))
			doubt(h, from, from + 2,
			      from + 2 + (uint64_t)(int64_t)(int8_t)bytes[1]);
	}
}

/* From @from to @to: functions, and what is between them. */
static void scan_around(struct hunt *h, uint64_t from, uint64_t to)
{
	const struct ufx_object *o = h->set->object;

	for (size_t n = ufx_object_function(o, from); from < to; n++) {
		const struct ufx_function *f = &o->functions[n];

		if (n == o->function_count || f->start >= to) {
			scan_short(h, from, to);
			return;
		}
		if (f->start > from)
			scan_short(h, from, f->start);
		if (!find_branches(h->set, f))
			scan_short(h, f->start > from ? f->start : from,
				   f->end < to ? f->end : to);
		from = f->end;
	}
}

static void find_short(struct hunt *h)
{
	const struct ufx_code_set *set = h->set;

	for (size_t n = 0; n < set->count; n++) {
		const struct ufx_function *f = &set->list[n].range;

		if (set->list[n].gap)
			continue;
		scan_around(h, f->start > SHORT_REACH ? f->start - SHORT_REACH : 0,
			    f->start);
		scan_around(h, f->end, f->end + SHORT_REACH);
		find_branches(set, f);
	}
}

/* ---- tables and pointers ------------------------------------------------------ */

static bool in_text(const struct ufx_object *o, uint64_t address)
{
	const struct ufx_segment *s = ufx_object_segment(o, address);

	return s && s->executable;
}

/* Base number @n, and all that are the same. */
static void found_entry(struct hunt *h, size_t n, uint64_t to)
{
	const struct base *first = &h->bases.list[n];
	const struct base *end = h->bases.list + h->bases.count;

	if (!ufx_code_at(h->set, to))
		return;
	for (const struct base *b = first; b < end && b->address == first->address; b++)
		doubt(h, b->at, b->at + LEA_SIZE, to);
}

static void walk_table(struct hunt *h, size_t number)
{
	uint64_t base = h->bases.list[number].address;
	size_t left;
	const uint8_t *bytes = ufx_object_bytes(h->set->object, base, &left);

	if (!bytes)
		return;
	for (size_t n = 0; n < TABLE_MAX && 4 * n + 4 <= left; n++) {
		uint64_t to = base + (uint64_t)(int64_t)word(bytes + 4 * n);

		if (!in_text(h->set->object, to))
			return;
		found_entry(h, number, to);
	}
}

static int by_address(const void *a, const void *b)
{
	const struct base *one = a, *other = b;

	return one->address < other->address ? -1 : one->address > other->address;
}

static void walk_tables(struct hunt *h)
{
	struct bases *b = &h->bases;

	if (b->count)
		qsort(b->list, b->count, sizeof(*b->list), by_address);
	for (size_t n = 0; n < b->count; n++)
		if (!n || b->list[n].address != b->list[n - 1].address)
			walk_table(h, n);
}

static void scan_pointers(const struct ufx_code_set *set,
			  const struct ufx_segment *s)
{
	uint64_t low = set->list[0].range.start;
	uint64_t high = set->list[set->count - 1].range.end;

	for (size_t at = -s->address & 3; at + 8 <= s->size; at += 4) {
		uint64_t value;

		memcpy(&value, s->bytes + at, sizeof(value));
		if (value >= low && value < high)
			may_be_target(set, value);
	}
}

/* ---- landing pads -------------------------------------------------------------- */

struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static uint64_t read_byte(struct reader *r)
{
	r->bad |= r->at == r->end;
	return r->bad ? 0 : *r->at++;
}

static uint64_t read_number(struct reader *r)
{
	uint64_t value = 0, byte;
	int shift = 0;

	do {
		byte = read_byte(r);
		value |= shift < 64 ? (byte & 0x7f) << shift : 0;
		shift += 7;
	} while (byte & 0x80);
	return value;
}

static uint64_t read_field(struct reader *r, uint64_t encoding)
{
	uint64_t value = 0;

	if ((encoding & 0x0f) == DW_EH_PE_uleb128)
		return read_number(r);
	r->bad |= (encoding & 0x07) != DW_EH_PE_udata4; /* also signed */
	for (int n = 0; n < 4; n++)
		value |= read_byte(r) << (8 * n);
	return value;
}

/* Pads count from the function, if the table has no base of its own. */
static void read_pads(const struct ufx_code_set *set, struct reader *r,
		      uint64_t start)
{
	uint64_t encoding, size;
	const uint8_t *end;

	if (read_byte(r) != DW_EH_PE_omit)
		return; /* bases of their own are for overlays, not compilers */
	if (read_byte(r) != DW_EH_PE_omit)
		read_number(r);
	encoding = read_byte(r);
	size = read_number(r);
	if (r->bad || size > (uint64_t)(r->end - r->at))
		return;
	end = r->at + size;
	while (!r->bad && r->at < end) {
		uint64_t pad;

		read_field(r, encoding);
		read_field(r, encoding);
		pad = read_field(r, encoding);
		read_number(r);
		if (!r->bad && pad)
			is_target(set, start + pad);
	}
}

static void find_pads(const struct ufx_code_set *set)
{
	const struct ufx_object *o = set->object;

	for (size_t n = 0; n < o->function_count; n++) {
		const struct ufx_function *f = &o->functions[n];
		struct reader r = { 0 };
		size_t left;

		r.at = f->pads ? ufx_object_bytes(o, f->pads, &left) : NULL;
		if (!r.at)
			continue;
		r.end = r.at + left;
		read_pads(set, &r, f->start);
	}
}

void ufx_code_guesses(const struct ufx_code_set *set, struct ufx_doubts *doubts)
{
	const struct ufx_object *o = set->object;
	struct hunt h = { .set = set, .doubts = doubts };

	if (!set->count)
		return;
	for (size_t n = 0; n < o->segment_count; n++) {
		if (o->segments[n].executable)
			scan_text(&h, &o->segments[n]);
		scan_pointers(set, &o->segments[n]);
	}
	find_short(&h);
	walk_tables(&h);
	find_pads(set);
	free(h.bases.list);
}

void ufx_code_targets(const struct ufx_code_set *set)
{
	struct ufx_doubts doubts = { 0 };

	ufx_code_guesses(set, &doubts);
	ufx_doubts_settle(set, &doubts);
}
