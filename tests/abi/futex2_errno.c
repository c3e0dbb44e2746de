// SPDX-License-Identifier: MIT
/* futex_wake, futex_wait and futex_requeue: every error. */
#include "pages.h"
#include "subject.h"

#define ANY FUTEX_BITSET_MATCH_ANY
#define WIDE (1ul << 32)
#define SIZE UFX_FUTEX2_U32

static uint32_t a, b;
static struct timespec past = { 1, 0 };

/* @p: UFX_FUTEX2_PRIVATE or 0. */
static void wake_errors(const struct subject *s, unsigned int p,
			const char *kind)
{
	static const unsigned int bad[] = { 0x10, 0x20, 0x40, 0x100,
					    0x80000000 };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		row(s, s->wake(&a, ANY, 1, SIZE | p | bad[i]), -EINVAL,
		    "%s futex_wake: flag 0x%x", kind, bad[i]);
	row(s, s->wake(&a, ANY, 1, p), -EINVAL, "%s futex_wake: U8", kind);
	row(s, s->wake(&a, ANY, 1, p | 1), -EINVAL, "%s futex_wake: U16", kind);
	row(s, s->wake(&a, ANY, 1, p | 3), -EINVAL, "%s futex_wake: U64", kind);
	row(s, s->wake(&a, 0, 1, SIZE | p), -EINVAL, "%s futex_wake: no bits",
	    kind);
	row(s, s->wake(&a, WIDE, 1, SIZE | p), -EINVAL,
	    "%s futex_wake: mask of 33 bits", kind);
	row(s, s->wake(misaligned(&a, 2), ANY, 1, SIZE | p), -EINVAL,
	    "%s futex_wake: misaligned", kind);
	row(s, s->wake(&a, ANY, 1, SIZE | p), 0, "%s futex_wake: nobody waits",
	    kind);
	row(s, s->wake(&a, ANY, 0, SIZE | p), 0, "%s futex_wake 0", kind);
	row(s, s->wake(&a, 0, 0, SIZE | p), -EINVAL, "%s futex_wake 0: no bits",
	    kind);
	row(s, s->wake(misaligned(&a, 2), ANY, 0, SIZE | p), -EINVAL,
	    "%s futex_wake 0: misaligned", kind);
	row(s, s->wake(page_unmapped(), ANY, 1, SIZE | p), p ? 0 : -EFAULT,
	    "%s futex_wake: unmapped", kind);
	row(s, s->wake(page_unmapped(), ANY, 0, SIZE | p), p ? 0 : -EFAULT,
	    "%s futex_wake 0: unmapped", kind);
	row(s, s->wake(page_kernel(), ANY, 0, SIZE | p), -EFAULT,
	    "%s futex_wake 0: kernel address", kind);
}

static void wait_errors(const struct subject *s, unsigned int p,
			const char *kind)
{
	const clockid_t clock = CLOCK_MONOTONIC;
	struct timespec bad = { 0, -1 };

	row(s, s->wait(&a, WIDE, ANY, SIZE | p, NULL, clock), -EINVAL,
	    "%s futex_wait: value of 33 bits", kind);
	row(s, s->wait(&a, 0, WIDE, SIZE | p, &past, clock), -EINVAL,
	    "%s futex_wait: mask of 33 bits", kind);
	row(s, s->wait(&a, 1, 0, SIZE | p, NULL, clock), -EINVAL,
	    "%s futex_wait: no bits", kind);
	row(s, s->wait(&a, 1, ANY, p, NULL, clock), -EINVAL,
	    "%s futex_wait: U8", kind);
	row(s, s->wait(&a, 1, ANY, SIZE | p | 0x10, NULL, clock), -EINVAL,
	    "%s futex_wait: flag 0x10", kind);
	row(s, s->wait(misaligned(&a, 1), 1, ANY, SIZE | p, NULL, clock),
	    -EINVAL, "%s futex_wait: misaligned", kind);
	row(s, s->wait(page_unmapped(), 1, ANY, SIZE | p, NULL, clock), -EFAULT,
	    "%s futex_wait: unmapped", kind);
	row(s, s->wait(&a, 1, ANY, SIZE | p, NULL, clock), -EAGAIN,
	    "%s futex_wait: the value differs", kind);
	row(s, s->wait(&a, 1, ANY, SIZE | p, &past, clock), -EAGAIN,
	    "%s futex_wait: the value differs, deadline past", kind);
	row(s, s->wait(&a, 0, ANY, SIZE | p, &past, clock), -ETIMEDOUT,
	    "%s futex_wait: deadline past", kind);
	row(s, s->wait(&a, 0, ANY, SIZE | p, &past, CLOCK_REALTIME), -ETIMEDOUT,
	    "%s futex_wait: deadline past, realtime", kind);
	row(s, s->wait(&a, 1, ANY, SIZE | p, NULL, 77), -EAGAIN,
	    "%s futex_wait: bad clock, no timeout", kind);
	row(s, s->wait(&a, 1, ANY, SIZE | p, &past, 77), -EINVAL,
	    "%s futex_wait: bad clock, with timeout", kind);
	row(s, s->wait(&a, 1, ANY, SIZE | p, &past, CLOCK_BOOTTIME), -EINVAL,
	    "%s futex_wait: CLOCK_BOOTTIME", kind);
	row(s, s->wait(&a, 1, ANY, SIZE | p, &bad, clock), -EINVAL,
	    "%s futex_wait: tv_nsec < 0", kind);
	row(s, s->wait(&a, 1, ANY, SIZE | p, (void *)page_unmapped(), clock),
	    -EFAULT, "%s futex_wait: bad timeout pointer", kind);
}

static void two(struct ufx_waitv_entry *v, unsigned int p)
{
	v[0] = (struct ufx_waitv_entry){ 0, (uintptr_t)&a, SIZE | p, 0 };
	v[1] = (struct ufx_waitv_entry){ 0, (uintptr_t)&b, SIZE | p, 0 };
}

static void requeue_errors(const struct subject *s, unsigned int p,
			   const char *kind)
{
	struct ufx_waitv_entry v[2];

	two(v, p);
	row(s, s->requeue(v, 0, 1, 1), 0, "%s futex_requeue: nobody waits",
	    kind);
	row(s, s->requeue(v, 1, 1, 1), -EINVAL, "%s futex_requeue: flags 1",
	    kind);
	row(s, s->requeue(NULL, 0, 1, 1), -EINVAL, "%s futex_requeue: NULL",
	    kind);
	row(s, s->requeue((void *)page_unmapped(), 0, 1, 1), -EFAULT,
	    "%s futex_requeue: bad pointer", kind);
	row(s, s->requeue(v, 0, -1, 1), -EINVAL, "%s futex_requeue: nr_wake < 0",
	    kind);
	row(s, s->requeue(v, 0, 1, -1), -EINVAL,
	    "%s futex_requeue: nr_requeue < 0", kind);
	v[0].val = 1;
	row(s, s->requeue(v, 0, 1, 1), -EAGAIN,
	    "%s futex_requeue: the value differs", kind);
	v[0].val = WIDE;
	row(s, s->requeue(v, 0, 1, 1), -EINVAL,
	    "%s futex_requeue: value of 33 bits", kind);
	two(v, p);
	v[1].val = 1;
	row(s, s->requeue(v, 0, 1, 1), 0,
	    "%s futex_requeue: the second value is not compared", kind);
	v[1].val = WIDE;
	row(s, s->requeue(v, 0, 1, 1), -EINVAL,
	    "%s futex_requeue: second value of 33 bits", kind);
	two(v, p);
	v[1].reserved = 1;
	row(s, s->requeue(v, 0, 1, 1), -EINVAL,
	    "%s futex_requeue: reserved is not 0", kind);
	two(v, p);
	v[1].flags = p;
	row(s, s->requeue(v, 0, 1, 1), -EINVAL, "%s futex_requeue: U8", kind);
	two(v, p);
	v[1].uaddr++;
	row(s, s->requeue(v, 0, 1, 1), -EINVAL,
	    "%s futex_requeue: second word misaligned", kind);
	two(v, p);
	v[0].uaddr = (uintptr_t)page_unmapped();
	row(s, s->requeue(v, 0, 1, 1), -EFAULT,
	    "%s futex_requeue: first word unmapped", kind);
	two(v, p);
	v[1].uaddr = (uintptr_t)page_unmapped();
	row(s, s->requeue(v, 0, 1, 1), p ? 0 : -EFAULT,
	    "%s futex_requeue: second word unmapped", kind);
}

/* One private and one shared word: refused since Linux 7.0 and 6.18. */
static void mixed(const struct subject *s)
{
	struct ufx_waitv_entry v[2];
	int i;

	for (i = 0; i < 2; i++) {
		two(v, UFX_FUTEX2_PRIVATE);
		v[i].flags = SIZE;
		if (!s->engine && !kernel_at_least(6, 18))
			row_skip(s, "this kernel mixes them",
				 "futex_requeue: only word %d is private", !i);
		else
			row(s, s->requeue(v, 0, 1, 1), -EINVAL,
			    "futex_requeue: only word %d is private", !i);
	}
}

static void rows(const struct subject *s)
{
	const char *why = subject_lacks(s, KERNEL_FUTEX2);

	if (!why)
		why = faults_unguarded(s);
	if (why) {
		row_skip(s, why, "all");
		return;
	}
	wake_errors(s, UFX_FUTEX2_PRIVATE, "private");
	wait_errors(s, UFX_FUTEX2_PRIVATE, "private");
	requeue_errors(s, UFX_FUTEX2_PRIVATE, "private");
	if (!kernel_lacks(KERNEL_FUTEX2)) {
		wake_errors(s, 0, "shared");
		wait_errors(s, 0, "shared");
		requeue_errors(s, 0, "shared");
	}
	mixed(s);
}

int main(void)
{
	return subject_main(rows);
}
