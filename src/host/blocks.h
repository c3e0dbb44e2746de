/* SPDX-License-Identifier: MIT */
/*
 * Small memory for what there are thousands of: domains and their fixed tables.
 * Out of chunks that are never unmapped; zeroes, as pages.
 */
#ifndef UFX_HOST_BLOCKS_H
#define UFX_HOST_BLOCKS_H

/*
 * UFX_PAIR bytes that a fork wipes, and as many UFX_PAIR_APART behind that it does
 * not. NULL: no memory.
 */
#define UFX_PAIR 256
#define UFX_PAIR_APART 4096

void *ufx_pair_alloc(void);
void ufx_pair_free(void *pair);

/* UFX_BLOCK bytes; 64-byte aligned. */
#define UFX_BLOCK 1152

void *ufx_block_alloc(void);
void ufx_block_free(void *block);

#endif
