/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <sys/eventfd.h>

#include "host/event.h"
#include "host/syscall.h"

int ufx_event_new(void)
{
	return (int)ufx_syscall(SYS_eventfd2, 0, EFD_NONBLOCK | EFD_CLOEXEC, 0, 0, 0, 0);
}

void ufx_event_close(int fd)
{
	ufx_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}

void ufx_event_set(int fd)
{
	uint64_t one = 1;

	ufx_syscall(SYS_write, fd, (long)&one, sizeof(one), 0, 0, 0);
}

void ufx_event_clear(int fd)
{
	uint64_t count;

	ufx_syscall(SYS_read, fd, (long)&count, sizeof(count), 0, 0, 0);
}
