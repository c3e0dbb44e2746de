/* SPDX-License-Identifier: MIT */
/*
 * A waiter is out of the queue while its handler runs, and comes back at the
 * tail: who gets a wake that comes meanwhile, and afterwards.
 */
#include <limits.h>

#include "run.h"

static uint32_t word;
static long in_handler, leave;
static sem_t sem, other_woken;

static long wake(long n)
{
	return raw_futex(&word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

static long wait_word(void *arg)
{
	(void)arg;
	return raw_futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static long wait_bitset(void *arg)
{
	(void)arg;
	return raw_futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 4);
}

static long wait_timed(void *arg)
{
	struct timespec t = { .tv_sec = 20 };

	(void)arg;
	return raw_futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
}

static void handler_spins(int sig)
{
	(void)sig;
	set(&in_handler, 1);
	until(&leave, 1);
}

static void signal_and_see(struct blocked *b)
{
	in_handler = leave = 0;
	pthread_kill(b->thread, SIGUSR1);
	until(&in_handler, 1);
}

/* A, B queued; A in a handler; a wake; C queued; A back: who is first? */
static void fifo(long (*call)(void *), const char *name)
{
	struct blocked b[3];

	word = 0;
	handle(SIGUSR1, SA_RESTART, handler_spins);
	blocked_start(&b[0], call, NULL, NULL);
	blocked_wait(&b[0]);
	blocked_start(&b[1], call, NULL, NULL);
	blocked_wait(&b[1]);
	signal_and_see(&b[0]);
	is_int(wake(1), 1, "%s: a wake while A handles", name);
	is_int(blocked_next(b, 2), 1, "%s: B gets it", name);
	is_int(wake(1), 0, "%s: nobody else is there", name);
	blocked_start(&b[2], call, NULL, NULL);
	blocked_wait(&b[2]);
	set(&leave, 1);
	if (!blocked_wait(&b[0])) {
		ok(1, "%s: A returns %ld", name, b[0].result);
		wake(INT_MAX);
	} else {
		is_int(wake(1), 1, "%s: a wake with A back", name);
		is_int(blocked_next(b, 3), 2, "%s: C was before A", name);
		is_int(wake(1), 1, "%s: a third wake", name);
		is_int(blocked_next(b, 3), 0, "%s: A gets it", name);
	}
	for (int i = 0; i < 3; i++)
		blocked_join(&b[i]);
	is_int(wake(INT_MAX), 0, "%s: all are gone", name);
}

/* The handler waits until B is woken, itself on a semaphore. */
static void handler_waits(int sig)
{
	(void)sig;
	set(&in_handler, 1);
	while (sem_wait(&other_woken))
		;
}

static long wait_and_tell(void *arg)
{
	long result = wait_word(arg);

	sem_post(&other_woken);
	return result;
}

static void reent(void)
{
	struct blocked a, b;

	word = 0;
	sem_init(&other_woken, 0, 0);
	handle(SIGUSR1, SA_RESTART, handler_waits);
	blocked_start(&a, wait_word, NULL, NULL);
	blocked_wait(&a);
	blocked_start(&b, wait_and_tell, NULL, NULL);
	blocked_wait(&b);
	signal_and_see(&a);
	until_asleep(a.tid);
	is_int(wake(1), 1, "a wake while A's handler waits for B");
	is_int(blocked_join(&b), 0, "B gets it");
	until_asleep(a.tid);
	is_int(wake(1), 1, "A waits again");
	is_int(blocked_join(&a), 0, "A is woken");
}

/* The same by a semaphore: its post must reach B. */
static long take_and_tell(void *arg)
{
	long result;

	(void)arg;
	while ((result = sem_wait(&sem)))
		;
	sem_post(&other_woken);
	return result;
}

static long take(void *arg)
{
	(void)arg;
	return sem_wait(&sem) ? errno : 0;
}

static void reent_semaphore(void)
{
	struct blocked a, b;

	sem_init(&sem, 0, 0);
	blocked_start(&a, take, NULL, NULL);
	blocked_wait(&a);
	blocked_start(&b, take_and_tell, NULL, NULL);
	blocked_wait(&b);
	signal_and_see(&a);
	until_asleep(a.tid);
	sem_post(&sem);
	is_int(blocked_join(&b), 0, "a post while A's handler waits for B");
	until_asleep(a.tid);
	sem_post(&sem);
	is_int(blocked_join(&a), 0, "A takes the next");
}

static void handler_stores(int sig)
{
	(void)sig;
	__atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
}

/* The restarted wait looks at the word again. */
static void stored(long (*call)(void *), const char *name)
{
	struct blocked b;

	word = 0;
	handle(SIGUSR1, SA_RESTART, handler_stores);
	blocked_start(&b, call, NULL, NULL);
	blocked_wait(&b);
	pthread_kill(b.thread, SIGUSR1);
	ok(1, "%s: the handler stores the word: %s", name,
	   strerrorname_np((int)-blocked_join(&b)));
}

static uint32_t other;

/* Moved to another word, then signalled: the restart is on the first. */
static void requeued(void)
{
	struct blocked b;

	word = other = 0;
	handle(SIGUSR1, SA_RESTART, handler_spins);
	blocked_start(&b, wait_word, NULL, NULL);
	blocked_wait(&b);
	is_int(raw_futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)1, &other, 0),
	       1, "requeued");
	signal_and_see(&b);
	is_int(raw_futex(&other, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0,
	       "not on the second word while it handles");
	set(&leave, 1);
	until_asleep(b.tid);
	is_int(raw_futex(&other, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0,
	       "nor afterwards");
	is_int(wake(1), 1, "but on the first");
	is_int(blocked_join(&b), 0, "it is woken");
}

int main(void)
{
	fifo(wait_word, "FUTEX_WAIT");
	fifo(wait_bitset, "FUTEX_WAIT_BITSET");
	fifo(wait_timed, "FUTEX_WAIT, timed");
	reent();
	reent_semaphore();
	stored(wait_word, "FUTEX_WAIT");
	stored(wait_bitset, "FUTEX_WAIT_BITSET");
	stored(wait_timed, "FUTEX_WAIT, timed");
	requeued();
	return tap_end();
}
