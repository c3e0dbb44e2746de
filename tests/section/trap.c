// SPDX-License-Identifier: MIT
/* Stops at every instruction of a call: see trap.h. */
#include "trap.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "tap.h"

#if !defined(__x86_64__) || !UFX_HAVE_SECTIONS

const char *trap_missing(void)
{
	return "n/a: written for sequences of x86-64";
}

#else

#include <ufutex/caps.h>

#define TRAP_FLAG 0x100
#define INT3 0xcc
#define HITS_MAX 5000 /* far more than any bound on retries */

typedef char descriptor[32];
extern const descriptor __start___rseq_cs[] __attribute__((visibility("hidden")));
extern const descriptor __stop___rseq_cs[] __attribute__((visibility("hidden")));
extern const char __executable_start[], etext[];

uintptr_t trap_where;

static __thread bool tester;
static __thread struct {
	uint32_t cpu_start, cpu;
	uint64_t descriptor;
	uint32_t flags, node, concurrency;
} __attribute__((aligned(32))) elsewhere; /* CPU 0, for the library's eyes */

/* What the handler is to do. */
static struct {
	enum { RECORD, STEP, BREAK, EVERYWHERE } how;
	struct trap_trace *trace;
	unsigned int steps, nth, occurrence;
	unsigned char *code, byte;
	bool always, to_the_end, stepping_over;
	void (*action)(void);
	struct trap_seen *seen;
} plan;

size_t trap_sections_count(void)
{
	return (size_t)(__stop___rseq_cs - __start___rseq_cs);
}

static const struct trap_section *section(size_t i)
{
	return (const struct trap_section *)&__start___rseq_cs[i];
}

const struct trap_section *trap_section_of(uintptr_t address)
{
	for (size_t i = 0; i < trap_sections_count(); i++)
		if (address - section(i)->start < section(i)->length)
			return section(i);
	return NULL;
}

bool trap_patchable(uintptr_t address)
{
	return address >= (uintptr_t)__executable_start &&
	       address < (uintptr_t)etext;
}

uintptr_t trap_in_file(uintptr_t address)
{
	return address - (uintptr_t)__executable_start;
}

uint64_t *trap_rseq_cs(void)
{
	return (uint64_t *)((char *)__builtin_thread_pointer() +
			    ufx_section_env.area + 8);
}

/* Breakpoints at the start of every sequence, or none. */
static void patch_all(bool on)
{
	static unsigned char saved[256];

	if (trap_sections_count() > sizeof(saved))
		bail("more than %zu sequences", sizeof(saved));
	for (size_t i = 0; i < trap_sections_count(); i++) {
		volatile unsigned char *code =
			(volatile unsigned char *)section(i)->start;

		if (on)
			saved[i] = *code;
		*code = on ? INT3 : saved[i];
	}
}

/* ---- the handler ---- */

/* Where the engine blocks signals no handler of the program's could come. */
bool trap_deaf;

static void act(uintptr_t where)
{
	if (plan.seen)
		plan.seen->acted = true;
	trap_where = trap_in_file(where);
	if (plan.action)
		plan.action();
}

static void record(uintptr_t ip)
{
	struct trap_trace *t = plan.trace;

	if (t->n == TRAP_STEPS_MAX)
		bail("a call of more than %d instructions", TRAP_STEPS_MAX);
	t->steps[t->n++] = (struct trap_step){ ip, 0 };
}

static void stepped(greg_t *regs)
{
	uintptr_t ip = (uintptr_t)regs[REG_RIP];

	plan.steps++;
	if (plan.how == RECORD)
		record(ip);
	if (plan.how != STEP || plan.steps != plan.nth)
		return;
	if (!plan.to_the_end)
		regs[REG_EFL] &= ~TRAP_FLAG;
	act(ip);
}

/* A breakpoint: the instruction has not been carried out. */
static void reached(greg_t *regs)
{
	uintptr_t at = (uintptr_t)plan.code, ip = (uintptr_t)regs[REG_RIP];
	const struct trap_section *s = trap_section_of(at);
	struct trap_seen *seen = plan.seen;
	bool aborted = s && ip == s->abort;

	seen->hits++;
	seen->aborts += aborted;
	/* The kernel clears the pointer when it aborts. */
	seen->wrong += aborted ? *trap_rseq_cs() != 0 : s || ip != at + 1;
	seen->unbounded = seen->hits > HITS_MAX;
	if (seen->hits >= plan.occurrence && (!plan.always || seen->unbounded))
		*(volatile unsigned char *)plan.code = plan.byte;
	if (!aborted) {
		regs[REG_RIP] = (greg_t)at;
		if (*(volatile unsigned char *)plan.code == INT3) {
			*(volatile unsigned char *)plan.code = plan.byte;
			plan.stepping_over = true;
			regs[REG_EFL] |= TRAP_FLAG;
		}
	}
	if (seen->hits == plan.occurrence)
		act(at);
}

/* The first instruction of some sequence, while all are to be aborted. */
static void reached_any(greg_t *regs)
{
	bool aborted = false;

	for (size_t i = 0; i < trap_sections_count(); i++)
		aborted |= section(i)->abort == (uint64_t)regs[REG_RIP];
	plan.seen->hits++;
	plan.seen->aborts += aborted;
	plan.seen->wrong += !aborted || *trap_rseq_cs();
	if (plan.seen->hits > HITS_MAX) {
		plan.seen->unbounded = true;
		patch_all(false);
	}
}

static void on_trap(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	bool breakpoint = info->si_code == SI_KERNEL;
	int saved = errno;

	(void)sig;
	trap_deaf = sigismember(&((ucontext_t *)context)->uc_sigmask, SIGUSR1) == 1;
	if (!tester) { /* another thread's: it waits until the breakpoint is gone */
		if (!trap_section_of((uintptr_t)regs[REG_RIP] - 1) &&
		    (uintptr_t)regs[REG_RIP] - 1 == (uintptr_t)plan.code)
			regs[REG_RIP]--;
		sched_yield();
	} else if (breakpoint && plan.how == EVERYWHERE) {
		reached_any(regs);
	} else if (breakpoint) {
		reached(regs);
	} else if (plan.stepping_over) {
		plan.stepping_over = false;
		regs[REG_EFL] &= ~TRAP_FLAG;
		*(volatile unsigned char *)plan.code = INT3;
	} else {
		stepped(regs);
	}
	errno = saved;
}

/* ---- starting it ---- */

static void unprotect(void)
{
	uintptr_t start = (uintptr_t)__executable_start & ~(uintptr_t)4095;

	mprotect((void *)start, (uintptr_t)etext - start,
		 PROT_READ | PROT_WRITE | PROT_EXEC);
}

const char *trap_missing(void)
{
	struct sigaction action = { .sa_sigaction = on_trap,
				    .sa_flags = SA_SIGINFO | SA_NODEFER };
	struct ufx_capabilities caps;

	ufx_caps(&caps);
	if (caps.mode != UFX_MODE_RSEQ)
		return "n/a: this mode has no sequences";
	sigaction(SIGTRAP, &action, NULL);
	unprotect();
	tester = true;
	return NULL;
}

/* Both ways go through here, so that all that was recorded is met again. */
static __attribute__((noinline)) long launch(long (*call)(void),
					     unsigned long long flag)
{
	long ret;

	__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | flag);
	ret = call();
	__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() &
				       ~(unsigned long long)TRAP_FLAG);
	return ret;
}

/* How often each address has come before. */
static void number(struct trap_trace *t)
{
	for (unsigned int i = 0; i < t->n; i++) {
		unsigned int j = i;

		t->steps[i].occurrence = 1;
		while (j-- > 0) {
			if (t->steps[j].address != t->steps[i].address)
				continue;
			t->steps[i].occurrence = t->steps[j].occurrence + 1;
			break;
		}
	}
}

long trap_record(struct trap_trace *trace, long (*call)(void))
{
	ptrdiff_t area = ufx_section_env.area;
	long ret;

	memset(&plan, 0, sizeof(plan));
	plan.how = RECORD;
	plan.trace = trace;
	trace->n = 0;
	elsewhere.cpu = elsewhere.cpu_start = (uint32_t)sched_getcpu();
	ufx_section_env.area = (char *)&elsewhere - (char *)__builtin_thread_pointer();
	ret = launch(call, TRAP_FLAG);
	ufx_section_env.area = area;
	number(trace);
	return ret;
}

long trap_at(const struct trap_step *step, bool always, long (*call)(void),
	     void (*action)(void), struct trap_seen *seen)
{
	long ret;

	memset(seen, 0, sizeof(*seen));
	memset(&plan, 0, sizeof(plan));
	plan.how = BREAK;
	plan.code = (unsigned char *)step->address;
	plan.byte = *plan.code;
	plan.occurrence = step->occurrence;
	plan.always = always;
	plan.action = action;
	plan.seen = seen;
	*(volatile unsigned char *)plan.code = INT3;
	ret = launch(call, 0);
	*(volatile unsigned char *)plan.code = plan.byte;
	return ret;
}

long trap_everywhere(long (*call)(void), struct trap_seen *seen)
{
	long ret;

	memset(seen, 0, sizeof(*seen));
	memset(&plan, 0, sizeof(plan));
	plan.how = EVERYWHERE;
	plan.seen = seen;
	patch_all(true);
	ret = launch(call, 0);
	patch_all(false);
	return ret;
}

long trap_step(unsigned int nth, bool to_the_end, long (*call)(void),
	       void (*action)(void), unsigned int *steps)
{
	long ret;

	memset(&plan, 0, sizeof(plan));
	plan.how = STEP;
	plan.nth = nth;
	plan.to_the_end = to_the_end;
	plan.action = action;
	ret = launch(call, TRAP_FLAG);
	*steps = plan.steps;
	return ret;
}

#endif
