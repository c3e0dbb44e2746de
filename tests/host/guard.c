// SPDX-License-Identifier: MIT
/* Guarded access to words that are there, and to words that are not. */
#include "host/guard.h"
#include "grace/mode.h"

#include "pages.h"
#include "tap.h"

static void readable(void)
{
	uint32_t word = 0x12345678, value = 0;

	is_int(ufx_guarded_load(&word, &value), 0, "a word is loaded");
	is_int(value, 0x12345678, "its value");
	value = 5;
	is_int(ufx_guarded_cas(&word, &value, 6), 0, "a CAS that does not match");
	is_int(value, 0x12345678, "says what it found");
	is_int(ufx_guarded_cas(&word, &value, 6), 1, "a CAS that does");
	is_int(word, 6, "has stored");
}

static void copies(void)
{
	uint32_t *last = page_last_word(), to[3] = { 0 };
	const uint32_t from[3] = { 1, 2, 3 };

	is_int(ufx_guarded_copy(to, from, sizeof(to)), 0, "three words are copied");
	ok(!memcmp(to, from, sizeof(to)), "all of them");
	is_int(ufx_guarded_copy(to, last, 4), 0, "the last word of a page");
	is_int(ufx_guarded_copy(to, last, 8), -EFAULT, "one word too many");
	is_int(ufx_guarded_copy(to, misaligned(last, 2), 4), -EFAULT,
	       "half a word too many");
}

static void bad(const char *what, uint32_t *word, int load, int store)
{
	uint32_t value = 77;
	int ret = ufx_guarded_load(word, &value);

	is_int(ret, load, "%s: load", what);
	ret = ufx_guarded_cas(word, &value, value);
	is_int(ret, store, "%s: CAS", what);
}

/* ---- faults of others are theirs ---- */

static int seen;

static void own_handler(int sig)
{
	seen = sig;
	_exit(seen == SIGSEGV ? 42 : 43);
}

static void crash(void)
{
	*(volatile int *)(void *)page_none() = 1;
}

static int child(bool handler_before)
{
	pid_t pid = tap_fork();
	int status;

	if (pid == 0) {
		signal(SIGSEGV, handler_before ? own_handler : SIG_DFL);
		ufx_guard_install();
		crash();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void others(void)
{
	int status = child(true);

	ok(WIFEXITED(status) && WEXITSTATUS(status) == 42,
	   "a fault of the program goes to its own handler");
	status = child(false);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
	   "without one it dies of it");
}

int main(void)
{
	if (UFX_TSAN) {
		skip("n/a: no guard under the thread sanitizer", "guard");
		return tap_end();
	}
	ufx_grace_start(); /* if there is no constructor */
	others();
	ufx_guard_install();
	readable();
	copies();
	bad("unmapped", page_unmapped(), -EFAULT, -EFAULT);
	bad("PROT_NONE", page_none(), -EFAULT, -EFAULT);
	bad("behind the end of a file", page_beyond_file(), -EFAULT, -EFAULT);
	bad("read-only", page_readonly(), 0, -EFAULT);
	bad("read-only file", page_readonly_file(), 0, -EFAULT);
	bad("an address of the kernel", page_kernel(), -EFAULT, -EFAULT);
	bad("writable", page_private(), 0, 1);
	return tap_end();
}
