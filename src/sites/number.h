/* SPDX-License-Identifier: MIT */
/*
 * Which system calls a function may make: what is in eax before each of its
 * syscall instructions.
 */
#ifndef UFUTEX_SITES_NUMBER_H
#define UFUTEX_SITES_NUMBER_H

#include "sites/code.h"

/*
 * Sets @matters and @kind of each instruction that makes a system call, once
 * the targets in @code are marked.
 */
void ufx_numbers_find(struct ufx_code *code);

bool ufx_number_is_ours(uint32_t number);

#endif
