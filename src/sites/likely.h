/* SPDX-License-Identifier: MIT */
/*
 * Bytes of a system call where it is not known which bytes are instructions:
 * may it be one, and one of ours?
 */
#ifndef UFUTEX_SITES_LIKELY_H
#define UFUTEX_SITES_LIKELY_H

#include "sites/set.h"

#define UFX_LIKELY_REACH 128 /* so many bytes before it are looked at */

/*
 * False: nothing within UFX_LIKELY_REACH bytes before @address, and not before
 * @begin, could give it such a number. @set has its targets marked.
 */
bool ufx_code_likely(const struct ufx_code_set *set, uint64_t begin,
		     uint64_t address);

#endif
