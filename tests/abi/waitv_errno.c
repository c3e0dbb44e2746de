// SPDX-License-Identifier: MIT
/* futex_waitv: every error, and which comes first. */
#include <limits.h>

#include "pages.h"
#include "subject.h"

#define PRIVATE (UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE)
#define SHARED UFX_FUTEX2_U32
#define MAX UFX_FUTEX_WAITV_MAX

static uint32_t words[MAX + 1];
static struct timespec past = { 1, 0 };

static void fill(struct ufx_waitv_entry *v, int n, uint32_t flags)
{
	int i;

	for (i = 0; i < n; i++)
		v[i] = (struct ufx_waitv_entry){
			.uaddr = (uintptr_t)&words[i],
			.flags = flags,
		};
}

/* Errors of the arguments beside the array. */
static void arguments(const struct subject *s, uint32_t flags, const char *kind)
{
	struct ufx_waitv_entry v[MAX + 1];
	const clockid_t clock = CLOCK_MONOTONIC;
	struct timespec bad = { 0, 1000000000 };
	void *nowhere = page_unmapped();

	fill(v, MAX + 1, flags);
	v[0].val = 1;
	row(s, s->waitv(v, 0, 0, NULL, clock), -EINVAL, "%s waitv of 0", kind);
	row(s, s->waitv(v, MAX + 1, 0, NULL, clock), -EINVAL, "%s waitv of 129",
	    kind);
	row(s, s->waitv(v, MAX, 0, NULL, clock), -EAGAIN, "%s waitv of 128",
	    kind);
	row(s, s->waitv(v, UINT_MAX, 0, NULL, clock), -EINVAL,
	    "%s waitv of 2^32-1", kind);
	row(s, s->waitv(v, 1, 1, NULL, clock), -EINVAL, "%s waitv: flags 1",
	    kind);
	row(s, s->waitv(NULL, 1, 0, NULL, clock), -EINVAL, "%s waitv: NULL",
	    kind);
	row(s, s->waitv(nowhere, 1, 0, NULL, clock), -EFAULT,
	    "%s waitv: bad array pointer", kind);
	row(s, s->waitv(v, 1, 0, nowhere, clock), -EFAULT,
	    "%s waitv: bad timeout pointer", kind);
	row(s, s->waitv(v, 1, 0, &bad, clock), -EINVAL,
	    "%s waitv: tv_nsec = 10^9", kind);
	row(s, s->waitv(v, 1, 0, NULL, 77), -EAGAIN,
	    "%s waitv: bad clock, no timeout", kind);
	row(s, s->waitv(v, 1, 0, &past, 77), -EINVAL,
	    "%s waitv: bad clock, with timeout", kind);
	row(s, s->waitv(v, 1, 0, &past, CLOCK_BOOTTIME), -EINVAL,
	    "%s waitv: CLOCK_BOOTTIME", kind);
	row(s, s->waitv(v, 1, 0, &past, clock), -EAGAIN,
	    "%s waitv: the value differs, deadline past", kind);
	row(s, s->waitv(v + 1, 1, 0, &past, clock), -ETIMEDOUT,
	    "%s waitv: deadline past", kind);
	row(s, s->waitv(v + 1, MAX, 0, &past, CLOCK_REALTIME), -ETIMEDOUT,
	    "%s waitv of 128: deadline past, realtime", kind);
}

struct broken {
	const char *name;
	struct ufx_waitv_entry entry;
	long result;
};

/* One broken entry, alone, and behind a good one. */
static void entry(const struct subject *s, const char *kind,
		  const struct broken *b)
{
	struct ufx_waitv_entry v[3];
	bool private = b->entry.flags & UFX_FUTEX2_PRIVATE;

	/* Older kernels cut the value; the engine passes shared words on. */
	if (b->entry.val > UINT32_MAX && !(s->engine && private) &&
	    !kernel_at_least(6, 7)) {
		row_skip(s, "depends on the kernel's version", "%s waitv: %s", kind,
			 b->name);
		return;
	}
	fill(v, 3, private ? PRIVATE : SHARED);
	v[0] = b->entry;
	row(s, s->waitv(v, 1, 0, &past, CLOCK_MONOTONIC), b->result,
	    "%s waitv: %s", kind, b->name);
	fill(v, 3, private ? PRIVATE : SHARED);
	v[2] = b->entry;
	row(s, s->waitv(v, 3, 0, &past, CLOCK_MONOTONIC), b->result,
	    "%s waitv: %s, as the last of 3", kind, b->name);
}

static void entries(const struct subject *s, uint32_t flags, const char *kind)
{
	const uint64_t w = (uintptr_t)&words[0];
	const uint32_t p = flags & UFX_FUTEX2_PRIVATE;
	const struct broken table[] = {
		{ "reserved is not 0", { 0, w, flags, 1 }, -EINVAL },
		{ "size U8", { 0, w, p, 0 }, -EINVAL },
		{ "size U16", { 0, w, p | 1, 0 }, -EINVAL },
		{ "size U64", { 0, w, p | 3, 0 }, -EINVAL },
		{ "unknown flag", { 0, w, flags | 0x10, 0 }, -EINVAL },
		{ "unknown high flag", { 0, w, flags | 0x100, 0 }, -EINVAL },
		{ "value of 33 bits", { 1ull << 32, w, flags, 0 }, -EINVAL },
		{ "misaligned", { 0, w + 1, flags, 0 }, -EINVAL },
		{ "misaligned by 2", { 1, w + 2, flags, 0 }, -EINVAL },
		{ "misaligned, unmapped",
		  { 0, (uintptr_t)page_unmapped() + 1, flags, 0 }, -EINVAL },
		{ "unmapped", { 0, (uintptr_t)page_unmapped(), flags, 0 },
		  -EFAULT },
		{ "NULL", { 0, 0, flags, 0 }, -EFAULT },
		{ "PROT_NONE", { 0, (uintptr_t)page_none(), flags, 0 },
		  -EFAULT },
		{ "kernel address", { 0, (uintptr_t)page_kernel(), flags, 0 },
		  -EFAULT },
		{ "the value differs", { 1, w, flags, 0 }, -EAGAIN },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		entry(s, kind, &table[i]);
}

/* The array is checked as a whole before any word is looked at. */
static void first_error(const struct subject *s)
{
	struct ufx_waitv_entry v[3];

	fill(v, 3, PRIVATE);
	v[0].val = 1;
	v[2].reserved = 1;
	row(s, s->waitv(v, 3, 0, NULL, CLOCK_MONOTONIC), -EINVAL,
	    "waitv: bad entry 2 before the value of 0");
	v[2].reserved = 0;
	v[2].uaddr++;
	row(s, s->waitv(v, 3, 0, NULL, CLOCK_MONOTONIC), -EINVAL,
	    "waitv: misaligned entry 2 before the value of 0");
	v[2].uaddr = (uintptr_t)page_unmapped();
	row(s, s->waitv(v, 3, 0, NULL, CLOCK_MONOTONIC), -EAGAIN,
	    "waitv: the value of 0 before unmapped entry 2");
	v[0].val = 0;
	row(s, s->waitv(v, 3, 0, &past, CLOCK_MONOTONIC), -EFAULT,
	    "waitv: unmapped entry 2 before the deadline");
}

/* A limit of the engine, as its header says: not both kinds in one call. */
static void mixed(const struct subject *s)
{
	struct ufx_waitv_entry v[2];

	fill(v, 2, PRIVATE);
	v[1].flags = SHARED;
	row(s, s->waitv(v, 2, 0, &past, CLOCK_MONOTONIC),
	    s->mixes ? -ETIMEDOUT : -EINVAL,
	    "waitv: one word private, one shared");
}

static void rows(const struct subject *s)
{
	const char *why = subject_lacks(s, KERNEL_WAITV);

	if (!why)
		why = faults_unguarded(s);
	if (why) {
		row_skip(s, why, "all");
		return;
	}
	arguments(s, PRIVATE, "private");
	entries(s, PRIVATE, "private");
	if (!kernel_lacks(KERNEL_WAITV)) {
		arguments(s, SHARED, "shared");
		entries(s, SHARED, "shared");
	}
	first_error(s);
	mixed(s);
}

int main(void)
{
	return subject_main(rows);
}
