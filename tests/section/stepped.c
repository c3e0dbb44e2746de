// SPDX-License-Identifier: MIT
/*
 * What a debugger does to the sequences: it stops the thread at an instruction
 * and lets it go on, steps it, or moves it to another CPU meanwhile.
 *
 * Found on Linux 6.18, and checked here: a stop is a switch to another thread,
 * and whoever comes back from one with its instruction pointer in a sequence
 * is sent to the abort address before it carries out anything. So
 *
 *   - a thread that is stopped at an instruction of a sequence and let go is
 *     aborted there, without a signal (the preemption is enough);
 *   - stepping carries out no instruction of any sequence: the step that
 *     begins at the first instruction ends behind the abort address;
 *   - hence a retry never helps under a debugger: only a bound does.
 *
 * `stepped under-gdb` is run by gdb.py: one round of operations between two
 * marks.
 */
#include "trap.h"

#include <sched.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <ufutex/futex.h>

#include "tap.h"

#ifdef __x86_64__

#include "counted.h"

#define PRIVATE(op) ((op) | UFX_FUTEX_PRIVATE)
#define PLACES 256
#define STEPS_MAX 40000

static uint32_t word;

/* ---- in the child ---- */

static long wait_timed_out(void)
{
	static const struct timespec past = { 0, 1 };

	return ufx_futex(&word, PRIVATE(UFX_FUTEX_WAIT_BITSET), 0, &past, NULL,
			 UINT32_MAX);
}

/* Everything once; leaves two references more than there were. */
static long operate(void)
{
	struct ufx_object *o;

	ufx_ref_get(&ref);
	ufx_ref_get_inline(&ref);
	ufx_ref_put(&ref);
	if (!ufx_ref_tryget(&ref))
		return 1;
	ufx_ref_put_inline(&ref);
	o = ufx_slot_get(&slot);
	if (o != &object || ufx_slot_get_inline(&slot) != &object)
		return 2;
	ufx_slot_put(&slot, o);
	if (ufx_futex(&word, PRIVATE(UFX_FUTEX_WAKE), 1, NULL, NULL, 0))
		return 3;
	if (wait_timed_out() != -ETIMEDOUT)
		return 4;
	if (ufx_futex(&word, PRIVATE(UFX_FUTEX_WAIT), 1, NULL, NULL, 0) != -EAGAIN)
		return 5;
	return 0;
}

#define CHANGE 2

/* What the two processes tell each other. */
static struct {
	unsigned int places;
	uintptr_t at[PLACES]; /* instructions of sequences, in order */
	long result;
	int64_t change;
	int ready, stop;
} *shared;

static void collect_places(void)
{
	static struct trap_trace trace;

	operate(); /* what is done the first time only */
	trap_record(&trace, operate);
	for (unsigned int i = 0; i < trace.n && shared->places < PLACES; i++)
		if (trap_section_of(trace.steps[i].address) &&
		    trace.steps[i].occurrence == 1)
			shared->at[shared->places++] = trace.steps[i].address;
}

/* A mark for the tracer: it stops before and after each round. */
static __attribute__((noinline)) void mark(void)
{
	__asm__ __volatile__("int3" ::: "memory");
}

static void child(void)
{
	counted_start();
	collect_places();
	signal(SIGTRAP, SIG_DFL);
	if (ptrace(PTRACE_TRACEME, 0, 0, 0))
		_exit(77);
	while (!shared->stop) {
		int64_t before = counted();

		mark();
		shared->result = operate();
		mark();
		shared->change = counted() - before;
		shared->ready++;
	}
	_exit(0);
}

/* ---- in the tracer ---- */

static pid_t tracee;

/* Waits for a stop by SIGTRAP; false if it has ended. */
static bool stopped(void)
{
	int status;

	if (waitpid(tracee, &status, 0) != tracee)
		bail("waitpid: %s", strerror(errno));
	if (!WIFSTOPPED(status))
		return false;
	if (WSTOPSIG(status) != SIGTRAP)
		bail("the child is stopped by signal %d", WSTOPSIG(status));
	return true;
}

static bool go_on(int how)
{
	if (ptrace((enum __ptrace_request)how, tracee, 0, 0))
		bail("ptrace: %s", strerror(errno));
	return stopped();
}

static uintptr_t position(void)
{
	struct user_regs_struct regs;

	ptrace(PTRACE_GETREGS, tracee, 0, &regs);
	return regs.rip;
}

static void set_position(uintptr_t ip)
{
	struct user_regs_struct regs;

	ptrace(PTRACE_GETREGS, tracee, 0, &regs);
	regs.rip = ip;
	ptrace(PTRACE_SETREGS, tracee, 0, &regs);
}

static long peek(uintptr_t at)
{
	errno = 0;
	return ptrace(PTRACE_PEEKTEXT, tracee, at, 0);
}

/* Puts a breakpoint there; what was there before. */
static long breakpoint(uintptr_t at)
{
	long was = peek(at);

	ptrace(PTRACE_POKETEXT, tracee, at, (was & ~0xffL) | 0xcc);
	return was;
}

static void unbreak(uintptr_t at, long was)
{
	ptrace(PTRACE_POKETEXT, tracee, at, was);
}

/* Stays on the other CPU from now on, if there is one. */
static void move_it(void)
{
	static int cpu;
	cpu_set_t one;

	cpu = !cpu;
	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	sched_setaffinity(tracee, sizeof(one), &one);
}

/* One round of the child: from mark to mark, with a stop at @at. */
static bool stop_there(uintptr_t at, bool move)
{
	uint64_t abort = trap_section_of(at)->abort;
	long was, was_abort;
	bool aborted;

	was = breakpoint(at);
	if (!go_on(PTRACE_CONT) || position() != at + 1) {
		unbreak(at, was);
		return false;
	}
	unbreak(at, was);
	set_position(at);
	was_abort = breakpoint(abort);
	if (move)
		move_it();
	go_on(PTRACE_CONT);
	aborted = position() == abort + 1;
	unbreak(abort, was_abort);
	if (!aborted)
		return false;
	set_position(abort);
	return go_on(PTRACE_CONT); /* to the second mark */
}

static void stops(bool move)
{
	unsigned int i, aborts = 0, wrong = 0;

	for (i = 0; i < shared->places; i++) {
		int rounds = shared->ready;

		aborts += stop_there(shared->at[i], move);
		go_on(PTRACE_CONT); /* to the next round's first mark */
		wrong += shared->ready != rounds + 1 || shared->result ||
			 shared->change != CHANGE;
	}
	ok(i > 50, "%s at each of %u instructions of sequences",
	   move ? "stopped and moved to the other CPU" : "stopped and let go", i);
	is_int(aborts, i, "each aborts there, without a signal");
	is_int(wrong, 0, "results are right and counts exact");
}

/* Steps through a round; how many steps, and what they did in sequences. */
static void steps(void)
{
	unsigned int made = 0, carried_out = 0, sent = 0;
	int rounds = shared->ready;
	uintptr_t before = position();

	while (made < STEPS_MAX && shared->ready == rounds) {
		const struct trap_section *s = trap_section_of(before);
		uintptr_t now;

		if (!go_on(PTRACE_SINGLESTEP))
			break;
		now = position();
		made++;
		if (s && trap_section_of(now) == s)
			carried_out++;
		sent += s && trap_section_of(now) != s;
		before = now;
	}
	ok(made < STEPS_MAX, "stepped to the end, in %u steps", made);
	is_int(carried_out, 0, "no instruction of a sequence is carried out");
	ok(sent > 64, "aborted %u times instead", sent);
	is_int(shared->result, 0, "the results are right");
	is_int(shared->change, CHANGE, "the counts are exact");
}

static void traced(void)
{
	tracee = tap_fork();
	if (tracee == 0)
		child();
	if (!stopped()) {
		skip("no ptrace here", "stops in sequences");
		return;
	}
	stops(false);
	stops(true);
	steps();
	shared->stop = 1;
	ptrace(PTRACE_DETACH, tracee, 0, 0);
	kill(tracee, SIGKILL);
	waitpid(tracee, NULL, 0);
}

/* ---- for gdb.py ---- */

void stepped_begin(void), stepped_end(void);

__attribute__((noinline, used)) void stepped_begin(void)
{
	__asm__ __volatile__("");
}

__attribute__((noinline, used)) void stepped_end(void)
{
	__asm__ __volatile__("");
}

static int under_gdb(void)
{
	int64_t before;
	long ret;

	counted_start();
	operate();
	before = counted();
	stepped_begin();
	ret = operate();
	stepped_end();
	printf("result %ld change %lld\n", ret, (long long)(counted() - before));
	return 0;
}

int main(int argc, char **argv)
{
	const char *why = trap_missing();

	if (argc > 1 && !strcmp(argv[1], "under-gdb")) {
		alarm(250);
		return under_gdb();
	}
	if (why) {
		skip(why, "stops in sequences");
		return tap_end();
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		bail("no memory");
	traced();
	return tap_end();
}

#else

int main(void)
{
	skip(trap_missing(), "stops in sequences");
	return tap_end();
}

#endif
