/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "host/atomic.h"
#include "host/cpu.h"
#include "host/syscall.h"

static unsigned int possible, pretended;

/* The last number in a list such as "0-3,8-11"; -1 if there is none. */
static int last_number(const char *s, long n)
{
	int value = -1;

	for (long i = 0; i < n; i++) {
		if (s[i] >= '0' && s[i] <= '9')
			value = (value < 0 ? 0 : value) * 10 + s[i] - '0';
		else if (i + 1 < n && s[i] != '\n')
			value = -1;
	}
	return value;
}

/*
 * /sys/devices/system/cpu/possible; where it is hidden, what sysconf says, and
 * never less than the CPU that we run on now.
 */
static unsigned int read_possible(void)
{
	char text[256];
	int last = -1;
	long fd = ufx_syscall(SYS_openat, AT_FDCWD,
			      (long)"/sys/devices/system/cpu/possible",
			      O_RDONLY | O_CLOEXEC, 0, 0, 0);

	if (fd >= 0) {
		long n = ufx_syscall(SYS_read, fd, (long)text, sizeof(text), 0, 0, 0);

		ufx_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
		last = last_number(text, n);
	}
	if (last < 0)
		last = (int)sysconf(_SC_NPROCESSORS_CONF) - 1;
	if (last < sched_getcpu())
		last = sched_getcpu();
	return last < 0 ? 1 : (unsigned int)last + 1;
}

unsigned int ufx_cpus_possible(void)
{
	unsigned int n = ufx_load(&possible);

	if (!n) {
		n = read_possible();
		ufx_store(&possible, n);
	}
	return n;
}

unsigned int ufx_cpus_online(void)
{
	unsigned int n = ufx_load(&pretended);
	long online;
	int saved;

	if (n)
		return n;
	saved = errno;
	online = sysconf(_SC_NPROCESSORS_ONLN);
	errno = saved;
	return online < 1 ? 1 : (unsigned int)online;
}

void ufx_cpus_pretend(unsigned int n)
{
	ufx_store(&pretended, n);
}

unsigned int ufx_cpus_for_sizing(void)
{
	unsigned int n = ufx_load(&pretended);

	return n ? n : ufx_cpus_possible();
}
