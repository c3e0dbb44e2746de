/* SPDX-License-Identifier: MIT */
/* Processors: how many there may be, are, and may be used. */
#ifndef UFX_HOST_CPU_H
#define UFX_HOST_CPU_H

#include <stdbool.h>

/*
 * One more than the highest CPU number that can ever come up. Counts are kept
 * and summed over all of them: a CPU may go offline with a count in its cell.
 */
unsigned int ufx_cpus_possible(void);

/* CPUs online now; what the kernel's table sizes itself by. */
unsigned int ufx_cpus_online(void);

/* Tests: pretend that @n CPUs are online and possible for sizing; 0: the truth. */
void ufx_cpus_pretend(unsigned int n);

/* What table sizes are computed from: possible, or pretended. */
unsigned int ufx_cpus_for_sizing(void);

#endif
