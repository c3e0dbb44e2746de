/* SPDX-License-Identifier: MIT */
/*
 * Time that the machine took away from us: steal (another guest ran) and run
 * delay (our threads were runnable, others ran).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

uint64_t bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int bench_schedstat_open(void)
{
	return open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

/* "time on a CPU, time runnable but waiting, slices", in nanoseconds */
uint64_t bench_schedstat_delay(int fd)
{
	unsigned long long delay;
	char buf[96];
	ssize_t len;

	if (fd < 0)
		return 0;
	len = pread(fd, buf, sizeof(buf) - 1, 0);
	if (len <= 0)
		return 0;
	buf[len] = 0;
	return sscanf(buf, "%*u %llu", &delay) == 1 ? delay : 0;
}

/* The eighth figure of the first line, in ticks. It moves by whole ticks. */
uint64_t bench_steal_ns(void)
{
	unsigned long long steal;
	char buf[256];
	ssize_t len;
	int fd;

	fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (len <= 0)
		return 0;
	buf[len] = 0;
	if (sscanf(buf, "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &steal) != 1)
		return 0;
	return steal * (1000000000 / sysconf(_SC_CLK_TCK));
}

void bench_watch_begin(struct bench_watch *watch)
{
	watch->fd = bench_schedstat_open();
	watch->delay = bench_schedstat_delay(watch->fd);
	watch->start = bench_now();
}

void bench_watch_end(struct bench_watch *watch, struct bench_sample *sample)
{
	sample->thread_ns += bench_now() - watch->start;
	if (watch->fd < 0)
		return;
	sample->delay_ns += bench_schedstat_delay(watch->fd) - watch->delay;
	close(watch->fd);
}
