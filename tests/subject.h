/* SPDX-License-Identifier: MIT */
/*
 * Who is asked: the kernel or the engine. Every row of the conformance tests
 * is put to both, so that the tables of expected results are checked as well.
 *
 *	static void rows(const struct subject *s)
 *	{
 *		row(s, s->futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0,
 *		    "WAKE: nobody waits");
 *	}
 *
 *	int main(void)
 *	{
 *		return subject_main(rows);
 *	}
 *
 * SUBJECT=kernel or SUBJECT=engine asks one only. Built with KERNEL_ONLY,
 * there is no engine.
 */
#ifndef TESTS_SUBJECT_H
#define TESTS_SUBJECT_H

#include "futex_numbers.h"
#include <stdbool.h>
#include <ufutex/futex.h>

#include "blocked.h"
#include "tap.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All return what the system call of that name returns, or -errno. */
struct subject {
	const char *name;
	bool engine;
	bool mixes; /* private and shared words in one waitv */
	long (*futex)(uint32_t *uaddr, int op, uint32_t val,
		      const struct timespec *timeout, uint32_t *uaddr2,
		      uint32_t val3);
	long (*waitv)(struct ufx_waitv_entry *waiters, unsigned int nr,
		      unsigned int flags, struct timespec *timeout,
		      clockid_t clock);
	long (*wake)(void *uaddr, unsigned long mask, int nr,
		     unsigned int flags);
	long (*wait)(void *uaddr, unsigned long val, unsigned long mask,
		     unsigned int flags, struct timespec *timeout,
		     clockid_t clock);
	long (*requeue)(struct ufx_waitv_entry *waiters, unsigned int flags,
			int nr_wake, int nr_requeue);
	long (*hash)(unsigned long op, unsigned long arg3, unsigned long arg4,
		     unsigned long arg5); /* prctl(PR_FUTEX_HASH, ...) */
};

extern const struct subject subject_kernel;
extern const struct subject subject_engine;

/* If a program has it, it alone is asked. */
extern const struct subject subject_other __attribute__((weak));

/* Calls @rows for each subject; the value to return from main. */
int subject_main(void (*rows)(const struct subject *s));

/* The same; but if @why is not NULL, all is skipped for that reason. */
int subject_main_unless(const char *why, void (*rows)(const struct subject *s));

/* NULL, or why handlers of signals do not run at once in this build. */
const char *signals_delayed(void);

/* NULL, or why a wait of @s is not started again after SA_RESTART here. */
const char *restart_missing(const struct subject *s);

/* NULL, or why @s dies of words that are not mapped in this build. */
const char *faults_unguarded(const struct subject *s);

/* The calls that not every kernel has. */
enum kernel_call {
	KERNEL_WAITV,    /* futex_waitv, Linux 5.16 */
	KERNEL_FUTEX2,   /* futex_wake, futex_wait, futex_requeue, Linux 6.7 */
	KERNEL_SLOTS,    /* prctl(PR_FUTEX_HASH), Linux 6.16 and configured */
};

/* NULL if the kernel below has @call, else why not. */
const char *kernel_lacks(enum kernel_call call);

/* NULL if @s has it: the engine always does. */
const char *subject_lacks(const struct subject *s, enum kernel_call call);

/* Is the running kernel this version or a later one? */
bool kernel_at_least(int major, int minor);

/* One check: @got is what @s returned. Shows errnos by name. */
__attribute__((format(printf, 4, 5))) bool row(const struct subject *s, long got,
					       long want, const char *format,
					       ...);

/* The same for one that @s cannot show. */
__attribute__((format(printf, 3, 4))) void
row_skip(const struct subject *s, const char *reason, const char *format, ...);

/* Timeouts, relative or absolute. */
#ifdef __cplusplus
inline struct timespec subject_soon = { 0, 1000000 }, subject_never = { 1000, 0 };
#define SOON (&subject_soon)
#define NEVER (&subject_never)
#else
#define SOON (&(struct timespec){ 0, 1000000 })
#define NEVER (&(struct timespec){ 1000, 0 })
#endif

/* @milliseconds from now on @clock. */
struct timespec clock_in(clockid_t clock, long milliseconds);

#ifdef __cplusplus
}
#endif

#endif
