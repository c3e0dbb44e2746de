/* SPDX-License-Identifier: MIT */
/*
 * Waking all sleepers of a word by one system call. Those that wait without a
 * timeout sleep on the program's word as well as on their own (ufx_park_words):
 * so a wake of that word in the kernel, with us nobody else's, wakes them all.
 * It may wake one too many, who has come since; that one finds that the bell
 * rang, and sleeps on.
 */
#ifndef UFX_FUTEX_BELL_H
#define UFX_FUTEX_BELL_H

#include <stdbool.h>
#include <stdint.h>

/* How often a bell had rung, and whether it was ringing. */
struct ufx_rings {
	uint32_t begun, done;
};

/* Wakes all threads that sleep on @word in the kernel. */
void ufx_bell_ring(uint64_t word);

/* To be taken before the word is slept on. */
struct ufx_rings ufx_bell_look(uint64_t word);

/* May a ring have woken a thread that looked so before it slept on @word? */
bool ufx_bell_rang(uint64_t word, const struct ufx_rings *before);

#endif
