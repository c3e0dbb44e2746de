/* SPDX-License-Identifier: MIT */
/* Keeping handlers out of what must not be interrupted. */
#ifndef UFX_HOST_SIGNALS_H
#define UFX_HOST_SIGNALS_H

#include <stdint.h>

/*
 * Blocks all signals of the calling thread but those that its own instructions
 * cause; returns which were blocked before, for ufx_signals_restore. A system
 * call each.
 */
uint64_t ufx_signals_block(void);
void ufx_signals_restore(uint64_t before);

#endif
