/* SPDX-License-Identifier: MIT */
/*
 * Tests of libufutex-preload.so: programs that know nothing of the engine and
 * call libc. main() begins with served(), which puts the program under
 * `ufutex run`. The raw calls go to the kernel past any preload.
 */
#ifndef TESTS_PRELOAD_SERVED_H
#define TESTS_PRELOAD_SERVED_H

#include <limits.h>
#include <linux/futex.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "blocked.h"
#include "host/syscall.h"
#include "tap.h"

#define PR_HASH 78
#define SET_SLOTS 1
#define GET_SLOTS 2

static inline const char *built(const char *name)
{
	static char path[PATH_MAX];
	const char *build = getenv("UFUTEX_BUILD");

	snprintf(path, sizeof(path), "%s/%s", build ? build : "build", name);
	return path;
}

/* Starts the program anew on the engine, unless it is there already. */
static inline void served(char **argv)
{
	char self[PATH_MAX] = "";
	const char *command = built("ufutex");

	if (getenv("TEST_SERVED"))
		return;
	setenv("TEST_SERVED", "1", 1);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) <= 0)
		bail("who am I: %s", strerror(errno));
	execl(command, "ufutex", "run", "--", self, argv[1], (char *)NULL);
	bail("%s: %s", command, strerror(errno));
}

/* libc's way: served. */
static inline long call_futex(uint32_t *word, int op, uint32_t val,
			      const void *timeout, uint32_t *word2, uint32_t val3)
{
	return syscall(SYS_futex, word, op, val, timeout, word2, val3);
}

#if defined(__x86_64__)
/* A system call in memory of our own making: `ufutex run` looks at files only. */
static inline long raw_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	static const unsigned char code[] = {
		0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0x48, 0x89, 0xd6, 0x48, 0x89, 0xca,
		0x4d, 0x89, 0xc2, 0x4d, 0x89, 0xc8, 0x4c, 0x8b, 0x4c, 0x24, 0x08, 0x0f,
		0x05, 0xc3,
	};
	static long (*call)(long, long, long, long, long, long, long);

	if (!call) {
		void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		memcpy(p, code, sizeof(code));
		mprotect(p, 4096, PROT_READ | PROT_EXEC);
		*(void **)&call = p;
	}
	return call(nr, a, b, c, d, e, f);
}
#else
#define raw_syscall ufx_syscall_bare
#endif

/* The kernel's way: -errno. */
static inline long raw_futex(uint32_t *word, int op, uint32_t val,
			     const void *timeout, uint32_t *word2, uint32_t val3)
{
	return raw_syscall(SYS_futex, (long)word, op, val, (long)timeout,
			   (long)word2, val3);
}

static inline long raw_prctl(long option, long arg2, long arg3)
{
	return raw_syscall(SYS_prctl, option, arg2, arg3, 0, 0, 0);
}

/* @call has returned -1 and errno says @error. */
#define fails(call, error, ...)                                                \
	do {                                                                   \
		long result_ = (errno = 0, (call));                            \
		int errno_ = errno;                                            \
		if (!ok(result_ == -1 && errno_ == (error), __VA_ARGS__))      \
			diag("  got %ld, errno %d", result_, errno_);          \
	} while (0)

/*
 * Waits that have a timeout. The engine parks those on a word of its own, so
 * the kernel has nobody on the program's word: that is how one can tell.
 */
static const struct timespec test_long = { 20, 0 };
static uint32_t test_word;

static inline long wait_served(void *word)
{
	return call_futex((uint32_t *)word, FUTEX_WAIT_PRIVATE, 0, &test_long,
			  NULL, 0);
}

/* Is a private wait of this process answered by the engine? */
static inline bool engine_answers(void)
{
	struct blocked b;
	bool answers;

	blocked_start(&b, wait_served, &test_word, NULL);
	blocked_wait(&b);
	answers = raw_futex(&test_word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0) == 0;
	answers &= call_futex(&test_word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0) == 1;
	return blocked_join(&b) == 0 && answers;
}

#endif
