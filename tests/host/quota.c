// SPDX-License-Identifier: MIT
/* What the cgroups' files say, in trees of our own making, of v2 and of v1. */
#include "host/quota.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "tap.h"

static char top[] = "/tmp/ufutex-quota-XXXXXX";

/* @path below the top, with all its directories. */
static void put(const char *path, const char *text)
{
	char whole[PATH_MAX];
	int fd;

	snprintf(whole, sizeof(whole), "%s/%s", top, path);
	for (char *p = whole + strlen(top) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(whole, 0755);
		*p = '/';
	}
	fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		bail("%s: %s", whole, strerror(errno));
	close(fd);
}

static void clear(void)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf '%s'/*", top);
	if (system(command))
		bail("%s", command);
}

#define V2 "sys/fs/cgroup/"
#define V1 "sys/fs/cgroup/cpu/"
#define BOTH "sys/fs/cgroup/cpu,cpuacct/"

static const struct {
	const char *what, *cgroup;
	const char *files[8]; /* path, text, ... */
	uint32_t percent;
} rows[] = {
	{ "no files at all", NULL, { NULL }, UFX_QUOTA_NONE },
	{ "v2, no limit", "0::/a\n", { V2 "a/cpu.max", "max 100000\n" }, UFX_QUOTA_NONE },
	{ "v2, one CPU", "0::/a\n", { V2 "a/cpu.max", "100000 100000\n" }, 100 },
	{ "v2, half a one", "0::/a\n", { V2 "a/cpu.max", "5000 10000\n" }, 50 },
	{ "v2, the one above has less", "0::/a/b/c\n",
	  { V2 "a/b/c/cpu.max", "300000 100000\n", V2 "a/cpu.max", "150000 100000\n",
	    V2 "a/b/cpu.max", "max 100000\n" }, 150 },
	{ "v2, a cgroup beside", "0::/a/b\n",
	  { V2 "a/c/cpu.max", "1 100000\n", V2 "a/b/cpu.max", "200000 100000\n",
	    V2 "a/b/c/cpu.max", "1 100000\n" }, 200 },
	{ "v2, the top of a container, the path of the host", "0::/docker/0123\n",
	  { V2 "cpu.max", "50000 100000\n" }, 50 },
	{ "v2, out of sight", "0::/../x\n",
	  { V2 "cpu.max", "70000 100000\n", "sys/fs/x/cpu.max", "1 100000\n" }, 70 },
	{ "v2, hardly anything", "0::/a\n", { V2 "a/cpu.max", "1000 1000000\n" }, 0 },
	{ "v2, more than can be", "0::/a\n",
	  { V2 "a/cpu.max", "999999999999999 1\n" }, UFX_QUOTA_NONE },
	{ "v2, no numbers", "0::/a\n", { V2 "a/cpu.max", "nonsense\n" }, UFX_QUOTA_NONE },
	{ "v2, a period of 0", "0::/a\n", { V2 "a/cpu.max", "5 0\n" }, UFX_QUOTA_NONE },
	{ "v2, an empty file", "0::/a\n", { V2 "a/cpu.max", "" }, UFX_QUOTA_NONE },
	{ "v1", "3:cpuset:/b\n2:cpu,cpuacct:/a\n0::/\n",
	  { BOTH "a/cpu.cfs_quota_us", "250000\n", BOTH "a/cpu.cfs_period_us", "100000\n" },
	  250 },
	{ "v1, no limit", "2:cpu:/a\n",
	  { V1 "a/cpu.cfs_quota_us", "-1\n", V1 "a/cpu.cfs_period_us", "100000\n" },
	  UFX_QUOTA_NONE },
	{ "v1, the one above has less", "4:cpuacct,cpu:/a/b\n",
	  { V1 "a/cpu.cfs_quota_us", "50000\n", V1 "a/cpu.cfs_period_us", "100000\n",
	    V1 "a/b/cpu.cfs_quota_us", "-1\n" }, 50 },
	{ "v1, other controllers' names", "4:cpuset,cpuacct:/a\n5:name=cpu:/a\n",
	  { V1 "a/cpu.cfs_quota_us", "50000\n", V1 "a/cpu.cfs_period_us", "100000\n" },
	  UFX_QUOTA_NONE },
	{ "both, v2 has less", "2:cpu:/a\n0::/b\n",
	  { V1 "a/cpu.cfs_quota_us", "50000\n", V1 "a/cpu.cfs_period_us", "10000\n",
	    V2 "b/cpu.max", "300000 100000\n" }, 300 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void tables(void)
{
	for (unsigned int i = 0; i < ROWS; i++) {
		clear();
		if (rows[i].cgroup)
			put("proc/self/cgroup", rows[i].cgroup);
		for (int f = 0; f < 8 && rows[i].files[f]; f += 2)
			put(rows[i].files[f], rows[i].files[f + 1]);
		is_int(ufx_quota_read(top), rows[i].percent, "%s", rows[i].what);
	}
}

/* Longer than any buffer, in the line before and in the path. */
static void long_lines(void)
{
	char path[3000] = V2, line[8000] = "7:pids:/";
	size_t used;

	clear();
	memset(line + strlen(line), 'x', 3000);
	strcat(line, "\n0::/");
	for (int i = 0; i < 12; i++) {
		used = strlen(path);
		memset(path + used, 'a' + i, 200);
		strcpy(path + used + 200, "/");
	}
	strcat(line, path + strlen(V2));
	line[strlen(line) - 1] = '\n';
	put("proc/self/cgroup", line);
	strcat(path, "cpu.max");
	put(path, "30000 100000\n");
	is_int(ufx_quota_read(top), 30, "a path of %zu characters", strlen(path));
}

static void of_this_process(void)
{
	int before = open("/", O_PATH), after;

	ufx_quota_start();
	close(before);
	after = open("/", O_PATH);
	close(after);
	ok(ufx_quota() > 0, "this process has some");
	is_int(after, before, "no file stays open");
	ufx_quota_pretend(70);
	is_int(ufx_quota(), 70, "pretended");
}

int main(void)
{
	if (!mkdtemp(top))
		bail("%s: %s", top, strerror(errno));
	tables();
	long_lines();
	of_this_process();
	clear();
	rmdir(top);
	return tap_end();
}
