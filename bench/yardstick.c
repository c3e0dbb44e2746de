/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "yardstick.h"

#define BUCKETS 1024

struct waiter {
	struct waiter *next, **back;
	pthread_cond_t cond;
	bool notified;
};

/* Those of one address; there as long as it has any. */
struct list {
	struct list *next;
	uint64_t address;
	struct waiter *first, **end;
};

struct yardstick {
	pthread_mutex_t lock;
	unsigned char *base;
	uint64_t size;
	struct list *spare; /* lists to be used again: no malloc under the lock, mostly */
	struct list *buckets[BUCKETS];
};

struct yardstick *yardstick_new(unsigned char *base, uint64_t size)
{
	struct yardstick *y = calloc(1, sizeof(*y));

	if (!y)
		return NULL;
	pthread_mutex_init(&y->lock, NULL);
	y->base = base;
	y->size = size;
	return y;
}

void yardstick_free(struct yardstick *y)
{
	struct list *l;

	if (!y)
		return;
	while ((l = y->spare)) {
		y->spare = l->next;
		free(l);
	}
	pthread_mutex_destroy(&y->lock);
	free(y);
}

static bool traps(const struct yardstick *y, uint64_t address)
{
	return y->size < 4 || address > y->size - 4 || address & 3;
}

/* Where the list of @address hangs, or would. */
static struct list **find(struct yardstick *y, uint64_t address)
{
	uint64_t hash = (address >> 2) * 0x9e3779b97f4a7c15u;
	struct list **l = &y->buckets[hash >> 54];

	while (*l && (*l)->address != address)
		l = &(*l)->next;
	return l;
}

static struct list *add_list(struct yardstick *y, struct list **place, uint64_t address)
{
	struct list *l = y->spare;

	if (l)
		y->spare = l->next;
	else if (!(l = malloc(sizeof(*l))))
		return NULL;
	*l = (struct list){ .address = address };
	l->end = &l->first;
	return *place = l;
}

static void unlink_waiter(struct yardstick *y, struct list **place, struct waiter *w)
{
	struct list *l = *place;

	*w->back = w->next;
	if (w->next)
		w->next->back = w->back;
	else
		l->end = w->back;
	if (l->first)
		return;
	*place = l->next;
	l->next = y->spare;
	y->spare = l;
}

static struct timespec in(int64_t ns)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ns / 1000000000;
	at.tv_nsec += ns % 1000000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_nsec -= 1000000000;
		at.tv_sec++;
	}
	return at;
}

/* Until it is notified, or its time is up; the lock is held. */
static int sleep_on(struct yardstick *y, struct waiter *w, uint64_t address, int64_t ns)
{
	struct timespec end;
	int err = 0;

	if (ns >= 0)
		end = in(ns);
	while (!w->notified && err != ETIMEDOUT)
		err = ns < 0 ? pthread_cond_wait(&w->cond, &y->lock) :
			       pthread_cond_clockwait(&w->cond, &y->lock,
						      CLOCK_MONOTONIC, &end);
	if (w->notified)
		return 0;
	unlink_waiter(y, find(y, address), w);
	return 2;
}

static int queue_and_sleep(struct yardstick *y, uint64_t address, int64_t ns)
{
	struct waiter w = { .cond = PTHREAD_COND_INITIALIZER };
	struct list **place = find(y, address), *l = *place;
	int how;

	if (!l)
		l = add_list(y, place, address);
	if (!l)
		return -1;
	w.back = l->end;
	*l->end = &w;
	l->end = &w.next;
	how = sleep_on(y, &w, address, ns);
	pthread_cond_destroy(&w.cond);
	return how;
}

int yardstick_wait32(struct yardstick *y, uint64_t address, uint32_t expected,
		     int64_t ns)
{
	uint32_t *word = (uint32_t *)(void *)(y->base + address);
	int how = 1;

	if (traps(y, address))
		return -1;
	pthread_mutex_lock(&y->lock);
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == expected)
		how = queue_and_sleep(y, address, ns);
	pthread_mutex_unlock(&y->lock);
	return how;
}

int64_t yardstick_notify(struct yardstick *y, uint64_t address, uint32_t count)
{
	struct list **place, *l;
	int64_t n = 0;

	if (traps(y, address))
		return -1;
	pthread_mutex_lock(&y->lock);
	place = find(y, address);
	l = *place;
	while (l && *place == l && n < count) {
		struct waiter *w = l->first;

		unlink_waiter(y, place, w);
		w->notified = true;
		pthread_cond_signal(&w->cond);
		n++;
	}
	pthread_mutex_unlock(&y->lock);
	return n;
}
