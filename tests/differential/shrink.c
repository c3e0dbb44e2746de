// SPDX-License-Identifier: MIT
/*
 * A smaller program that differs as well: without steps, threads, words, odd
 * arguments. What the model would refuse is not tried.
 */
#include <string.h>

#include "program.h"

#define SECONDS 20
#define TRIES 3 /* of a program, before it counts as one without a difference */

static int64_t end;

static bool differs(const struct program *p)
{
	static struct outcome kernel, engine, model;

	for (int i = 0; i < TRIES; i++) {
		if (now_ns() > end || model_run(p, &model))
			return false;
		if (run_both(p, &kernel, &engine))
			return !kernel.stuck && !engine.stuck;
	}
	return false;
}

/* Takes @smaller for @p if it is a program that differs. */
static bool take(struct program *p, struct program *smaller)
{
	if (!generate_end(smaller) || !differs(smaller))
		return false;
	*p = *smaller;
	return true;
}

static bool without_steps(struct program *p, int first, int n)
{
	struct program smaller = *p;

	memmove(&smaller.step[first], &smaller.step[first + n],
		(size_t)(p->steps - first - n) * sizeof(p->step[0]));
	smaller.steps -= n;
	return take(p, &smaller);
}

/* The last steps, one for each word, are made anew anyway. */
static int inner(const struct program *p)
{
	return p->steps - p->words;
}

static bool fewer_steps(struct program *p)
{
	bool any = false;

	for (int n = inner(p); n > 0; n /= 2) {
		for (int i = inner(p) - n; i >= 0; i -= n) {
			if (i + n <= inner(p))
				any |= without_steps(p, i, n);
		}
	}
	return any;
}

/* All that @from does, @to does. */
static void rename_thread(struct program *p, uint8_t from, uint8_t to)
{
	for (int i = 0; i < p->steps; i++)
		if (p->step[i].thread == from)
			p->step[i].thread = to;
}

static bool fewer_threads(struct program *p)
{
	bool any = false;

	for (uint8_t to = 0; to + 1 < p->threads; to++) {
		for (uint8_t from = p->threads; --from > to;) {
			struct program smaller = *p;

			rename_thread(&smaller, from, to);
			rename_thread(&smaller, p->threads - 1, from);
			smaller.threads--;
			any |= take(p, &smaller);
		}
	}
	return any;
}

static void rename_word(struct step *s, uint8_t from, uint8_t to)
{
	uint8_t *words[3 + GIVEN] = { &s->word, &s->op.word, &s->op.word2 };

	for (int i = 0; i < GIVEN; i++)
		words[3 + i] = &s->op.entry[i].word;
	for (int i = 0; i < 3 + GIVEN; i++)
		if (*words[i] == from)
			*words[i] = to;
}

static bool fewer_words(struct program *p)
{
	bool any = false;

	for (uint8_t to = 0; to + 1 < p->words; to++) {
		for (uint8_t from = p->words; --from > to;) {
			struct program smaller = *p;

			for (int i = 0; i < p->steps; i++) {
				rename_word(&smaller.step[i], from, to);
				rename_word(&smaller.step[i], p->words - 1, from);
			}
			smaller.steps = inner(p);
			smaller.words--;
			any |= take(p, &smaller);
		}
	}
	return any;
}

static void simplify(struct step *s, int how)
{
	struct op *o = &s->op;

	switch (how) {
	case 0:
		o->wrong = RIGHT;
		break;
	case 1:
		o->timeout = TIMEOUT_NONE;
		break;
	case 2:
		o->given = 1;
		o->nr = o->call == CALL_WAITV ? 1 : o->nr;
		break;
	case 3:
		o->nr = o->call == CALL_WAITV ? o->given : o->nr;
		break;
	case 4:
		o->mask = UINT32_MAX;
		break;
	case 5:
		s->handler = HANDLER_PLAIN;
		break;
	case 6:
		o->wrong = RIGHT;
		o->call = call_waits(o->call) ? CALL_WAIT : CALL_WAKE;
		break;
	default:
		o->realtime = false;
	}
}

#define WAYS 8

static bool simpler_steps(struct program *p)
{
	bool any = false;

	for (int i = 0; i < inner(p); i++) {
		for (int how = 0; how < WAYS; how++) {
			struct program smaller = *p;

			simplify(&smaller.step[i], how);
			if (memcmp(&smaller.step[i], &p->step[i], sizeof(p->step[i])))
				any |= take(p, &smaller);
		}
	}
	return any;
}

bool shrink(struct program *p)
{
	bool any = true;

	end = now_ns() + SECONDS * 1000000000l;
	if (!differs(p))
		return false;
	while (any && now_ns() < end) {
		any = fewer_steps(p);
		any |= fewer_threads(p);
		any |= fewer_words(p);
		any |= simpler_steps(p);
	}
	return true;
}
