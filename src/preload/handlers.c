/* SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

#include <ufutex/futex.h>

#include "host/guard.h"
#include "host/memory.h"
#include "host/lock.h"
#include "host/signals.h"
#include "host/syscall.h"
#include "host/thread.h"
#include "preload/bytes.h"
#include "preload/handlers.h"
#include "preload/order.h"
#include "preload/site.h"
#include "preload/slots.h"

#define SIGNALS 64
#define RESTORER 0x04000000 /* SA_RESTORER, which libc keeps to itself */
#define BIT(signal) (1ull << ((signal)-1))

/* In a word beside a handler's address, which has 57 bits at most. */
#define RESTARTS (1ull << 63)
#define ONCE (1ull << 62)
#define WITH_INFO (1ull << 61)
#define ADDRESS (~(7ull << 61))

/* Wiped by fork, and so ours again in the child; a child of vfork shares it. */
struct home {
	uint32_t pid;
	uint32_t lock;
};

static struct home *home;

/*
 * What the program wants done, by signal and entry. An entry's word changes only
 * when there are more different ones for its signal than entries: so whoever
 * was on the way to one still finds it.
 */
static uint64_t words[SIGNALS + 1][UFX_HANDLER_ENTRIES];
static uint8_t next_entry[SIGNALS + 1];

extern const char ufx_handler_entries[] __attribute__((visibility("hidden")));

/* What the program believes of SIGSEGV and SIGBUS, which always come to us. */
static struct ufx_sigaction believed[2];
static void *restorer; /* libc's */

static long change(int signal, const struct ufx_sigaction *act, struct ufx_sigaction *old)
{
	return ufx_syscall(SYS_rt_sigaction, signal, (long)act, (long)old,
			   sizeof(act->mask), 0, 0);
}

static bool is_fault(int signal)
{
	return signal == SIGSEGV || signal == SIGBUS;
}

static bool is_real(const void *handler)
{
	return handler != (void *)SIG_DFL && handler != (void *)SIG_IGN;
}

/* ---- running ----------------------------------------------------------------- */

/* By what the thread itself did: it cannot come later. */
static bool is_own(int signal, const siginfo_t *info)
{
	return info->si_code > 0 && info->si_code != SI_KERNEL &&
	       (is_fault(signal) || signal == SIGILL || signal == SIGFPE ||
		signal == SIGTRAP || signal == SIGSYS);
}

static uint64_t *mask_of(void *context)
{
	ucontext_t *uc = context;

	return (uint64_t *)(void *)&uc->uc_sigmask;
}

static void set_mask(int how, uint64_t mask, uint64_t *before)
{
	ufx_syscall(SYS_rt_sigprocmask, how, (long)&mask, (long)before, sizeof(mask), 0, 0);
}

/*
 * Sent to the thread once more, while it is blocked: the kernel keeps it until
 * ufx_signals_let_in. Nothing is stored here that could be lost. False: the
 * kernel keeps no more of them.
 */
static bool put_off(int signal, siginfo_t *info, void *context)
{
	uint64_t bit = BIT(signal), before = 0;

	set_mask(SIG_BLOCK, bit, &before);
	if (!ufx_order_again(signal, info)) {
		set_mask(SIG_SETMASK, before, NULL);
		return false;
	}
	*mask_of(context) |= bit;
	ufx_fetch_or(&ufx_thread_deferred, bit);
	ufx_store(&ufx_thread_posted, 1);
	return true;
}

static int entry_of(const void *handler);

/*
 * Where the handler of @signal may come just before signals that were put off
 * are let in, they are let in now, but for those that it keeps out itself.
 * They are not to stay blocked when it returns, and not to be lost if it does
 * not. Before ufx_futex_interrupt, which would let them all in here.
 */
static void let_others_in(int signal, void *context)
{
	struct ufx_sigaction action = { 0 };
	uint64_t mask, kept;

	if (ufx_thread_inside || ufx_load(&ufx_thread_bound))
		return;
	mask = ufx_xchg(&ufx_thread_deferred, 0);
	if (change(signal, NULL, &action) || entry_of(action.handler) < 0)
		action.mask = action.flags = 0;
	kept = action.mask | (action.flags & SA_NODEFER ? 0 : BIT(signal));
	*mask_of(context) &= ~mask;
	set_mask(SIG_UNBLOCK, mask & ~kept, NULL);
}

static void set_default(int signal)
{
	struct ufx_sigaction none = { 0 };

	change(signal, &none, NULL);
}

/* Not if an instruction made it: then the kernel ends the program, too. */
static bool is_ignored(int signal, const siginfo_t *info)
{
	return info->si_code <= 0 &&
	       believed[signal == SIGBUS].handler == (void *)SIG_IGN;
}

/* SIGSEGV or SIGBUS, for which the program has no handler. */
static void by_default(int signal, const siginfo_t *info)
{
	/* The instruction faults again, or the signal comes again. */
	set_default(signal);
	if (info->si_code <= 0) /* sent */
		ufx_syscall(SYS_tgkill, ufx_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0),
			    ufx_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0), signal, 0, 0, 0);
}

/* ---- cancellation --------------------------------------------------------- */

#define SIGCANCEL 32 /* libc's own */

/*
 * From 2.41 on libc cancels a thread where it stands only if it stands before
 * one particular system call; else it expects that call to return -EINTR. So
 * its handler is shown where the thread is in the program; and if that is
 * where we work for it, its wait returns -EINTR, if need be at once (a wait
 * that is queued has been interrupted already).
 */
static bool cancels_by_place;

static void cancel(void (*handler)(int, siginfo_t *, void *), siginfo_t *info,
		   ucontext_t *context)
{
	greg_t *registers = context->uc_mcontext.gregs;
	uintptr_t pc = (uintptr_t)registers[REG_RIP];
	uintptr_t shown = ufx_slot_origin(pc, (uint32_t)registers[REG_RCX]);
	ucontext_t copy;

	if (!shown) {
		if (cancels_by_place &&
		    (ufx_slot_is_asking(pc) ||
		     !ufx_site_is_over((uintptr_t)registers[REG_RSP])))
			ufx_store(&ufx_thread_hurried, 1);
		handler(SIGCANCEL, info, context);
		return;
	}
	ufx_bytes_copy(&copy, context, sizeof(copy));
	copy.uc_mcontext.gregs[REG_RIP] = (greg_t)shown;
	handler(SIGCANCEL, info, &copy);
}

/* ---- all of them ---------------------------------------------------------- */

void ufx_on_signal(int signal, siginfo_t *info, void *context, unsigned int entry);

void ufx_on_signal(int signal, siginfo_t *info, void *context, unsigned int entry)
{
	void (*handler)(int, siginfo_t *, void *);
	uint64_t word;

	if (is_fault(signal) && (ufx_guard_fixup(context) || is_ignored(signal, info)))
		return;
	if (!ufx_order_kept(signal, info))
		return;
	word = ufx_load(&words[signal][entry]);
	if (ufx_load(&ufx_thread_deferred))
		let_others_in(signal, context);
	if (!ufx_futex_interrupt(word & RESTARTS)) {
		/* One that cannot be kept is better early than lost. */
		if (!is_own(signal, info) && put_off(signal, info, context))
			return;
	}
	if (!is_real((void *)(uintptr_t)(word & ADDRESS))) {
		by_default(signal, info);
		return;
	}
	if (word & ONCE) {
		if (is_fault(signal))
			believed[signal == SIGBUS].handler = (void *)SIG_DFL;
		else
			set_default(signal);
	}
	handler = (void (*)(int, siginfo_t *, void *))(word & ADDRESS);
	if (signal == SIGCANCEL)
		cancel(handler, info, context);
	else
		handler(signal, info, context);
}

/* ---- changing ---------------------------------------------------------------- */

static uint64_t word_of(const struct ufx_sigaction *a)
{
	return (uint64_t)(uintptr_t)a->handler |
	       (a->flags & SA_RESTART ? RESTARTS : 0) |
	       (a->flags & SA_RESETHAND ? ONCE : 0) |
	       (a->flags & SA_SIGINFO ? WITH_INFO : 0);
}

/* The entry for @word, which it has now. */
static unsigned int entry_for(int signal, uint64_t word)
{
	unsigned int n;

	for (n = 0; n < next_entry[signal] && n < UFX_HANDLER_ENTRIES; n++)
		if (words[signal][n] == word)
			return n;
	n = next_entry[signal]++ % UFX_HANDLER_ENTRIES;
	if (!next_entry[signal]) /* all are in use, as before */
		next_entry[signal] = UFX_HANDLER_ENTRIES;
	ufx_store(&words[signal][n], word);
	return n;
}

/* What the kernel gets for what the program wants. */
static struct ufx_sigaction ours_for(int signal, const struct ufx_sigaction *wanted)
{
	struct ufx_sigaction ours = *wanted;
	unsigned int n = entry_for(signal, word_of(wanted));

	ours.handler = (void *)(ufx_handler_entries + n * UFX_HANDLER_ENTRY_SIZE);
	/* One put off comes again, so it is us who take it only once. */
	ours.flags = (wanted->flags | SA_SIGINFO) & ~(unsigned long)SA_RESETHAND;
	return ours;
}

/* The entry that @handler is, or -1. */
static int entry_of(const void *handler)
{
	uintptr_t at = (uintptr_t)handler - (uintptr_t)ufx_handler_entries;

	if (at >= UFX_HANDLER_ENTRIES * UFX_HANDLER_ENTRY_SIZE)
		return -1;
	return (int)(at / UFX_HANDLER_ENTRY_SIZE);
}

/* What the program gets for what the kernel had. */
static void translate(int signal, struct ufx_sigaction *had)
{
	int n = entry_of(had->handler);
	uint64_t word;

	if (n < 0)
		return;
	word = ufx_load(&words[signal][n]);
	had->handler = (void *)(uintptr_t)(word & ADDRESS);
	if (!(word & WITH_INFO))
		had->flags &= ~(unsigned long)SA_SIGINFO;
	if (word & ONCE)
		had->flags |= SA_RESETHAND;
}

static long exchange(int signal, const struct ufx_sigaction *wanted,
		     struct ufx_sigaction *before)
{
	struct ufx_sigaction ours;
	long ret;

	if (wanted && is_real(wanted->handler)) {
		ours = ours_for(signal, wanted);
		wanted = &ours;
	}
	ret = change(signal, wanted, before);
	if (!ret)
		translate(signal, before);
	return ret;
}

/* Ours stays in the kernel, with the program's flags if it has a handler. */
static long exchange_fault(int signal, const struct ufx_sigaction *wanted,
			   struct ufx_sigaction *before)
{
	struct ufx_sigaction *b = &believed[signal == SIGBUS], ours;

	*before = *b;
	if (!wanted)
		return 0;
	ours = ours_for(signal, wanted);
	if (!is_real(wanted->handler)) {
		ours.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | RESTORER;
		ours.restorer = restorer;
		ours.mask = 0;
	}
	*b = *wanted;
	b->mask &= ~(BIT(SIGKILL) | BIT(SIGSTOP)); /* as the kernel */
	return change(signal, &ours, NULL);
}

static uint32_t own_pid(void)
{
	return (uint32_t)ufx_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static void note_fork(void)
{
	ufx_store(&home->pid, own_pid());
}

/*
 * A child of vfork or posix_spawn has its own signal actions, but its parent's
 * memory: nothing is to be noted there.
 */
static bool is_guest(void)
{
	uint32_t pid = own_pid();

	if (!ufx_load(&home->pid)) /* forked without handlers */
		ufx_store(&home->pid, pid);
	return ufx_load(&home->pid) != pid;
}

static long change_as_guest(int signal, const struct ufx_sigaction *wanted,
			    struct ufx_sigaction *before)
{
	long ret = change(signal, wanted, before);

	if (!ret && is_fault(signal) && entry_of(before->handler) >= 0)
		*before = believed[signal == SIGBUS];
	else if (!ret)
		translate(signal, before);
	return ret;
}

static long change_here(int signal, const struct ufx_sigaction *wanted,
			struct ufx_sigaction *before)
{
	uint64_t signals;
	long ret;

	if (is_guest())
		return change_as_guest(signal, wanted, before);
	signals = ufx_signals_block();
	ufx_enter_inside();
	ufx_lock(&home->lock);
	ret = is_fault(signal) ? exchange_fault(signal, wanted, before) :
				 exchange(signal, wanted, before);
	ufx_unlock(&home->lock);
	ufx_leave_inside();
	ufx_signals_restore(signals);
	return ret;
}

long ufx_handlers_change(int signal, const struct ufx_sigaction *act,
			 struct ufx_sigaction *old, size_t mask_size)
{
	struct ufx_sigaction wanted, before;
	long ret;

	if (mask_size != sizeof(wanted.mask) || signal < 1 || signal > SIGNALS)
		return ufx_syscall(SYS_rt_sigaction, signal, (long)act, (long)old,
				   (long)mask_size, 0, 0);
	if (act && ufx_guarded_copy(&wanted, act, sizeof(wanted)))
		return -EFAULT;
	if (old) { /* can it be written to? */
		ret = change(signal, NULL, old);
		if (ret)
			return ret;
	}
	ret = change_here(signal, act ? &wanted : NULL, &before);
	if (!ret && old)
		*old = before;
	return ret;
}

/* ---- start ------------------------------------------------------------------- */

/* libc's function that a handler returns to, which debuggers know. */
static void find_restorer(void)
{
	struct sigaction own = { .sa_handler = SIG_DFL };
	struct ufx_sigaction first, had;
	/* Not a sanitizer's, which is not ready yet. */
	int (*set)(int, const struct sigaction *, struct sigaction *) =
		(int (*)(int, const struct sigaction *, struct sigaction *))dlsym(
			RTLD_NEXT, "sigaction");

	if (!set)
		return;
	change(SIGSEGV, NULL, &first);
	set(SIGSEGV, &own, NULL);
	if (!change(SIGSEGV, NULL, &had))
		restorer = had.restorer;
	change(SIGSEGV, &first, NULL);
}

/* Weak, for musl, where nothing of this is called. */
extern const char *gnu_get_libc_version(void) __attribute__((weak));

/* "2.41" or later; 3 is far away. */
static bool libc_is_new(void)
{
	const char *version = gnu_get_libc_version();
	unsigned int minor = 0;

	for (version += 2; *version >= '0' && *version <= '9'; version++)
		minor = minor * 10 + (unsigned int)(*version - '0');
	return minor >= 41;
}

bool ufx_handlers_start(void)
{
	cancels_by_place = libc_is_new();
	home = ufx_pages_alloc_wiped(4096);
	if (!home)
		return false;
	home->pid = own_pid();
	pthread_atfork(NULL, NULL, note_fork);
	find_restorer();
	for (int i = 0; i < 2; i++) {
		struct ufx_sigaction had;
		int signal = i ? SIGBUS : SIGSEGV;

		change(signal, NULL, &had);
		exchange_fault(signal, &had, &believed[i]);
		believed[i] = had;
	}
	ufx_guard_is_elsewhere();
	return true;
}
