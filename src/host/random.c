/* SPDX-License-Identifier: MIT */
#include <sys/random.h>

#include "host/random.h"
#include "host/syscall.h"

void ufx_random(void *to, size_t size)
{
	ufx_syscall(SYS_getrandom, (long)to, (long)size, GRND_NONBLOCK, 0, 0, 0);
}
