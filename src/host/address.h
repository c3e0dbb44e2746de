/* SPDX-License-Identifier: MIT */
/* Which addresses can be a program's. */
#ifndef UFX_HOST_ADDRESS_H
#define UFX_HOST_ADDRESS_H

#include <stdint.h>

/* The last word that the kernel takes for a user's, mapped or not. */
extern uintptr_t ufx_address_last;

/* Finds that out; until then it is the smaller of the two that there are. */
void ufx_address_start(void);

#endif
