// SPDX-License-Identifier: MIT
/* The two that are asked: the kernel by bare system calls, and the engine. */
#include "subject.h"

#include <sys/syscall.h>
#include <sys/utsname.h>

/* The same on every machine. */
#define NR_FUTEX_WAITV 449
#define NR_FUTEX_WAKE 454
#define NR_FUTEX_WAIT 455
#define NR_FUTEX_REQUEUE 456

static long plain(long result)
{
	return result == -1 ? -errno : result;
}

static long kernel_futex(uint32_t *uaddr, int op, uint32_t val,
			 const struct timespec *timeout, uint32_t *uaddr2,
			 uint32_t val3)
{
	return plain(syscall(SYS_futex, uaddr, op, val, timeout, uaddr2, val3));
}

static long kernel_waitv(struct ufx_waitv_entry *waiters, unsigned int nr,
			 unsigned int flags, struct timespec *timeout,
			 clockid_t clock)
{
	return plain(
		syscall(NR_FUTEX_WAITV, waiters, nr, flags, timeout, clock));
}

static long kernel_wake(void *uaddr, unsigned long mask, int nr,
			unsigned int flags)
{
	return plain(syscall(NR_FUTEX_WAKE, uaddr, mask, nr, flags));
}

static long kernel_wait(void *uaddr, unsigned long val, unsigned long mask,
			unsigned int flags, struct timespec *timeout,
			clockid_t clock)
{
	return plain(syscall(NR_FUTEX_WAIT, uaddr, val, mask, flags, timeout,
			     clock));
}

static long kernel_requeue(struct ufx_waitv_entry *waiters, unsigned int flags,
			   int nr_wake, int nr_requeue)
{
	return plain(syscall(NR_FUTEX_REQUEUE, waiters, flags, nr_wake,
			     nr_requeue));
}

static long kernel_hash(unsigned long op, unsigned long arg3,
			unsigned long arg4, unsigned long arg5)
{
	return plain(syscall(SYS_prctl, UFX_PR_FUTEX_HASH, op, arg3, arg4,
			     arg5));
}

const struct subject subject_kernel = {
	.name = "kernel",
	.mixes = true,
	.futex = kernel_futex,
	.waitv = kernel_waitv,
	.wake = kernel_wake,
	.wait = kernel_wait,
	.requeue = kernel_requeue,
	.hash = kernel_hash,
};

#ifndef KERNEL_ONLY
const struct subject subject_engine = {
	.name = "engine",
	.engine = true,
	.futex = ufx_futex,
	.waitv = ufx_futex_waitv,
	.wake = ufx_futex_wake,
	.wait = ufx_futex_wait,
	.requeue = ufx_futex_requeue,
	.hash = ufx_prctl_futex_hash,
};
#endif

int subject_main(void (*rows)(const struct subject *s))
{
	const char *only = getenv("SUBJECT");

	if (&subject_other) {
		rows(&subject_other);
		return tap_end();
	}
	if (!only || !strcmp(only, "kernel"))
		rows(&subject_kernel);
#ifndef KERNEL_ONLY
	if (!only || !strcmp(only, "engine"))
		rows(&subject_engine);
#endif
	return tap_end();
}

int subject_main_unless(const char *why, void (*rows)(const struct subject *s))
{
	if (!why)
		return subject_main(rows);
	skip(why, "all");
	return tap_end();
}

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#ifndef UNDER_TSAN
#define UNDER_TSAN 0
#endif

const char *signals_delayed(void)
{
	return UNDER_TSAN ? "ThreadSanitizer delays handlers of signals" : NULL;
}

const char *restart_missing(const struct subject *s)
{
	/* It is the restart of this call that the engine builds on. */
	return s->engine ? kernel_lacks(KERNEL_WAITV) : NULL;
}

const char *faults_unguarded(const struct subject *s)
{
	return UNDER_TSAN && s->engine ?
		       "ThreadSanitizer makes the accesses itself" :
		       NULL;
}

const char *kernel_lacks(enum kernel_call call)
{
	switch (call) {
	case KERNEL_WAITV:
		if (kernel_waitv(NULL, 0, 0, NULL, 0) == -ENOSYS)
			return "this kernel has no futex_waitv";
		break;
	case KERNEL_FUTEX2:
		if (kernel_wake(NULL, 0, 0, 0) == -ENOSYS)
			return "this kernel has no futex_wake";
		break;
	case KERNEL_SLOTS:
		/* Without the private hash, GET answers and SET refuses. */
		if (kernel_hash(UFX_PR_FUTEX_HASH_GET_SLOTS, 0, 0, 0) < 0 ||
		    !kernel_at_least(6, 17))
			return "this kernel has no PR_FUTEX_HASH";
		break;
	}
	return NULL;
}

const char *subject_lacks(const struct subject *s, enum kernel_call call)
{
	return s->engine ? NULL : kernel_lacks(call);
}

bool kernel_at_least(int major, int minor)
{
	int have_major = 0, have_minor = 0;
	struct utsname name;

	if (uname(&name) ||
	    sscanf(name.release, "%d.%d", &have_major, &have_minor) != 2)
		return false;
	return have_major > major ||
	       (have_major == major && have_minor >= minor);
}

static const char *errno_name(long result)
{
	static const struct {
		int number;
		const char *name;
	} known[] = {
		{ EAGAIN, " (EAGAIN)" },   { EBUSY, " (EBUSY)" },
		{ EDEADLK, " (EDEADLK)" }, { EFAULT, " (EFAULT)" },
		{ EINTR, " (EINTR)" },     { EINVAL, " (EINVAL)" },
		{ ENOMEM, " (ENOMEM)" },   { ENOSYS, " (ENOSYS)" },
		{ EPERM, " (EPERM)" },     { ESRCH, " (ESRCH)" },
		{ ETIMEDOUT, " (ETIMEDOUT)" },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (result == -known[i].number)
			return known[i].name;
	}
	return "";
}

bool row(const struct subject *s, long got, long want, const char *format, ...)
{
	char name[300];
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	if (ok(got == want, "%s: %s", s->name, name))
		return true;
	diag("  got %ld%s, expected %ld%s", got, errno_name(got), want,
	     errno_name(want));
	return false;
}

void row_skip(const struct subject *s, const char *reason, const char *format,
	      ...)
{
	char name[300];
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	skip(reason, "%s: %s", s->name, name);
}

struct timespec clock_in(clockid_t clock, long milliseconds)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_sec += milliseconds / 1000;
	t.tv_nsec += milliseconds % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}
