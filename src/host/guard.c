/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "host/guard.h"
#include "host/lock.h"
#include "host/memory.h"
#include "host/thread.h"

struct entry {
	int32_t insn, fixup; /* relative to themselves */
};

extern const struct entry __start_ufx_extable[]
	__attribute__((visibility("hidden"), weak));
extern const struct entry __stop_ufx_extable[]
	__attribute__((visibility("hidden"), weak));

static struct sigaction previous[2]; /* of SIGSEGV, SIGBUS */

static uintptr_t target(const int32_t *field)
{
	return (uintptr_t)field + (uintptr_t)(intptr_t)*field;
}

/* Where to go on after a fault at @pc; 0: not one of ours. */
static uintptr_t fixup_of(uintptr_t pc)
{
	for (const struct entry *e = __start_ufx_extable; e < __stop_ufx_extable; e++)
		if (target(&e->insn) == pc)
			return target(&e->fixup);
	return 0;
}

/* As the kernel would have called it, or done by default. */
static void pass_on(int sig, siginfo_t *info, void *context)
{
	struct sigaction *old = &previous[sig == SIGBUS];
	sigset_t mask = old->sa_mask;

	if (!(old->sa_flags & SA_SIGINFO) &&
	    (old->sa_handler == SIG_DFL || old->sa_handler == SIG_IGN)) {
		bool sent = info->si_code <= 0; /* by kill and the like */

		if (sent && old->sa_handler == SIG_IGN)
			return;
		/* The instruction faults again, or the signal comes again. */
		signal(sig, SIG_DFL);
		if (sent)
			raise(sig);
		return;
	}
	if (old->sa_flags & SA_NODEFER) {
		sigset_t own;

		sigemptyset(&own);
		sigaddset(&own, sig);
		sigprocmask(SIG_UNBLOCK, &own, NULL);
	}
	sigprocmask(SIG_BLOCK, &mask, NULL);
	if (old->sa_flags & SA_SIGINFO)
		old->sa_sigaction(sig, info, context);
	else
		old->sa_handler(sig);
}

#if defined(__x86_64__)
#define WHERE(uc) (uc)->uc_mcontext.gregs[REG_RIP]
#elif defined(__aarch64__)
#define WHERE(uc) (uc)->uc_mcontext.pc
#elif defined(__riscv)
#define WHERE(uc) (uc)->uc_mcontext.__gregs[REG_PC]
#endif

bool ufx_guard_fixup(void *context)
{
	ucontext_t *uc = context;
	uintptr_t fixup = fixup_of((uintptr_t)WHERE(uc));

	if (!fixup)
		return false;
	WHERE(uc) = (__typeof__(WHERE(uc)))fixup;
	return true;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	if (!ufx_guard_fixup(context))
		pass_on(sig, info, context);
}

static uint32_t installed;

void ufx_guard_is_elsewhere(void)
{
	ufx_store_release(&installed, 1);
}

void ufx_guard_install(void)
{
	static const int signals[2] = { SIGSEGV, SIGBUS };

	if (UFX_UNGUARDED || ufx_load_acquire(&installed) || ufx_thread_inside)
		return;
	ufx_enter_inside();
	ufx_lock(&ufx_wiped_locks->guard);
	for (int i = 0; i < 2; i++) {
		struct sigaction ours, before;

		memset(&ours, 0, sizeof(ours));
		ours.sa_sigaction = on_fault;
		ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
		sigemptyset(&ours.sa_mask);
		if (installed)
			break;
		/* Known before ours can run. */
		sigaction(signals[i], NULL, &before);
		if (before.sa_sigaction == on_fault) /* before a fork amid this */
			continue;
		previous[i] = before;
		sigaction(signals[i], &ours, NULL);
	}
	ufx_store_release(&installed, 1); /* others go on once it is in place */
	ufx_unlock(&ufx_wiped_locks->guard);
	ufx_leave_inside();
}

int ufx_guarded_copy(void *to, const void *from, unsigned long size)
{
	uint32_t value;

	for (unsigned long i = 0; i < size; i += 4) {
		const char *word = (const char *)from + i;

		if (ufx_guarded_load_any((const uint32_t *)(const void *)word, &value))
			return -EFAULT;
		memcpy((char *)to + i, &value, 4);
	}
	return 0;
}
