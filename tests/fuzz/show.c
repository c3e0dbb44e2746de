// SPDX-License-Identifier: MIT
/* A call in words. */
#include "fuzz.h"

#include <inttypes.h>
#include "futex_numbers.h"
#include <string.h>

static void show_op(FILE *out, uint32_t op)
{
	static const char *const names[] = {
		"WAIT", "WAKE", "FD", "REQUEUE", "CMP_REQUEUE", "WAKE_OP",
		"LOCK_PI", "UNLOCK_PI", "TRYLOCK_PI", "WAIT_BITSET",
		"WAKE_BITSET", "WAIT_REQUEUE_PI", "CMP_REQUEUE_PI", "LOCK_PI2",
	};
	uint32_t rest = op & ~(uint32_t)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);

	if (rest < sizeof(names) / sizeof(names[0]))
		fputs(names[rest], out);
	else
		fprintf(out, "0x%x", rest);
	fputs(op & FUTEX_PRIVATE_FLAG ? "|PRIVATE" : "", out);
	fputs(op & FUTEX_CLOCK_REALTIME ? "|REALTIME" : "", out);
}

static void show_place(FILE *out, struct fuzz_place place)
{
	fprintf(out, "[%s]", fuzz_place_name(place));
	if (place.off)
		fprintf(out, "+%d bytes", place.off);
}

static void show_timeout(FILE *out, const struct fuzz_call *c)
{
	if (!c->timed) {
		fprintf(out, "0x%" PRIx64, c->number);
		return;
	}
	if (c->spot <= FUZZ_SPOT_OVER_END4 && c->spot != FUZZ_SPOT_NULL)
		fprintf(out, "{%lld, %lld} ", (long long)c->timeout.tv_sec,
			(long long)c->timeout.tv_nsec);
	fputs(fuzz_spot_name(c->spot), out);
}

static void show_flags(FILE *out, uint32_t flags)
{
	static const char *const sizes[] = { "U8", "U16", "U32", "U64" };
	uint32_t rest = flags & ~(3u | UFX_FUTEX2_NUMA | UFX_FUTEX2_MPOL |
				  UFX_FUTEX2_PRIVATE);

	fputs(sizes[flags & 3], out);
	fputs(flags & UFX_FUTEX2_NUMA ? "|NUMA" : "", out);
	fputs(flags & UFX_FUTEX2_MPOL ? "|MPOL" : "", out);
	fputs(flags & UFX_FUTEX2_PRIVATE ? "|PRIVATE" : "", out);
	if (rest)
		fprintf(out, "|0x%x", rest);
}

static void show_list(FILE *out, const struct fuzz_call *c)
{
	fputc('{', out);
	for (unsigned int i = 0; i < c->entries && i < 4; i++) {
		const struct fuzz_entry *e = &c->entry[i];

		fprintf(out, "%s{0x%" PRIx64 ", ", i ? ", " : "", e->val);
		show_place(out, e->place);
		fputs(", ", out);
		show_flags(out, e->flags);
		if (e->reserved)
			fprintf(out, ", 0x%x", e->reserved);
		fputc('}', out);
	}
	fprintf(out, "%s} %s", c->entries > 4 ? ", ..." : "",
		fuzz_spot_name(c->list));
}

static void show_futex(FILE *out, const struct fuzz_call *c)
{
	fputs("futex(", out);
	show_place(out, c->word);
	fputs(", ", out);
	show_op(out, c->op);
	fprintf(out, ", 0x%" PRIx64 ", ", c->val);
	show_timeout(out, c);
	fputs(", ", out);
	show_place(out, c->word2);
	fprintf(out, ", 0x%x)", c->val3);
}

static void show_wait(FILE *out, const struct fuzz_call *c)
{
	fputs("futex_wait(", out);
	show_place(out, c->word);
	fprintf(out, ", 0x%" PRIx64 ", 0x%" PRIx64 ", ", c->val, c->mask);
	show_flags(out, c->flags);
	fputs(", ", out);
	show_timeout(out, c);
	fprintf(out, ", clock %d)", (int)c->clock);
}

static void show_wake(FILE *out, const struct fuzz_call *c)
{
	fputs("futex_wake(", out);
	show_place(out, c->word);
	fprintf(out, ", 0x%" PRIx64 ", %d, ", c->mask, c->nr);
	show_flags(out, c->flags);
	fputc(')', out);
}

void fuzz_show(FILE *out, const struct fuzz_call *c)
{
	switch (c->kind) {
	case FUZZ_FUTEX:
		show_futex(out, c);
		break;
	case FUZZ_WAITV:
		fputs("futex_waitv(", out);
		show_list(out, c);
		fprintf(out, ", %d, 0x%x, ", c->nr, c->flags);
		show_timeout(out, c);
		fprintf(out, ", clock %d)", (int)c->clock);
		break;
	case FUZZ_WAKE:
		show_wake(out, c);
		break;
	case FUZZ_WAIT:
		show_wait(out, c);
		break;
	case FUZZ_REQUEUE:
		fputs("futex_requeue(", out);
		show_list(out, c);
		fprintf(out, ", 0x%x, %d, %d)", c->flags, c->nr, c->nr2);
		break;
	case FUZZ_HASH:
		fprintf(out, "prctl(PR_FUTEX_HASH, %s0x%" PRIx64 ", 0x%" PRIx64
			     ", 0x%" PRIx64 ", 0x%" PRIx64 ")",
			c->arg[0] == 1 ? "SET_SLOTS " :
			c->arg[0] == 2 ? "GET_SLOTS " : "",
			c->arg[0], c->arg[1], c->arg[2], c->arg[3]);
		break;
	case FUZZ_STORE:
		show_place(out, c->word);
		fprintf(out, " := 0x%" PRIx64, c->val);
		break;
	}
}

void fuzz_show_answer(FILE *out, long answer)
{
	fprintf(out, "%ld", answer);
	if (answer < 0 && answer > -4096)
		fprintf(out, " (%s)", strerror((int)-answer));
}
