/* SPDX-License-Identifier: MIT */
/*
 * The action of a signal changes all the time while it arrives, in threads
 * that make futex calls: each arrival meets one action as a whole.
 */
#include "run.h"

#define WORKERS 2

static long over, plain_calls, info_calls, bad, there;
static uint32_t word;

static void plain(int sig)
{
	if (sig != SIGUSR1)
		add(&bad);
	add(&plain_calls);
}

/* Has SIGUSR2 in its mask, which the other has not. */
static void with_info(int sig, siginfo_t *info, void *context)
{
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	if (sig != SIGUSR1 || !info || info->si_signo != SIGUSR1 ||
	    info->si_pid != getpid() || !context || !sigismember(&now, SIGUSR2))
		add(&bad);
	add(&info_calls);
}

static void *hot(void *arg)
{
	struct timespec t = { .tv_nsec = 2000 };

	(void)arg;
	add(&there);
	while (!get(&over)) {
		raw_futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
		raw_futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	return NULL;
}

static void *toggle(void *arg)
{
	struct sigaction one, two, ignored, old;

	(void)arg;
	memset(&one, 0, sizeof(one));
	one.sa_handler = plain;
	memset(&two, 0, sizeof(two));
	two.sa_sigaction = with_info;
	two.sa_flags = SA_SIGINFO | SA_RESTART;
	sigaddset(&two.sa_mask, SIGUSR2);
	memset(&ignored, 0, sizeof(ignored));
	ignored.sa_handler = SIG_IGN;
	while (!get(&over)) {
		sigaction(SIGUSR1, &two, &old);
		sigaction(SIGUSR1, &one, &old);
		if (old.sa_sigaction != with_info || !(old.sa_flags & SA_SIGINFO))
			add(&bad);
		sigaction(SIGUSR1, &ignored, &old);
		if (old.sa_handler != plain || old.sa_flags & SA_SIGINFO)
			add(&bad);
		sigaction(SIGUSR1, &one, NULL);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long times = rounds(argc, argv, 20000, 1000000);
	pthread_t workers[WORKERS], toggler;

	handle(SIGUSR1, 0, plain);
	for (int i = 0; i < WORKERS; i++)
		workers[i] = start(hot, NULL);
	until(&there, WORKERS);
	toggler = start(toggle, NULL);
	for (long i = 0; i < times || !get(&plain_calls) || !get(&info_calls); i++)
		pthread_kill(workers[i % WORKERS], SIGUSR1);
	set(&over, 1);
	pthread_join(toggler, NULL);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	note("%ld plain, %ld with info", plain_calls, info_calls);
	is_int(bad, 0, "each arrival meets one action as a whole");
	ok(plain_calls && info_calls, "both were met");
	return tap_end();
}
