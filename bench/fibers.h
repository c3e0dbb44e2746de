/* SPDX-License-Identifier: MIT */
/*
 * Two fibers of one thread, in two ways of switching (fibers-fcontext.c,
 * fibers-ucontext.c, from fibers-pair.h).
 */
#ifndef UFUTEX_BENCH_FIBERS_H
#define UFUTEX_BENCH_FIBERS_H

#include "bench.h"

struct bench_fiber_kind {
	const char *name;
	const char *missing; /* or NULL */
	void (*hand_off)(struct bench_worker *worker, void *domain, uint64_t n);
	void (*bare)(struct bench_worker *worker, void *domain, uint64_t n);
};

extern const struct bench_fiber_kind bench_fcontext, bench_ucontext;

#endif
