/* SPDX-License-Identifier: MIT */
/* What a loop can poll is Linux's affair; here it is said that there is none. */
#include <errno.h>

#include "host/event.h"

int ufx_event_new(void)
{
	return -ENOSYS;
}

void ufx_event_close(int fd)
{
	(void)fd;
}

void ufx_event_set(int fd)
{
	(void)fd;
}

void ufx_event_clear(int fd)
{
	(void)fd;
}
