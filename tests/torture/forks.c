// SPDX-License-Identifier: MIT
/*
 * fork in the middle of everything. The child finds an engine without waiters
 * and without locks held, uses it, and forks again.
 */
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "torture.h"

#include <ufutex/grace.h>

__attribute__((noreturn)) static void wrong(const char *what, long ret)
{
	snprintf(totals->found, sizeof(totals->found), "in a child of fork: %s (%ld)",
		 what, ret);
	_exit(1);
}

static void one_space(struct space *s)
{
	struct timespec soon = { 0, 100000 };
	uint32_t word = 0;
	long ret;

	ret = space_futex(s, &s->hot[0], UFX_FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	if (ret)
		wrong("a waiter of the parent is woken", ret);
	ret = space_futex(s, &word, UFX_FUTEX_WAIT, 0, &soon, NULL, 0);
	if (ret != -ETIMEDOUT)
		wrong("a wait does not time out", ret);
	ret = ufx_domain_set_slots(s->domain, 64);
	if (ret && !s->fixed)
		wrong("slots cannot be set", ret);
	ret = space_futex(s, &s->cold[0], UFX_FUTEX_REQUEUE, 1,
			  (const struct timespec *)1, &s->cold[1], 0);
	if (ret)
		wrong("a waiter of the parent is requeued", ret);
}

static uint32_t door;

static void *sleeper(void *arg)
{
	while (!__atomic_load_n(&door, __ATOMIC_SEQ_CST))
		space_futex(arg, &door, UFX_FUTEX_WAIT, 0, NULL, NULL, 0);
	return NULL;
}

/* A thread of the child's own sleeps, and is woken over a replacement. */
static void with_a_thread(struct space *s)
{
	pthread_t thread;

	door = 0;
	if (pthread_create(&thread, NULL, sleeper, s))
		wrong("no thread", errno);
	sched_yield();
	if (!s->fixed && ufx_domain_set_slots(s->domain, 16))
		wrong("slots cannot be set over a waiter", 0);
	__atomic_store_n(&door, 1, __ATOMIC_SEQ_CST);
	space_futex(s, &door, UFX_FUTEX_WAKE, 1, NULL, NULL, 0);
	pthread_join(thread, NULL);
}

static void use_engine(void)
{
	int i, ret;

	for (i = 0; i < SPACES; i++)
		one_space(&spaces[i]);
	ret = ufx_grace_synchronize();
	if (!ret)
		ret = ufx_grace_barrier();
	if (ret)
		wrong("no grace period", ret);
}

/* In the frame that a forking handler interrupted. No lock of libc is known free. */
void fork_child_check(void)
{
	in_child = 0;
	use_engine();
	_exit(0);
}

void fork_judge(int status, const char *whose)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	if (totals->found[0])
		finding("%s", totals->found);
	if (WIFSIGNALED(status))
		finding("a child (%s) dies by signal %d%s", whose, WTERMSIG(status),
			WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGKILL ?
				": it hangs" : "");
	finding("a child (%s) ends with status %d", whose, WEXITSTATUS(status));
}

static int ended(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void child(int more)
{
	pid_t pid = 0;
	int status;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	do { /* the child of the child does the same */
		alarm(60);
		use_engine();
		with_a_thread(&spaces[getpid() % SPACES]);
		if (more)
			pid = fork();
	} while (more-- && pid == 0);
	status = pid > 0 ? ended(pid) : 0;
	if (status)
		wrong("a child of the child ends badly", status);
	_exit(0);
}

static void step(struct worker *w)
{
	int more = rnd(w, 4) == 0;
	pid_t pid = fork();

	if (pid == 0)
		child(more);
	if (pid < 0)
		return;
	__atomic_store_n(&w->joins, 1, __ATOMIC_RELAXED);
	fork_judge(ended(pid), "fork");
	__atomic_store_n(&w->joins, 0, __ATOMIC_RELAXED);
	count(COUNT_forks, 1);
	count(COUNT_forks_nested, (uint64_t)more);
	nap_us(2000 + rnd(w, 10000));
}

const struct activity forks = { "forks", 1, NULL, step, NULL, NULL };
