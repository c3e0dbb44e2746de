// SPDX-License-Identifier: MIT
/* Pages: zeroes, failures on demand, and what a child of fork sees of them. */
#include "host/memory.h"
#include "grace/mode.h"

#include "tap.h"

static bool all_zero(const char *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i])
			return false;
	return true;
}

static void failures(void)
{
	void *p;

	ufx_pages_fail(5000, 2);
	p = ufx_pages_alloc(4096);
	ok(p != NULL, "a smaller one does not fail");
	ok(!ufx_pages_alloc(8192), "a larger one does");
	ok(!ufx_pages_alloc_wiped(8192), "twice");
	ufx_pages_free(p, 4096);
	p = ufx_pages_alloc(8192);
	ok(p && all_zero(p, 8192), "not three times");
	ufx_pages_free(p, 8192);
}

static void child(const char *plain, const char *wiped, const char *pair)
{
	ok(plain[0] == 1, "plain pages keep what they had");
	ok(all_zero(wiped, 4096), "wiped ones are zero");
	ok(all_zero(pair, 4096), "the first half of a pair is zero");
	ok(pair[4096] == 3 && pair[4097] == 4, "the second one is as it was");
	_exit(0);
}

static void forked(void)
{
	char *plain = ufx_pages_alloc(4096), *wiped = ufx_pages_alloc_wiped(4096);
	char *pair = ufx_pages_alloc_pair(4096);
	pid_t pid;

	if (!plain || !wiped || !pair)
		bail("no memory");
	ok(all_zero(plain, 4096) && all_zero(wiped, 4096) && all_zero(pair, 4096),
	   "new pages are zero");
	plain[0] = 1;
	memset(wiped, 2, 4096);
	memset(pair, 2, 4096);
	pair[4096] = 3;
	pair[4097] = 4;
	pid = tap_fork();
	if (pid == 0)
		child(plain, wiped, pair);
	tap_reap(pid, "fork");
	ok(wiped[4095] == 2 && pair[0] == 2, "the parent's are untouched");
	ufx_pages_free(plain, 4096);
	ufx_pages_free_pair(pair, 4096);
	pair = ufx_pages_alloc_pair(4096);
	ok(pair && all_zero(pair, 4096), "a pair that was used before is zero");
}

int main(void)
{
	ufx_grace_start(); /* if there is no constructor */
	failures();
	forked();
	return tap_end();
}
