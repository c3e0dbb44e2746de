// SPDX-License-Identifier: MIT
/*
 * A handler forks over a thread that makes grace periods, wherever it is. The
 * child returns into that, and makes periods of its own afterwards: none is
 * done that nobody made there.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ufutex/grace.h>

#include "hammer.h"

#define CHILDREN 300

static pid_t maker;
static bool in_child;
static int children, wrong, done;

/* Waits for the child: it needs nothing of ours. */
static void handler(int sig)
{
	int status = -1;
	pid_t pid;

	(void)sig;
	if (in_child)
		return;
	pid = _Fork();
	if (pid == 0) {
		in_child = true;
		return;
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	wrong += status != 0;
	__atomic_add_fetch(&children, 1, __ATOMIC_SEQ_CST);
}

static void *send(void *arg)
{
	long pause = 1;

	(void)arg;
	while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST)) {
		syscall(SYS_tgkill, getpid(), maker, SIGUSR1);
		nap_us(pause = pause % 97 + 13);
	}
	return NULL;
}

static void child(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		ufx_cookie cookie = ufx_grace_get_state();

		if (ufx_grace_poll(cookie))
			_exit(1);
		if (ufx_grace_cond_sync(cookie) || !ufx_grace_poll(cookie))
			_exit(2);
	}
	_exit(0);
}

int main(void)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	ufx_cookie old;
	pthread_t sender;

	maker = (pid_t)syscall(SYS_gettid);
	old = ufx_grace_get_state();
	for (int i = 0; i < 50; i++)
		ufx_grace_synchronize();
	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&sender, NULL, send, NULL);
	while (__atomic_load_n(&children, __ATOMIC_SEQ_CST) < CHILDREN) {
		ufx_grace_synchronize();
		ufx_grace_cond_sync(old);
		if (in_child)
			child();
	}
	signal(SIGUSR1, SIG_IGN);
	if (in_child) /* since the last look */
		child();
	__atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
	pthread_join(sender, NULL);
	is_int(wrong, 0, "of %d children none finds a period that nobody made", children);
	return tap_end();
}
