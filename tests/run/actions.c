/* SPDX-License-Identifier: MIT */
/*
 * sigaction gives back what was set, by whichever call it was set: pointer,
 * flags, mask, for each signal.
 */
#include "run.h"

static void one(int sig)
{
	(void)sig;
}

static void two(int sig)
{
	(void)sig;
}

static void three(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
}

static const char *name_of(const struct sigaction *a)
{
	void (*handler)(int) = a->sa_handler;

	return handler == SIG_DFL ? "default"
	       : handler == SIG_IGN ? "ignored"
	       : handler == one ? "one"
	       : handler == two ? "two"
	       : a->sa_sigaction == three ? "three" : "somebody else's";
}

/* The mask as one number, for printing. */
static unsigned long long bits(const sigset_t *set)
{
	unsigned long long all = 0;

	for (int sig = 1; sig <= 64; sig++)
		if (sigismember(set, sig) == 1)
			all |= 1ull << (sig - 1);
	return all;
}

static void say(int sig, const char *how)
{
	struct sigaction now;

	if (sigaction(sig, NULL, &now)) {
		ok(1, "%s, signal %d: %s", how, sig, strerrorname_np(errno));
		return;
	}
	ok(1, "%s, signal %d: %s, flags %x, mask %llx", how, sig, name_of(&now),
	   (unsigned int)now.sa_flags, bits(&now.sa_mask));
}

static bool ours(int sig)
{
	return sig == SIGALRM; /* the timeout's */
}

static void all(const char *how)
{
	for (int sig = 1; sig <= 64; sig++)
		if (!ours(sig))
			say(sig, how);
}

static void set_all(int flags, void (*handler)(int), int masked)
{
	for (int sig = 1; sig <= 64; sig++) {
		struct sigaction action;

		if (ours(sig))
			continue;
		memset(&action, 0, sizeof(action));
		action.sa_handler = handler;
		action.sa_flags = flags;
		sigaddset(&action.sa_mask, masked);
		sigaction(sig, &action, NULL);
	}
}

/* The old action that sigaction returns, not the one that it would show. */
static void chain(void)
{
	struct sigaction action, old;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = three;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigaddset(&action.sa_mask, SIGINT);
	for (int i = 0; i < 3; i++) {
		memset(&old, 0x55, sizeof(old));
		is_int(sigaction(SIGUSR2, &action, &old), 0, "set");
		ok(1, "before: %s, flags %x, mask %llx", name_of(&old),
		   (unsigned int)old.sa_flags, bits(&old.sa_mask));
		action.sa_handler = i ? SIG_IGN : two;
		action.sa_flags = i ? 0 : SA_NODEFER | SA_RESETHAND;
		sigaddset(&action.sa_mask, SIGHUP);
	}
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void old_calls(void)
{
	ok(signal(SIGUSR1, one) == one, "signal returns what was set");
	say(SIGUSR1, "signal");
	ok(signal(SIGUSR1, two) == one, "signal, again");
	siginterrupt(SIGUSR1, 1);
	say(SIGUSR1, "siginterrupt on");
	siginterrupt(SIGUSR1, 0);
	say(SIGUSR1, "siginterrupt off");
	ok(sysv_signal(SIGUSR1, one) == two, "sysv_signal");
	say(SIGUSR1, "sysv_signal");
	ok(sigset(SIGUSR1, two) == one, "sigset");
	say(SIGUSR1, "sigset");
	sigignore(SIGUSR1);
	say(SIGUSR1, "sigignore");
	ok(signal(SIGUSR1, SIG_DFL) == SIG_IGN, "the default");
	ok(signal(SIGKILL, one) == SIG_ERR, "signal of SIGKILL: %s",
	   strerrorname_np(errno));
}

/* The system call itself, with the kernel's own structure. */
struct kernel_action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

static void by_syscall(void)
{
	struct kernel_action action = { SIG_IGN, 0, NULL, 1ul << (SIGINT - 1) };
	struct kernel_action old = { 0 };

	handle(SIGUSR1, SA_RESTART, one);
	is_int(syscall(SYS_rt_sigaction, SIGUSR1, &action, &old, 8), 0,
	       "rt_sigaction");
	ok(old.handler == one, "it gives back what sigaction set");
	ok((old.flags & SA_RESTART) && (old.flags & 0x4000000),
	   "its flags, with SA_RESTORER");
	say(SIGUSR1, "rt_sigaction");
	is_int(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 4), -1,
	       "another size of the mask: %s", strerrorname_np(errno));
	is_int(syscall(SYS_rt_sigaction, SIGUSR1, (void *)8, NULL, 8), -1,
	       "a bad address: %s", strerrorname_np(errno));
}

/* Ignored signals stay so over exec, handled ones do not. */
static void ignored_is_ignored(void)
{
	handle(SIGUSR1, 0, SIG_IGN);
	raise(SIGUSR1);
	ok(1, "an ignored signal");
	handle(SIGURG, 0, SIG_DFL);
	raise(SIGURG);
	ok(1, "one that is ignored by default");
}

static int child_of(void (*handler)(int), int sig)
{
	pid_t pid = tap_fork();

	if (pid == 0) {
		handle(sig, 0, handler);
		raise(sig);
		_exit(0);
	}
	return ending(pid);
}

static void deaths(void)
{
	const int sigs[] = { SIGUSR1, SIGTERM, SIGHUP, SIGINT, SIGSEGV,
			      SIGABRT, SIGRTMIN, SIGRTMAX };

	for (unsigned int i = 0; i < sizeof(sigs) / sizeof(*sigs); i++) {
		is_int(child_of(SIG_DFL, sigs[i]), -sigs[i],
		       "the default of %d kills", sigs[i]);
		is_int(child_of(SIG_IGN, sigs[i]), 0, "%d ignored", sigs[i]);
		is_int(child_of(one, sigs[i]), 0, "%d handled", sigs[i]);
	}
}

int main(void)
{
	all("at first");
	set_all(0, one, SIGINT);
	all("plain");
	set_all(SA_RESTART | SA_NODEFER, two, SIGTERM);
	all("restart, nodefer");
	set_all(SA_ONSTACK | SA_RESETHAND, SIG_IGN, SIGUSR1);
	all("ignored");
	set_all(0, SIG_DFL, SIGUSR1);
	all("default");
	chain();
	handle(SIGUSR1, 0, one);
	old_calls();
	by_syscall();
	ignored_is_ignored();
	deaths();
	return tap_end();
}
