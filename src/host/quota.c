/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <fcntl.h>

#include "host/atomic.h"
#include "host/quota.h"
#include "host/syscall.h"

static uint32_t quota = UFX_QUOTA_NONE;

static long open_at(long dir, const char *name, int flags)
{
	return ufx_syscall(SYS_openat, dir, (long)name, flags | O_CLOEXEC, 0, 0, 0);
}

static void close_one(long fd)
{
	if (fd >= 0)
		ufx_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}

/* ---- the files of one cgroup ---- */

/* Up to @most numbers; returns how many. "max", or one below 0, is none. */
static unsigned int read_numbers(long dir, const char *name, uint64_t *numbers,
				 unsigned int most)
{
	long fd = open_at(dir, name, O_RDONLY);
	unsigned int n = 0;
	char text[48];
	long length;

	if (fd < 0)
		return 0;
	length = ufx_syscall(SYS_read, fd, (long)text, sizeof(text), 0, 0, 0);
	close_one(fd);
	for (long i = 0; i < length && n < most; n++) {
		if (text[i] < '0' || text[i] > '9')
			break;
		for (numbers[n] = 0; i < length && text[i] >= '0' && text[i] <= '9'; i++)
			numbers[n] = numbers[n] * 10 + (uint64_t)(text[i] - '0');
		while (i < length && text[i] == ' ')
			i++;
	}
	return n;
}

/* Of the one cgroup whose directory @dir is. */
static uint32_t quota_in(long dir, bool v1)
{
	uint64_t numbers[2]; /* time, in each period of so much */

	if (v1 && (!read_numbers(dir, "cpu.cfs_quota_us", &numbers[0], 1) ||
		   !read_numbers(dir, "cpu.cfs_period_us", &numbers[1], 1)))
		return UFX_QUOTA_NONE;
	if (!v1 && read_numbers(dir, "cpu.max", numbers, 2) < 2)
		return UFX_QUOTA_NONE;
	if (!numbers[1] || numbers[0] / numbers[1] > UFX_QUOTA_NONE / 200)
		return UFX_QUOTA_NONE;
	return (uint32_t)(numbers[0] * 100 / numbers[1]);
}

/* ---- /proc/self/cgroup, a character at a time: its lines may be long ---- */

struct text {
	long fd;
	int at, length;
	char buffer[64];
};

/* The next character; -1 at the end. */
static int next(struct text *t)
{
	if (t->at == t->length) {
		t->length = (int)ufx_syscall(SYS_read, t->fd, (long)t->buffer,
					     sizeof(t->buffer), 0, 0, 0);
		t->at = 0;
		if (t->length <= 0) {
			t->length = 0;
			return -1;
		}
	}
	return (unsigned char)t->buffer[t->at++];
}

/* Reads "NUMBER:LIST:"; what @list has of it. */
enum list { END, OTHER, V1_CPU, V2 };

static enum list read_list(struct text *t)
{
	enum list list = V2; /* an empty one */
	int c = next(t), matched = 0; /* characters of "cpu"; -1: another word */

	while (c >= 0 && c != ':')
		c = next(t);
	if (c < 0)
		return END;
	for (c = next(t); c >= 0 && c != '\n'; c = next(t)) {
		if ((c == ',' || c == ':') && matched == 3)
			list = V1_CPU;
		if (c == ':')
			return list;
		if (list == V2)
			list = OTHER;
		if (c == ',')
			matched = 0;
		else
			matched = matched >= 0 && c == "cpu"[matched] ? matched + 1 : -1;
	}
	return c < 0 ? END : OTHER;
}

/* The next part of a path. False: no more, or "..", which leads out of sight. */
static bool next_name(struct text *t, char name[256])
{
	int c, n = 0;

	while ((c = next(t)) >= 0 && c != '\n' && (c != '/' || !n)) {
		if (c == '/')
			continue;
		if (n == 255)
			return false;
		name[n++] = (char)c;
	}
	name[n] = '\0';
	if (c == '\n')
		t->at--; /* for the next time, and for who skips the line */
	return n && !(n == 2 && name[0] == '.' && name[1] == '.');
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/*
 * The least of all cgroups along the path that @t is at, from the top @dir (a
 * descriptor, closed here). A path that leads to none ends there: in a container
 * the top is this process's own cgroup, and the path that of the host.
 */
static __attribute__((noinline)) uint32_t walk(struct text *t, long dir, bool v1)
{
	uint32_t found = UFX_QUOTA_NONE;
	char name[256];

	while (dir >= 0) {
		long below = -1;

		found = least(found, quota_in(dir, v1));
		if (next_name(t, name))
			below = open_at(dir, name, O_PATH | O_DIRECTORY);
		close_one(dir);
		dir = below;
	}
	return found;
}

static long open_top(long root, bool v1)
{
	static const char *const tops[] = {
		"sys/fs/cgroup", "sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct"
	};
	long top;

	if (!v1)
		return open_at(root, tops[0], O_PATH | O_DIRECTORY);
	top = open_at(root, tops[1], O_PATH | O_DIRECTORY);
	return top >= 0 ? top : open_at(root, tops[2], O_PATH | O_DIRECTORY);
}

uint32_t ufx_quota_read(const char *root)
{
	long dir = open_at(AT_FDCWD, root, O_PATH | O_DIRECTORY);
	uint32_t found = UFX_QUOTA_NONE;
	struct text t = { .fd = -1 };
	enum list list;

	if (dir >= 0)
		t.fd = open_at(dir, "proc/self/cgroup", O_RDONLY);
	while (t.fd >= 0 && (list = read_list(&t)) != END) {
		int c;

		if (list != OTHER)
			found = least(found, walk(&t, open_top(dir, list == V1_CPU),
						  list == V1_CPU));
		while ((c = next(&t)) >= 0 && c != '\n')
			;
	}
	close_one(t.fd);
	close_one(dir);
	return found;
}

void ufx_quota_start(void)
{
	ufx_store(&quota, ufx_quota_read("/"));
}

uint32_t ufx_quota(void)
{
	return ufx_load(&quota);
}

void ufx_quota_pretend(uint32_t percent)
{
	ufx_store(&quota, percent);
}
