// SPDX-License-Identifier: MIT
/*
 * What counters cost: 8 bytes a CPU and reference, one cache line never two
 * CPUs', for thousands of references; given back, they are used again.
 */
#include <ufutex/ref.h>

#include "grace/mode.h"
#include "host/cpu.h"
#include "ref/cells.h"

#include "hammer.h"

#define REFS 5040
#define A_PAGE 504 /* refs whose cells share a page a CPU: see ufutex/ref.h */

static struct ufx_ref refs[REFS];

static void make(void)
{
	int i, failed = 0;

	for (i = 0; i < REFS; i++)
		failed += ufx_ref_init(&refs[i], NULL) != 0;
	is_int(failed, 0, "%d refs", REFS);
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return (x > y) - (x < y);
}

static void compact(void)
{
	static uintptr_t at[REFS];
	int i, pages = 1, shared = 0;

	for (i = 0; i < REFS; i++)
		at[i] = refs[i].counters.cells;
	qsort(at, REFS, sizeof(*at), by_address);
	for (i = 1; i < REFS; i++) {
		shared += at[i] - at[i - 1] < 8;
		pages += at[i] / 4096 != at[i - 1] / 4096;
	}
	is_int(shared, 0, "each has its own eight bytes");
	ok(pages <= REFS / A_PAGE + 1, "%d pages a CPU hold them all", pages);
}

/* Resident bytes; 0: not known. */
static long resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long size, pages = 0;

	if (f && fscanf(f, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages * 4096;
}

static void use_all(int cpu)
{
	int i;

	use_cpu(cpu);
	for (i = 0; i < REFS; i++)
		ufx_ref_get(&refs[i]);
}

/* The first CPU's cells of all references lie in pages; those of others apart. */
static void no_line_is_shared(void)
{
	unsigned int region, regions = ufx_cpus_possible();
	int i, wrong = 0;

	for (i = 0; i < REFS; i++)
		for (region = 1; region <= regions; region++)
			wrong += (refs[i].counters.cells + region * UFX_CELL_STRIDE) / 64 ==
				 (refs[i].counters.cells + (region - 1) * UFX_CELL_STRIDE) / 64;
	ok(UFX_CELL_STRIDE >= 4096 && !wrong, "CPUs' cells lie in different lines");
}

/* Which of a ref's cells have changed: bit by region. */
static uint64_t changed(const struct ufx_ref *ref, unsigned int regions)
{
	uint64_t bits = 0;

	for (unsigned int i = 0; i < regions && i < 64; i++) {
		uintptr_t cell = ref->counters.cells + i * UFX_CELL_STRIDE;

		if (__atomic_load_n((int64_t *)cell, __ATOMIC_RELAXED))
			bits |= 1ull << i;
	}
	return bits;
}

/* In mode rseq a CPU writes its own cell and no other. */
static void own_cell_only(void)
{
	unsigned int n = ufx_cpus_possible();
	int i, wrong = 0;

	if (ufx_mode->mode != UFX_MODE_RSEQ) {
		skip("n/a: cells are threads' in this mode", "a CPU writes its own cell");
		return;
	}
	use_cpu(0);
	for (i = 0; i < REFS; i++) {
		uint64_t before = changed(&refs[i], n), after;

		ufx_ref_get_many(&refs[i], 1ul << 20);
		after = changed(&refs[i], n);
		wrong += __builtin_popcountll(before ^ after) > 1;
		ufx_ref_put_many(&refs[i], 1ul << 20);
		wrong += changed(&refs[i], n) != before;
	}
	is_int(wrong, 0, "a CPU writes its own cell");
}

static void exact(void)
{
	int i, wrong = 0;

	for (i = 0; i < REFS; i++)
		ufx_ref_get_many(&refs[i], (unsigned long)i);
	ufx_grace_limit(0, 0);
	for (i = 0; i < REFS; i++)
		ufx_ref_kill_and_confirm(&refs[i], NULL);
	ufx_grace_barrier();
	for (i = 0; i < REFS; i++)
		wrong += refs[i].counters.count != i + 2;
	is_int(wrong, 0, "each counts its own");
}

static void used_again(void)
{
	uintptr_t lowest = UINTPTR_MAX, highest = 0;
	int i, outside = 0;

	for (i = 0; i < REFS; i++) {
		uintptr_t at = refs[i].counters.cells;

		lowest = at < lowest ? at : lowest;
		highest = at > highest ? at : highest;
	}
	for (i = 0; i < REFS; i++)
		ufx_ref_exit(&refs[i]);
	for (i = 0; i < REFS; i++) {
		outside += ufx_ref_init(&refs[i], NULL) != 0;
		outside += refs[i].counters.cells < lowest ||
			   refs[i].counters.cells > highest;
		outside += ufx_cells_sum(refs[i].counters.cells) != 1;
	}
	is_int(outside, 0, "cells are used again, with one reference in them");
	for (i = 0; i < REFS; i++)
		ufx_ref_exit(&refs[i]);
}

int main(void)
{
	long before, grown, most;

	memset(refs, 1, sizeof(refs)); /* resident already */
	before = resident();
	make();
	use_all(0);
	use_all(1);
	grown = resident() - before;
	/* Two CPUs, the region that is everybody's, and what else there is. */
	most = (long)REFS * 8 * 3 + 100 * 4096;
	if (ufx_mode->mode == UFX_MODE_RSEQ && before && ufx_cpus_possible() <= 64)
		ok(grown <= most, "%ld bytes for %d refs on two CPUs, of %ld", grown,
		   REFS, most);
	no_line_is_shared();
	compact();
	own_cell_only();
	exact();
	used_again();
	return tap_end();
}
