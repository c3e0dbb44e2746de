/* SPDX-License-Identifier: MIT */
/*
 * From a system call backwards, along everything that leads there in the
 * function, to what sets eax: constants, also by way of other registers. What
 * comes from elsewhere is unknown: the function's beginning, what others may
 * jump to, what a call or another instruction computes. So is what nothing is
 * known to lead to, unless it fills a gap.
 *
 * A function with jumps to computed addresses may have more ways than are
 * known. There anything that may be jumped to is unknown; so it is where
 * decoding is in doubt.
 */
#include "sites/number.h"

#include <string.h>

#include "sites/array.h"
#include "sites/site.h"

/* x86-64's */
#define NR_RT_SIGACTION 13
#define NR_FUTEX 202
#define NR_FUTEX_WAITV 449
#define NR_FUTEX_WAKE 454
#define NR_FUTEX_WAIT 455
#define NR_FUTEX_REQUEUE 456

enum number_is {
	IS_OTHER = 1,
	IS_FUTEX = 2,
	IS_HANDLER = 4,
	IS_UNKNOWN = 8,
};

/* A register before an instruction: its value is asked for. */
struct question {
	size_t n;
	uint8_t reg;
};

struct search {
	const struct ufx_code *code;
	bool all_ways; /* are known */
	uint16_t *asked; /* registers, for each instruction */
	struct question *list;
	size_t count;
	unsigned int found; /* enum number_is */
};

static unsigned int classify(uint32_t number)
{
	switch (number) {
	case NR_FUTEX:
	case NR_FUTEX_WAITV:
	case NR_FUTEX_WAKE:
	case NR_FUTEX_WAIT:
	case NR_FUTEX_REQUEUE:
		return IS_FUTEX;
	case NR_RT_SIGACTION:
		return IS_HANDLER;
	default:
		return IS_OTHER;
	}
}

bool ufx_number_is_ours(uint32_t number)
{
	return classify(number) != IS_OTHER;
}

static void ask(struct search *s, size_t n, uint8_t reg)
{
	if (s->asked[n] & UFX_REGISTER(reg))
		return;
	s->asked[n] |= UFX_REGISTER(reg);
	s->list = UFX_SITES_ROOM(s->list, s->count);
	s->list[s->count++] = (struct question){ n, reg };
}

/* What @reg is behind instruction @n. */
static void ask_behind(struct search *s, size_t n, uint8_t reg)
{
	const struct ufx_instruction *i = &s->code->list[n];

	if (i->is & UFX_IS_SET && i->reg == reg)
		s->found |= classify(i->value);
	else if (i->is & UFX_IS_COPY && i->reg == reg)
		ask(s, n, i->from);
	else if (i->writes & UFX_REGISTER(reg))
		s->found |= IS_UNKNOWN;
	else
		ask(s, n, reg);
}

/* Behind a lock prefix is a second place to jump to. */
static uint8_t marks(const struct ufx_code *code, const struct ufx_instruction *i)
{
	uint8_t marks = code->marks[i->at];

	return code->bytes[i->at] == 0xf0 && i->length > 1 ?
		       marks | code->marks[i->at + 1] : marks;
}

static bool leads_to(const struct ufx_code *code, const struct ufx_instruction *from,
		     const struct ufx_instruction *to)
{
	return from->to == to->at ||
	       (code->bytes[to->at] == 0xf0 && from->to == to->at + 1);
}

static void answer(struct search *s, const struct question *q)
{
	const struct ufx_code *code = s->code;
	const struct ufx_instruction *i = &code->list[q->n];
	bool reached = false;

	if (!q->n || marks(code, i) & (s->all_ways ? UFX_MARK_ENTRY : UFX_MARK_REACHED)) {
		s->found |= IS_UNKNOWN;
		return;
	}
	if (!(i[-1].is & UFX_IS_END)) {
		ask_behind(s, q->n - 1, q->reg);
		reached = true;
	}
	for (size_t n = 0; marks(code, i) & UFX_MARK_TARGET && n < code->count; n++)
		if (leads_to(code, &code->list[n], i)) {
			ask_behind(s, n, q->reg);
			reached = true;
		}
	if (!reached && !(i->is & UFX_IS_NOTHING))
		s->found |= IS_UNKNOWN;
}

static unsigned int find(struct search *s, size_t n)
{
	s->found = 0;
	s->count = 0;
	ask(s, n, UFX_RAX);
	for (size_t next = 0; next < s->count && !(s->found & IS_UNKNOWN); next++) {
		struct question q = s->list[next];

		answer(s, &q);
	}
	for (size_t i = 0; i < s->count; i++)
		s->asked[s->list[i].n] = 0;
	return s->found;
}

void ufx_numbers_find(struct ufx_code *code)
{
	struct search s = {
		.code = code,
		.all_ways = !code->indirect && !ufx_code_split(code, UFX_MARK_TARGET),
		.asked = ufx_sites_memory(NULL, code->count, sizeof(*s.asked)),
	};

	memset(s.asked, 0, code->count * sizeof(*s.asked));
	for (size_t n = 0; n < code->count; n++) {
		struct ufx_instruction *i = &code->list[n];
		unsigned int found;

		if (!(i->is & UFX_IS_SYSCALL))
			continue;
		found = find(&s, n);
		i->matters = found != IS_OTHER;
		i->kind = found == IS_FUTEX   ? UFX_SITE_FUTEX :
			  found == IS_HANDLER ? UFX_SITE_HANDLER :
						UFX_SITE_TESTED;
	}
	free(s.asked);
	free(s.list);
}
