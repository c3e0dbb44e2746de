/* SPDX-License-Identifier: MIT */
/*
 * The system calls that the engine makes, of a kernel that does just what it
 * promises: who is woken learns nothing of the waker's memory by that, and
 * which of several sleepers goes first is nobody's business but FUTEX_REQUEUE
 * and FUTEX_WAKE take the oldest.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <ufutex/futex.h>

#include "grace/membarrier.h"
#include "state.h"

long ufx_syscall(long nr, long a, long b, long c, long d, long e, long f);
int model_clock_gettime(clockid_t clock, struct timespec *now);

static bool waits_on(const struct fiber *f, const uint32_t *addr, int *index)
{
	if (f->state != FIBER_ASLEEP)
		return false;
	for (unsigned int i = 0; i < f->sleeper.n; i++)
		if (f->sleeper.addr[i] == addr) {
			*index = (int)i;
			return true;
		}
	return false;
}

static long wake(const uint32_t *addr, long n)
{
	long woken = 0;
	int index;

	for (unsigned int i = 0; i < model->fibers_used && woken < n; i++) {
		struct fiber *f = &model->fibers[i];

		if (!waits_on(f, addr, &index))
			continue;
		f->sleeper.result = index;
		f->state = FIBER_RUNNABLE;
		woken++;
		trace_note("-- T%u is woken --", i + 1);
	}
	return woken;
}

static long requeue(const uint32_t *from, const uint32_t *to, long n)
{
	long moved = 0;
	int index;

	for (unsigned int i = 0; i < model->fibers_used && moved < n; i++) {
		if (!waits_on(&model->fibers[i], from, &index))
			continue;
		model->fibers[i].sleeper.addr[index] = to;
		moved++;
	}
	return moved;
}

/* Sleeps on what the fiber's sleeper says; restarts after handlers or not. */
static long sleep_on(bool restarts, const struct ufx_waitv_entry *words)
{
	struct sleeper *s = &fiber_now()->sleeper;

	for (;;) {
		for (unsigned int i = 0; i < s->n; i++)
			if (*(const volatile uint32_t *)s->addr[i] != (uint32_t)words[i].val)
				return -EAGAIN;
		point_sleep();
		if (!take_signal())
			return s->result;
		if (!restarts)
			return -EINTR;
		for (unsigned int i = 0; i < s->n; i++)
			s->addr[i] = (const uint32_t *)(uintptr_t)words[i].uaddr;
	}
}

static long futex_wait(const uint32_t *addr, uint32_t value, bool timed)
{
	struct sleeper *s = &fiber_now()->sleeper;
	struct ufx_waitv_entry entry = { .val = value, .uaddr = (uintptr_t)addr };

	s->addr[0] = addr;
	s->n = 1;
	s->timed = timed;
	return sleep_on(false, &entry);
}

static long futex(uint32_t *addr, int op, uint32_t value, const void *timeout,
		  uint32_t *addr2)
{
	long ret;

	if (!model->exploring)
		return 0;
	point(NULL);
	switch (op & ~(UFX_FUTEX_PRIVATE | UFX_FUTEX_CLOCK_REALTIME)) {
	case UFX_FUTEX_WAIT: /* what time it has is no reason to be woken late */
		trace_step("futex wait", addr, "%#x", value);
		ret = futex_wait(addr, value, model->forked);
		break;
	case UFX_FUTEX_WAIT_BITSET:
		trace_step("futex wait", addr, "%#x%s", value, timeout ? ", timed" : "");
		ret = futex_wait(addr, value, timeout);
		break;
	case UFX_FUTEX_WAKE:
		trace_step("futex wake", addr, "%d", (int)value);
		ret = wake(addr, (int)value);
		break;
	case UFX_FUTEX_REQUEUE:
		trace_step("futex requeue", addr, "%ld", (long)timeout);
		ret = requeue(addr, addr2, (long)timeout);
		break;
	default:
		finding("the engine makes a futex call that the model lacks: %d", op);
	}
	trace_note("   = %ld", ret);
	return ret;
}

static long futex_waitv(const struct ufx_waitv_entry *words, unsigned int n,
			const void *timeout)
{
	struct sleeper *s = &fiber_now()->sleeper;
	long ret;

	if (!n)
		return -EINVAL; /* how the engine asks whether there is the call */
	point(NULL);
	if (n > 4)
		finding("the model's futex_waitv takes 4 words, not %u", n);
	for (unsigned int i = 0; i < n; i++)
		s->addr[i] = (const uint32_t *)(uintptr_t)words[i].uaddr;
	s->n = n;
	s->timed = timeout;
	trace_step("futex waitv", s->addr[0], "%u words", n);
	ret = sleep_on(true, words);
	trace_note("   = %ld", ret);
	return ret;
}

static long membarrier(int command)
{
	if (command == UFX_MEMBARRIER_QUERY)
		return UFX_MEMBARRIER_PRIVATE | UFX_MEMBARRIER_RSEQ;
	if (!model->exploring || command == UFX_MEMBARRIER_PRIVATE_REGISTER ||
	    command == UFX_MEMBARRIER_RSEQ_REGISTER)
		return 0;
	point(NULL);
	trace_step(command == UFX_MEMBARRIER_RSEQ ? "membarrier rseq" : "membarrier",
		   NULL, "%s", "");
	if (command == UFX_MEMBARRIER_RSEQ)
		abort_sections();
	view_barrier();
	return 0;
}

/* Whether any are blocked is all that matters. */
static long sigprocmask(const uint64_t *mask, uint64_t *before)
{
	struct fiber *f = fiber_now();

	if (before)
		*before = f->blocks_signals;
	f->blocks_signals = *mask != 0;
	if (model->exploring)
		point_local();
	return 0;
}

long ufx_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	(void)f;
	switch (nr) {
	case SYS_futex:
		return futex((uint32_t *)a, (int)b, (uint32_t)c, (const void *)d,
			     (uint32_t *)e);
	case UFX_NR_futex_waitv:
		return futex_waitv((const void *)a, (unsigned int)b, (const void *)d);
	case SYS_membarrier:
		return membarrier((int)a);
	case SYS_rt_sigprocmask:
		return sigprocmask((const uint64_t *)b, (uint64_t *)c);
	case SYS_sched_yield:
	case SYS_nanosleep:
		point_yield();
		return 0;
	case SYS_getrandom:
		memset((void *)a, 0x5d, (size_t)b);
		return b;
	default:
		return -ENOSYS;
	}
}

/* The environment of the engine: the mode of counting is all of it. */
char *model_getenv(const char *name);
char *model_getenv(const char *name)
{
	return strcmp(name, "UFUTEX_REFS") ? NULL : model->mode;
}

/* Time stands still; what has a deadline may reach it at any time. */
int model_clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	*now = (struct timespec){ 1000, 0 };
	return 0;
}

void ufx_pause(void);
void ufx_pause(void)
{
	trace_step("pause", NULL, "%s", "");
	point_yield();
}
