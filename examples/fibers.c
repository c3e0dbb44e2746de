/* SPDX-License-Identifier: MIT */
/*
 * Ten thousand fibers on a few threads, and two plain threads beside them, in the
 * same queues: a ring of hand-offs, a mutex, a channel, timeouts. Every part
 * checks what came out.
 *
 * usage: fibers [FIBERS [WORKERS]]
 *
 * The mutex and the channel know nothing of fibers: they wait by fiber_wait()
 * (fiber.h), which blocks whoever calls it.
 */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <ufutex/domain.h>
#include <ufutex/wake.h>

#include "context.h"
#include "fiber.h"

#define THREADS 2
#define LAPS 3
#define ADDS 5
#define ROOM 16

static struct ufx_domain *domain;
static struct fibers *fibers;
static unsigned int nfibers = 10000, nworkers = 3;
static int failures;

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fibers: wrong: %s\n", what);
	__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
}

static uint32_t load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* Blocks while *@word is @value, until @until. */
static int wait_while(const uint32_t *word, uint32_t value, int64_t until)
{
	struct ufx_condition c = { .key = (uintptr_t)word, .word = word, .size = 4,
				   .expected = value };

	return fiber_wait(domain, &c, until, NULL);
}

static long wake(const uint32_t *word, uint32_t n)
{
	return ufx_domain_wake(domain, (uintptr_t)word, n, UFX_ALL);
}

/* ---- a part: the same work by fibers and two threads ---- */

struct member {
	void (*work)(unsigned int number, bool thread);
	unsigned int number;
	pthread_t thread;
};

static void member_fiber(void *arg)
{
	struct member *m = arg;

	m->work(m->number, false);
}

static void *member_thread(void *arg)
{
	struct member *m = arg;

	m->work(m->number, true);
	return NULL;
}

/* Numbers 0 and 1 are the threads. */
static void run_part(void (*work)(unsigned int number, bool thread))
{
	unsigned int n = nfibers + THREADS;
	struct member *members = calloc(n, sizeof(*members));

	fibers = fibers_start(domain, nworkers, nfibers);
	if (!members || !fibers) {
		fprintf(stderr, "fibers: no memory\n");
		exit(1);
	}
	for (unsigned int i = 0; i < n; i++) {
		struct member *m = &members[i];

		m->work = work;
		m->number = i;
		if (i >= THREADS)
			check(fibers_spawn(fibers, member_fiber, m), "no room for a fiber");
		else if (pthread_create(&m->thread, NULL, member_thread, m))
			exit(1);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(members[i].thread, NULL);
	fibers_end(fibers);
	free(members);
}

/* ---- a ring: each hands the turn to the next ---- */

static uint32_t *turns; /* the lap that each may begin, from 1 on */
static unsigned long passed; /* the turn's holder's alone */

static void ring_member(unsigned int number, bool thread)
{
	unsigned int n = nfibers + THREADS, next = (number + 1) % n;

	(void)thread;
	for (uint32_t lap = 1; lap <= LAPS; lap++) {
		uint32_t turn;

		while ((turn = load(&turns[number])) < lap)
			wait_while(&turns[number], turn, FIBER_FOREVER);
		check(passed++ % n == number, "the turn comes in order");
		__atomic_store_n(&turns[next], next ? lap : lap + 1, __ATOMIC_RELEASE);
		wake(&turns[next], 1);
	}
}

static void ring(void)
{
	turns = calloc(nfibers + THREADS, sizeof(*turns));
	turns[0] = 1;
	run_part(ring_member);
	check(passed == (unsigned long)LAPS * (nfibers + THREADS), "the turns made");
	printf("ring: %lu hand-offs\n", passed);
	free(turns);
}

/* ---- a mutex: 0 free, 1 held, 2 held and somebody may wait ---- */

static uint32_t mutex;
static unsigned long sum;

static void lock(uint32_t *m)
{
	uint32_t value = 0;

	if (__atomic_compare_exchange_n(m, &value, 1, false, __ATOMIC_ACQUIRE,
					__ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(m, 2, __ATOMIC_ACQUIRE))
		wait_while(m, 2, FIBER_FOREVER);
}

static void unlock(uint32_t *m)
{
	if (__atomic_exchange_n(m, 0, __ATOMIC_RELEASE) == 2)
		wake(m, 1);
}

static void mutex_member(unsigned int number, bool thread)
{
	unsigned int adds = thread ? ADDS * 1000 : ADDS;

	for (unsigned int i = 0; i < adds; i++) {
		lock(&mutex);
		sum++;
		if ((i + number) % 64 == 0 && !thread)
			fiber_yield(); /* held, so that others queue */
		unlock(&mutex);
	}
}

static void mutual_exclusion(void)
{
	run_part(mutex_member);
	check(sum == (unsigned long)ADDS * (nfibers + 1000 * THREADS), "the sum under a mutex");
	printf("mutex: %lu additions\n", sum);
}

/* ---- a channel: a bounded queue; who finds it full or empty waits ---- */

static struct {
	uint32_t lock;
	uint32_t come, gone; /* changes of each kind: what the others wait for */
	unsigned long values[ROOM], first, n;
} channel;

static void send(unsigned long value)
{
	lock(&channel.lock);
	while (channel.n == ROOM) {
		uint32_t gone = channel.gone;

		unlock(&channel.lock);
		wait_while(&channel.gone, gone, FIBER_FOREVER);
		lock(&channel.lock);
	}
	channel.values[(channel.first + channel.n++) % ROOM] = value;
	__atomic_store_n(&channel.come, channel.come + 1, __ATOMIC_RELAXED);
	unlock(&channel.lock);
	wake(&channel.come, 1);
}

static unsigned long receive(void)
{
	unsigned long value;

	lock(&channel.lock);
	while (channel.n == 0) {
		uint32_t come = channel.come;

		unlock(&channel.lock);
		wait_while(&channel.come, come, FIBER_FOREVER);
		lock(&channel.lock);
	}
	value = channel.values[channel.first++ % ROOM];
	channel.n--;
	__atomic_store_n(&channel.gone, channel.gone + 1, __ATOMIC_RELAXED);
	unlock(&channel.lock);
	wake(&channel.gone, 1);
	return value;
}

static unsigned long sent, received, messages;

/* The odd ones send, the even ones receive; as many of each. */
static void channel_member(unsigned int number, bool thread)
{
	for (unsigned int i = 0; i < (thread ? 1000 : ADDS); i++) {
		unsigned long value = number * 1000ul + i;

		if (number % 2) {
			send(value);
			__atomic_fetch_add(&sent, value, __ATOMIC_RELAXED);
			__atomic_fetch_add(&messages, 1, __ATOMIC_RELAXED);
		} else {
			__atomic_fetch_add(&received, receive(), __ATOMIC_RELAXED);
		}
	}
}

static void messages_pass(void)
{
	run_part(channel_member);
	check(sent == received && channel.n == 0, "what is sent is received, once");
	printf("channel: %lu messages\n", messages);
}

/* ---- timeouts, and wakes that race with them ---- */

static uint32_t gate;
static long opened, woken, timed_out, early;

static void sleeper(unsigned int number, bool thread)
{
	int64_t until = fiber_now() + (number % 20) * 1000000;

	(void)thread;
	if (number == 0) { /* a thread: wakes some of them */
		for (int i = 0; i < 200; i++) {
			__atomic_fetch_add(&opened, wake(&gate, nfibers / 400 + 1), __ATOMIC_RELAXED);
			fiber_yield();
		}
		return;
	}
	switch (wait_while(&gate, 0, until)) {
	case UFX_WOKEN:
		__atomic_fetch_add(&woken, 1, __ATOMIC_RELAXED);
		break;
	case UFX_TIMED_OUT:
		__atomic_fetch_add(&timed_out, 1, __ATOMIC_RELAXED);
		if (fiber_now() < until)
			__atomic_fetch_add(&early, 1, __ATOMIC_RELAXED);
		break;
	default:
		check(false, "how a timed wait ends");
	}
}

static void timeouts(void)
{
	run_part(sleeper);
	check(woken == opened, "as many are woken as wakes say");
	check(woken + timed_out == (long)(nfibers + THREADS - 1), "all others time out");
	check(!early, "nobody before its time");
	printf("timeouts: %ld, and %ld woken before\n", timed_out, woken);
}

static unsigned int number(const char *text, unsigned int most)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || n < 1 || n > most) {
		fprintf(stderr, "usage: fibers [FIBERS [WORKERS]]\n");
		exit(2);
	}
	return (unsigned int)n;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		nfibers = number(argv[1], 100000) & ~1u;
	if (argc > 2)
		nworkers = number(argv[2], 64);
	if (ufx_domain_create(&domain, NULL)) {
		fprintf(stderr, "fibers: no domain\n");
		return 1;
	}
	printf("%u fibers on %u workers, %u threads, by " CONTEXT_NAME "\n", nfibers,
	       nworkers, THREADS);
	ring();
	mutual_exclusion();
	messages_pass();
	timeouts();
	check(ufx_domain_destroy(domain) == 0, "nobody is left in the domain");
	return failures ? 1 : 0;
}
