/* SPDX-License-Identifier: MIT */
#include "sites/window.h"

#include <string.h>

#define BEFORE_MAX 4 /* four bytes more are needed at most */

/* Instructions @first to @last of a function. */
struct span {
	size_t first, last;
};

static uint32_t begin(const struct ufx_code *code, const struct span *s)
{
	return code->list[s->first].at;
}

static uint32_t length(const struct ufx_code *code, const struct span *s)
{
	const struct ufx_instruction *last = &code->list[s->last];

	return last->at + last->length - begin(code, s);
}

/* @before instructions, number @n, and as many behind as a jump needs. */
static bool extend(const struct ufx_code *code, size_t n, size_t before,
		   struct span *s)
{
	if (before > n)
		return false;
	s->first = n - before;
	s->last = n;
	while (length(code, s) < UFX_JUMP_SIZE)
		if (++s->last == code->count)
			return false;
	return length(code, s) <= UFX_SITE_BYTES;
}

static bool has_mark(const struct ufx_code *code, const struct span *s,
		     uint32_t skip, uint8_t mark)
{
	for (uint32_t at = skip; at < length(code, s); at++)
		if (code->marks[begin(code, s) + at] & mark)
			return true;
	return false;
}

static enum ufx_site_refused judge(const struct ufx_code *code, size_t n,
				   const struct span *s)
{
	for (size_t i = s->first; i <= s->last; i++)
		if (i != n && code->list[i].is & UFX_IS_TRANSFER)
			return UFX_REFUSED_TRANSFER;
	for (size_t i = s->first; i <= s->last; i++)
		if (i != n && code->list[i].writes & UFX_REGISTER(UFX_RSP))
			return UFX_REFUSED_STACK;
	if (has_mark(code, s, 1, UFX_MARK_REACHED))
		return UFX_REFUSED_TARGET;
	if (has_mark(code, s, 0, UFX_MARK_TAKEN))
		return UFX_REFUSED_OVERLAP;
	return UFX_SITE_USABLE;
}

/* ---- sites ----------------------------------------------------------------- */

static void fill(const struct ufx_code *code, size_t n, const struct span *s,
		 struct ufx_site *site)
{
	uint32_t at = begin(code, s);

	site->address = code->range.start + at;
	site->length = (uint8_t)length(code, s);
	site->syscall = (uint8_t)(code->list[n].at - at);
	memcpy(site->bytes, code->bytes + at, site->length);
}

/* One relative operand at most: with it there is room enough, at either side. */
static void take(struct ufx_code *code, size_t n, const struct span *s,
		 struct ufx_site *site)
{
	fill(code, n, s, site);
	for (size_t i = s->first; i <= s->last; i++)
		if (code->list[i].is & UFX_IS_RELATIVE) {
			site->flags |= UFX_SITE_RELATIVE;
			site->relocation = (uint8_t)(code->list[i].at - begin(code, s) +
						     code->list[i].relocation);
		}
	for (uint32_t b = 0; b < site->length; b++)
		code->marks[begin(code, s) + b] |= UFX_MARK_TAKEN;
}

void ufx_window_refuse(const struct ufx_code *code, size_t n,
		       enum ufx_site_refused why, struct ufx_site *site)
{
	struct span alone = { n, n };

	fill(code, n, &alone, site);
	site->refused = (uint8_t)why;
}

bool ufx_window_pair(struct ufx_code *code, size_t n, struct ufx_site *site)
{
	struct span pair = { n - 1, n };

	if (!n || !(code->list[n - 1].is & UFX_IS_SET) ||
	    code->list[n - 1].reg != UFX_RAX ||
	    length(code, &pair) < UFX_JUMP_SIZE ||
	    judge(code, n, &pair) != UFX_SITE_USABLE)
		return false;
	take(code, n, &pair, site);
	return true;
}

void ufx_window_choose(struct ufx_code *code, size_t n, struct ufx_site *site)
{
	enum ufx_site_refused first = UFX_REFUSED_ROOM, why;

	for (size_t before = 0; before <= BEFORE_MAX; before++) {
		struct span s;

		if (!extend(code, n, before, &s))
			continue;
		why = judge(code, n, &s);
		if (why == UFX_SITE_USABLE) {
			take(code, n, &s, site);
			return;
		}
		if (first == UFX_REFUSED_ROOM)
			first = why;
	}
	ufx_window_refuse(code, n, first, site);
}
