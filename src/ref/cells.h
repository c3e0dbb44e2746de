/* SPDX-License-Identifier: MIT */
/*
 * Cells: for each count one 8-byte word in each region, the regions
 * UFX_CELL_STRIDE apart. In mode rseq region i belongs to CPU i and is written
 * by restartable sequences only; in the others it belongs to one thread. The
 * last region is everybody's and written by atomic instructions only, so that
 * whoever cannot use the others may always count too.
 *
 * Only the sum modulo 2^64 over all regions means anything: a get on one CPU
 * and its put on another is normal.
 *
 * Fork: the child never uses cells that its parent handed out; an operation
 * that a forking handler interrupted may still count on them.
 */
#ifndef UFX_REF_CELLS_H
#define UFX_REF_CELLS_H

#include <ufutex/base.h>

/* Cells for one count, all zero; 0 if there is no memory. */
uintptr_t ufx_cells_alloc(void);
void ufx_cells_free(uintptr_t cells);

/* Adds @n without a sequence. Within a read side (grace/reader.h). */
void ufx_cells_add(uintptr_t cells, int64_t n);

/*
 * The sum over all regions; exact once a grace period has passed since
 * everybody was told not to count there. Also sets them to zero.
 */
int64_t ufx_cells_collect(uintptr_t cells);

/* The sum as it looks now; others may be counting. */
int64_t ufx_cells_sum(uintptr_t cells);

int ufx_cells_start(void);

#endif
