/* SPDX-License-Identifier: MIT */
/*
 * Queued signals arrive once each, in order and with their values, whatever
 * the thread is doing: computing, blocked, or making futex calls all the time;
 * lower numbers first; one at a time.
 */
#include "run.h"
#include "victims.h"

static long next_value[2], wrong_order, nested, received, sent;
static _Thread_local volatile sig_atomic_t inside;

static void handler(int sig, siginfo_t *info, void *context)
{
	int which = sig - SIGRTMIN;

	(void)context;
	if (inside++)
		add(&nested);
	if (info->si_code != SI_QUEUE || info->si_value.sival_int != next_value[which])
		add(&wrong_order);
	next_value[which] = info->si_value.sival_int + 1;
	inside--;
	add(&received);
}

static void install(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handler;
	action.sa_flags = SA_SIGINFO | SA_RESTART;
	sigaddset(&action.sa_mask, SIGRTMIN);
	sigaddset(&action.sa_mask, SIGRTMIN + 1);
	sigaction(SIGRTMIN, &action, NULL);
	sigaction(SIGRTMIN + 1, &action, NULL);
}

/* Never more in flight than the limit of queued signals allows. */
static void send(pthread_t thread, int sig, long value)
{
	union sigval v = { .sival_int = (int)value };

	while (sent - get(&received) > 16 || pthread_sigqueue(thread, sig, v))
		sched_yield();
	sent++;
}

static void to(long (*body)(void *), const char *name, long times)
{
	struct blocked b;

	stop = wrong_order = nested = received = sent = 0;
	next_value[0] = next_value[1] = 0;
	sem_init(&sem, 0, 0);
	blocked_start(&b, body, NULL, NULL);
	while (!__atomic_load_n(&b.tid, __ATOMIC_ACQUIRE))
		sched_yield();
	for (long i = 0; i < times; i++) {
		send(b.thread, SIGRTMIN, i);
		send(b.thread, SIGRTMIN + 1, i);
	}
	until(&received, 2 * times);
	set(&stop, 1);
	sem_post(&sem);
	blocked_join(&b);
	is_int(received, 2 * times, "%s: each arrives once", name);
	is_int(wrong_order, 0, "%s: in order", name);
	is_int(nested, 0, "%s: one at a time", name);
}

/* Those that came while all were blocked: by number. */
static int order[4], orders;

static void note_order(int sig)
{
	order[orders++] = sig;
}

static void by_number(void)
{
	static const int sigs[] = { SIGUSR2, SIGTERM, SIGUSR1, SIGHUP };
	struct sigaction action;
	sigset_t all, before;

	memset(&action, 0, sizeof(action));
	action.sa_handler = note_order;
	sigfillset(&action.sa_mask);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	for (int i = 0; i < 4; i++) {
		sigaction(sigs[i], &action, NULL);
		raise(sigs[i]);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	/* Each handler lets no other in: the lowest number is first. */
	for (int i = 0; i < 4; i++)
		ok(1, "pending ones: signal %d", order[i]);
}

/* What is pending can be taken without a handler. */
static void taken(void)
{
	union sigval value = { .sival_int = 5 };
	struct timespec t = { .tv_sec = 5 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	sigqueue(getpid(), SIGRTMIN + 2, value);
	is_int(sigtimedwait(&set, &info, &t), SIGRTMIN + 2, "sigtimedwait");
	is_int(info.si_value.sival_int, 5, "its value");
}

int main(int argc, char **argv)
{
	long times = rounds(argc, argv, 1000, 50000);

	install();
	to(compute, "computing", times);
	to(block, "blocked", times);
	to(hot, "hot", times);
	by_number();
	taken();
	return tap_end();
}
