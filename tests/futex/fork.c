// SPDX-License-Identifier: MIT
/*
 * fork in the middle of everything: the child finds an engine without waiters
 * and locks, whatever the threads of its parent were at.
 */
#include "table/place.h"

#include "blocked.h"
#include "tokens.h"

#define EACH 1500

static uint32_t word;

static long wait_for_word(void *arg)
{
	(void)arg;
	return token_wait(&word, WAIT_TIMED, 0);
}

static long slots(unsigned long op, unsigned long n)
{
	return ufx_prctl_futex_hash(op, n, 0, 0);
}

/* Says what is wrong in words, for a child has little to lose. */
static const char *child(void)
{
	struct timespec soon = { 0, 1000 };
	struct blocked b;

	if (ufx_futex(&tokens.word[0], PRIVATE(UFX_FUTEX_WAKE), INT32_MAX, NULL,
		      NULL, 0))
		return "a waiter of the parent is woken";
	if (slots(UFX_PR_FUTEX_HASH_GET_SLOTS, 0))
		return "slots are set";
	if (ufx_futex(&word, PRIVATE(UFX_FUTEX_WAIT), 0, &soon, NULL, 0) !=
	    -ETIMEDOUT)
		return "a wait does not time out";
	if (slots(UFX_PR_FUTEX_HASH_SET_SLOTS, 64) ||
	    slots(UFX_PR_FUTEX_HASH_GET_SLOTS, 0) != 64)
		return "slots cannot be set";
	blocked_start(&b, wait_for_word, NULL, NULL);
	blocked_wait(&b);
	if (slots(UFX_PR_FUTEX_HASH_SET_SLOTS, 256))
		return "slots cannot be set with a waiter";
	if (ufx_futex(&word, PRIVATE(UFX_FUTEX_WAKE), 2, NULL, NULL, 0) != 1)
		return "its own waiter is not woken";
	return blocked_join(&b) ? "its wait does not return 0" : NULL;
}

/* Returns true if all is well there. */
static bool fork_once(void)
{
	pid_t pid = tap_fork();
	const char *wrong;
	int status;

	if (pid == 0) {
		alarm(10);
		wrong = child();
		if (wrong)
			diag("in the child: %s", wrong);
		_exit(wrong != NULL);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

static void amid_a_storm(void)
{
	struct crew takers = { 0 }, others = { 0 };
	struct hammer self = { .random = 1 };
	int i, forks = 0, wrong = 0;

	tokens_start(EACH);
	for (i = 0; i < 8; i++)
		crew_add(&takers, taker, (void *)WAIT_KINDS);
	crew_add(&others, replacer, NULL);
	for (i = 0; i < 20; i++, forks++)
		wrong += !fork_once();
	tokens_give_all(&self, EACH);
	crew_join(&takers);
	for (i = 0; i < 10; i++, forks++)
		wrong += !fork_once();
	crew_stop(&others);
	is_int(wrong, 0, "%d forks amid a storm: all is well in each child",
	       forks);
	tokens_check("in the parent");
}

/* ---- a handler that forks, over a wait of its own thread ---- */

static pid_t forked = -1;

static void fork_here(int sig)
{
	(void)sig;
	forked = fork();
	if (forked == 0)
		alarm(10);
}

static long wait_and_fork(void *how)
{
	long ret = token_wait(&word, *(enum token_wait *)how, 0);

	if (forked)
		return ret;
	/* The child: the waiter was the parent's. */
	alarm(10);
	if (ret != -EINTR)
		diag("in the child the wait returns %ld", ret);
	_exit(ret != -EINTR || child());
}

static void over_a_wait(enum token_wait how, const char *name)
{
	struct sigaction action = { .sa_handler = fork_here,
				    .sa_flags = SA_RESTART };
	struct blocked b;
	int status;

	sigaction(SIGUSR1, &action, NULL);
	forked = -1;
	blocked_start(&b, wait_and_fork, &how, NULL);
	blocked_wait(&b);
	pthread_kill(b.thread, SIGUSR1);
	while (__atomic_load_n(&forked, __ATOMIC_SEQ_CST) < 0)
		sched_yield();
	waitpid(forked, &status, 0);
	is_int(status, 0, "%s: a handler forks: -EINTR in the child", name);
	if (how == WAIT_FOREVER) {
		blocked_wait(&b);
		is_int(ufx_futex(&word, PRIVATE(UFX_FUTEX_WAKE), 1, NULL, NULL,
				 0), 1, "the parent waits on");
		is_int(blocked_join(&b), 0, "until it is woken");
	} else {
		is_int(blocked_join(&b), -EINTR, "in the parent as well");
	}
}

/* ---- a handler that forks, while its thread waits for a bucket's lock ---- */

static long touch(void *d)
{
	uint64_t generation = ufx_domain_touch(d, (uintptr_t)&word);

	if (forked)
		return generation != 0;
	/* The child: the lock's holder is a thread of the parent. */
	_exit(generation == 0 || child());
}

static void over_a_locked_bucket(void)
{
	struct ufx_domain *d = ufx_domain_default();
	struct ufx_place place;
	struct blocked b;
	int status;

	forked = -1;
	ufx_place_lock(d, (uintptr_t)&word, 0, &place);
	blocked_start(&b, touch, d, NULL);
	blocked_wait(&b);
	pthread_kill(b.thread, SIGUSR1);
	while (__atomic_load_n(&forked, __ATOMIC_SEQ_CST) < 0)
		sched_yield();
	waitpid(forked, &status, 0);
	is_int(status, 0, "a handler forks over a wait for a bucket: the child goes on");
	ufx_place_unlock(&place, 0);
	is_int(blocked_join(&b), 1, "and the parent");
}

int main(void)
{
	ufx_futex(&word, PRIVATE(UFX_FUTEX_WAKE), 1, NULL, NULL, 0);
	amid_a_storm();
	over_a_wait(WAIT_FOREVER, "an untimed wait");
	over_a_wait(WAIT_TIMED, "a timed wait");
	over_a_locked_bucket();
	return tap_end();
}
