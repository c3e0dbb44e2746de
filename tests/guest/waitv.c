// SPDX-License-Identifier: MIT
/* The same rows for a guest: subject_other is what is asked. */
#include "../abi/waitv.c"
