/* SPDX-License-Identifier: MIT */
/*
 * The program's signal handlers, called by ours, so that they find the world
 * as over the kernel's futex: the thread waits nowhere and holds nothing that
 * others wait for. One that comes while the thread is at such a thing comes at
 * its end.
 */
#ifndef UFX_PRELOAD_HANDLERS_H
#define UFX_PRELOAD_HANDLERS_H

#define UFX_HANDLER_ENTRIES 16
#define UFX_HANDLER_ENTRY_SIZE 16

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As the kernel has it. */
struct ufx_sigaction {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

/*
 * From now on ours stand before the program's, that of guarded accesses first.
 * False: there is no memory.
 */
bool ufx_handlers_start(void);

/* rt_sigaction(2): -errno or 0. */
long ufx_handlers_change(int signal, const struct ufx_sigaction *act,
			 struct ufx_sigaction *old, size_t mask_size);

#endif
#endif
