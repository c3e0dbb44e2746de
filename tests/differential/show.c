// SPDX-License-Identifier: MIT
/* Programs and outcomes to read. */
#include <limits.h>
#include <string.h>

#include "program.h"

static const char *const calls[CALLS] = {
	"WAIT", "WAIT_BITSET", "WAKE", "WAKE_BITSET", "REQUEUE", "CMP_REQUEUE",
	"WAKE_OP", "futex_waitv", "futex_wake", "futex_wait", "futex_requeue",
};

static const char *const wrongs[WRONGS] = {
	"", "a word not aligned", "no word", "no bit", "bad nanoseconds",
	"a bad pointer", "a negative count", "bad flags", "more than 32 bits",
	"a clock that is none", "a bad number of entries", "a bad entry",
};

static const char *number(int n)
{
	static char text[2][16];
	static int i;

	i = !i;
	snprintf(text[i], sizeof(text[i]), "%d", n);
	return n == INT_MAX ? "all" : text[i];
}

static void show_timeout(FILE *out, const struct op *o)
{
	const char *clock = o->realtime && o->call != CALL_WAIT ? " (realtime)" : "";

	if (o->timeout == TIMEOUT_PAST)
		fprintf(out, ", timeout over%s", clock);
	else if (o->timeout == TIMEOUT_FAR)
		fprintf(out, ", timeout far away%s", clock);
	else if (o->timeout == TIMEOUT_EXPIRES)
		fprintf(out, ", timeout %d%s", o->deadline + 1, clock);
}

static void show_waitv(FILE *out, const struct op *o)
{
	for (int i = 0; i < o->given; i++)
		fprintf(out, "%s%c is %#x", i ? ", " : " ", 'a' + o->entry[i].word,
			o->entry[i].val);
	if (o->nr != o->given)
		fprintf(out, ", repeated to %d", o->nr);
}

static void show_operation(FILE *out, uint32_t e)
{
	static const char *const ops[] = { "=", "+=", "|=", "&=~", "^=", "?" };
	static const char *const compare[] = { "==", "!=", "<", "<=", ">", ">=", "?" };
	uint32_t op = e >> 28 & 7, cmp = e >> 24 & 15;

	fprintf(out, "%s %s%#x, if %s %#x", ops[op > 5 ? 5 : op],
		e >> 31 ? "1<<" : "", e >> 12 & 0xfff, compare[cmp > 6 ? 6 : cmp],
		e & 0xfff);
}

static void show_op(FILE *out, const struct op *o)
{
	fputs(calls[o->call], out);
	switch (o->call) {
	case CALL_WAITV:
		show_waitv(out, o);
		break;
	case CALL_WAIT:
	case CALL_WAIT_BITSET:
	case CALL_WAIT2:
		fprintf(out, " %c is %#x", 'a' + o->word, o->val);
		break;
	case CALL_WAKE_OP:
		fprintf(out, " %c %s, %c %s: ", 'a' + o->word, number(o->nr),
			'a' + o->word2, number(o->nr2));
		show_operation(out, o->encoded);
		break;
	case CALL_WAKE:
	case CALL_WAKE_BITSET:
	case CALL_WAKE2:
		fprintf(out, " %c %s", 'a' + o->word, number(o->nr));
		break;
	default:
		fprintf(out, " %c to %c, wake %s, requeue %s", 'a' + o->word,
			'a' + o->word2, number(o->nr), number(o->nr2));
		if (o->call != CALL_REQUEUE)
			fprintf(out, ", if %#x", o->val);
	}
	if (o->call == CALL_WAIT_BITSET || o->call == CALL_WAKE_BITSET ||
	    o->call == CALL_WAKE2 || o->call == CALL_WAIT2)
		fprintf(out, ", bits %#x", o->mask);
	show_timeout(out, o);
	if (o->wrong)
		fprintf(out, ", with %s (%d)", wrongs[o->wrong], o->second);
}

static void show_signal(FILE *out, const struct step *s)
{
	fprintf(out, "%d gets a signal%s", s->thread, s->restart ? ", SA_RESTART" : "");
	if (s->handler == HANDLER_STORES)
		fprintf(out, "; the handler: %c = %#x", 'a' + s->word, s->value);
	if (s->handler == HANDLER_CALLS) {
		fputs("; the handler: ", out);
		show_op(out, &s->op);
	}
}

void show_step(FILE *out, const struct program *p, const struct step *s)
{
	switch (s->kind) {
	case STEP_CALL:
		fprintf(out, "%d: ", s->thread);
		show_op(out, &s->op);
		break;
	case STEP_SIGNAL:
		show_signal(out, s);
		break;
	case STEP_EXPIRE:
		fprintf(out, "%d's timeout comes", s->thread);
		break;
	case STEP_STORE:
		fprintf(out, "%c = %#x", 'a' + s->word, s->value);
		break;
	case STEP_SET:
		fprintf(out, "SET_SLOTS %u%s", s->value,
			p->fresh ? "" : " (if valid, by the engine alone)");
		break;
	case STEP_GET:
		fputs("GET_SLOTS", out);
		break;
	default:
		fprintf(out, "wake all on %c", 'a' + s->word);
	}
}

static void show_result(FILE *out, long result)
{
	if (result < 0)
		fprintf(out, "%s", strerrorname_np((int)-result));
	else
		fprintf(out, "%ld", result);
}

static void show_threads(FILE *out, uint8_t set)
{
	for (int t = 0; t < THREADS; t++)
		if (set & 1u << t)
			fprintf(out, " %d", t);
}

static void show_seen(FILE *out, const struct program *p, const struct step *s,
		      const struct seen *seen)
{
	for (int t = 0; t < THREADS; t++) {
		if (!(seen->returned & 1u << t))
			continue;
		fprintf(out, " %d returns ", t);
		show_result(out, seen->result[t]);
		fputc(';', out);
	}
	if (s->kind >= STEP_SET || (s->kind == STEP_SIGNAL && s->handler == HANDLER_CALLS)) {
		fputs(" result ", out);
		show_result(out, seen->other);
		fputc(';', out);
	}
	fputs(" words", out);
	for (int i = 0; i < p->words; i++)
		fprintf(out, " %#x", seen->word[i]);
	fputs("; asleep", out);
	show_threads(out, seen->asleep);
	fputc('\n', out);
}

static bool same(const struct seen *a, const struct seen *b)
{
	return a->asleep == b->asleep && a->returned == b->returned &&
	       a->other == b->other && !memcmp(a->word, b->word, sizeof(a->word)) &&
	       !memcmp(a->result, b->result, sizeof(a->result));
}

void show(FILE *out, const struct program *p, const struct outcome *kernel,
	  const struct outcome *engine)
{
	fprintf(out, "program of seed %llu: %d threads, %d words, layout %d%s%s\n",
		(unsigned long long)p->seed, p->threads, p->words, p->layout,
		p->fresh ? ", a process of its own" : "", p->eager ? ", eager" : "");
	for (int i = 0; i < p->steps; i++) {
		fprintf(out, "%3d  ", i + 1);
		show_step(out, p, &p->step[i]);
		fputc('\n', out);
		if (i < kernel->steps) {
			fputs("       kernel:", out);
			show_seen(out, p, &p->step[i], &kernel->seen[i]);
		}
		if (i >= engine->steps)
			continue;
		fputs(i < kernel->steps && same(&kernel->seen[i], &engine->seen[i]) ?
			      "       engine:" : "  ***  engine:", out);
		show_seen(out, p, &p->step[i], &engine->seen[i]);
	}
	if (kernel->stayed || engine->stayed) {
		fputs("  nothing wakes, on the kernel:", out);
		show_threads(out, kernel->stayed);
		fputs("; on the engine:", out);
		show_threads(out, engine->stayed);
		fputc('\n', out);
	}
}
