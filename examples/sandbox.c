/* SPDX-License-Identifier: MIT */
/*
 * Two guests in one process, each with a memory of its own, at the same guest
 * addresses, and several threads. Neither can wake the other. One is killed while
 * both work: its waits end, its threads leave, its memory is given back, and a third guest
 * gets the place. The other one does not notice.
 *
 * What a sandbox does for that: a callback each to load, to compare and swap, to read
 * (ufutex/guest.h); a domain a guest; and ufx_domain_cancel to kill it.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <ufutex/domain.h>
#include <ufutex/guest.h>
#include <ufutex/wake.h>

/* ---- the sandbox: memory, guests, system calls ---- */

#define THREADS 4
#define BASE 0x10000u
#define SIZE 0x10000u

struct guest;

struct thread {
	struct ufx_guest_thread face;
	struct guest *guest;
	pthread_t host;
};

struct guest {
	struct ufx_guest face;
	uint8_t *memory; /* what the guest has from BASE on */
	struct thread threads[THREADS];
};

static int failures;

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "sandbox: wrong: %s\n", what);
	failures++;
}

/* The host's address of @size bytes at @at; NULL: a fault of the guest's. */
static void *translate(void *space, uint64_t at, uint32_t size)
{
	struct guest *g = space;

	return at < BASE || at - BASE > SIZE - size ? NULL : &g->memory[at - BASE];
}

static int load(void *space, uint64_t at, uint32_t *value, bool locked)
{
	uint32_t *word = translate(space, at, 4);

	(void)locked; /* all pages are there */
	if (!word)
		return -EFAULT;
	*value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	return 0;
}

static int cas(void *space, uint64_t at, uint32_t *expected, uint32_t desired, bool locked)
{
	uint32_t *word = translate(space, at, 4);

	(void)locked;
	if (!word)
		return -EFAULT;
	return __atomic_compare_exchange_n(word, expected, desired, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static int read_number(void *space, uint64_t at, uint32_t size, uint64_t *value)
{
	void *from = translate(space, at, size);

	if (!from)
		return -EFAULT;
	*value = 0;
	memcpy(value, from, size); /* a guest of the host's, little-endian */
	return 0;
}

static const struct ufx_guest_ops ops = { .load = load, .cas = cas, .read = read_number };

static void guest_start(struct guest *g)
{
	memset(g, 0, sizeof(*g));
	g->memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	g->face = (struct ufx_guest){ .ops = &ops, .space = g, .size = BASE + SIZE };
	if (g->memory == MAP_FAILED || ufx_domain_create(&g->face.domain, NULL))
		exit(1);
}

static void guest_run(struct guest *g, void *(*program)(void *thread))
{
	for (int i = 0; i < THREADS; i++) {
		g->threads[i].guest = g;
		g->threads[i].face.guest = &g->face;
		if (pthread_create(&g->threads[i].host, NULL, program, &g->threads[i]))
			exit(1);
	}
}

static void guest_join(struct guest *g)
{
	for (int i = 0; i < THREADS; i++)
		pthread_join(g->threads[i].host, NULL);
}

/* Every call of each thread returns -ECANCELED from now on, those that wait at once. */
static long guest_kill(struct guest *g)
{
	return ufx_domain_cancel(g->face.domain);
}

static void guest_free(struct guest *g)
{
	check(ufx_domain_purge(g->face.domain, BASE, SIZE) == 0, "nobody waits there");
	check(ufx_domain_destroy(g->face.domain) == 0, "nobody is left in its domain");
	munmap(g->memory, SIZE);
}

/* ---- what guests are made of: their addresses, their system calls ---- */

enum { MUTEX = BASE, COUNT = BASE + 4, ARRIVED = BASE + 8, ROUND = BASE + 12,
       EVENT = BASE + 16 };

static long futex(struct thread *t, uint64_t at, int op, uint32_t val)
{
	return ufx_guest_futex(&t->face, at, op | FUTEX_PRIVATE_FLAG, val, 0, 0, 0);
}

static uint32_t *word(struct thread *t, uint64_t at)
{
	return translate(t->guest, at, 4);
}

static uint32_t get(struct thread *t, uint64_t at)
{
	return __atomic_load_n(word(t, at), __ATOMIC_SEQ_CST);
}

/* All of these: false, and the thread is to end. */
static bool wait_while(struct thread *t, uint64_t at, uint32_t value)
{
	while (get(t, at) == value)
		if (futex(t, at, FUTEX_WAIT, value) == -ECANCELED)
			return false;
	return true;
}

static bool lock(struct thread *t)
{
	while (__atomic_exchange_n(word(t, MUTEX), 2, __ATOMIC_SEQ_CST))
		if (futex(t, MUTEX, FUTEX_WAIT, 2) == -ECANCELED)
			return false;
	return true;
}

static void unlock(struct thread *t)
{
	__atomic_store_n(word(t, MUTEX), 0, __ATOMIC_SEQ_CST);
	futex(t, MUTEX, FUTEX_WAKE, 1);
}

/* One round: count under the mutex, then all meet. */
static bool round_of(struct thread *t)
{
	uint32_t now = get(t, ROUND);

	if (!lock(t))
		return false;
	*word(t, COUNT) += 1;
	unlock(t);
	if (__atomic_add_fetch(word(t, ARRIVED), 1, __ATOMIC_SEQ_CST) < THREADS)
		return wait_while(t, ROUND, now);
	__atomic_store_n(word(t, ARRIVED), 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(word(t, ROUND), now + 1, __ATOMIC_SEQ_CST);
	futex(t, ROUND, FUTEX_WAKE, INT_MAX);
	return true;
}

/* ---- guest programs ---- */

#define ROUNDS 2000

static void *works(void *arg)
{
	for (int i = 0; i < ROUNDS; i++)
		if (!round_of(arg))
			return NULL;
	return NULL;
}

static void *works_forever(void *arg)
{
	while (round_of(arg))
		;
	return NULL;
}

static void *waits_for_event(void *arg)
{
	wait_while(arg, EVENT, 0);
	return NULL;
}

/* ---- the host ---- */

static long wake_event(struct guest *g)
{
	return futex(&g->threads[0], EVENT, FUTEX_WAKE, INT_MAX);
}

/* The one sleeps on a word; the other wakes the word at that address, in vain. */
static void apart(void)
{
	struct guest sleeper, waker;
	long woken = 0;

	guest_start(&sleeper);
	guest_start(&waker);
	waker.threads[0].face.guest = &waker.face;
	waker.threads[0].guest = &waker;
	guest_run(&sleeper, waits_for_event);
	while (woken < THREADS) { /* their wakes tell that they did sleep */
		check(wake_event(&waker) == 0, "a guest wakes another's thread");
		woken += wake_event(&sleeper);
		sched_yield();
	}
	*word(&sleeper.threads[0], EVENT) = 1;
	wake_event(&sleeper);
	guest_join(&sleeper);
	guest_free(&sleeper);
	guest_free(&waker);
}

static void one_is_killed(void)
{
	struct guest survivor, victim;
	uint32_t rounds;

	guest_start(&survivor);
	guest_start(&victim);
	guest_run(&survivor, works);
	guest_run(&victim, works_forever);
	do {
		rounds = get(&survivor.threads[0], ROUND);
		sched_yield();
	} while (rounds < ROUNDS / 2 || !get(&victim.threads[0], ROUND));
	guest_kill(&victim);
	guest_join(&victim);
	check(futex(&victim.threads[0], COUNT, FUTEX_WAIT,
		    get(&victim.threads[0], COUNT)) == -ECANCELED,
	      "a wait of a killed guest");
	guest_free(&victim);

	guest_start(&victim); /* a third one in its place */
	guest_run(&victim, works);
	guest_join(&victim);
	guest_join(&survivor);
	check(get(&victim.threads[0], COUNT) == THREADS * ROUNDS, "the third one's sum");
	check(get(&survivor.threads[0], COUNT) == THREADS * ROUNDS, "the survivor's sum");
	guest_free(&victim);
	guest_free(&survivor);
}

int main(void)
{
	apart();
	one_is_killed();
	if (!failures)
		printf("sandbox: %d threads of 3 guests, one killed: all sums are right\n",
		       3 * THREADS);
	return failures != 0;
}
