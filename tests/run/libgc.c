/* SPDX-License-Identifier: MIT */
/* Debian's collector with 8 threads that allocate and lock. */
#define GC_THREADS
#include <gc.h>

#include "run.h"

#define THREADS 8

struct node {
	struct node *next;
	long value;
	char room[40];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t tokens;
static long times, sum;

/* Lists that are kept for some time, beside much that is thrown away. */
static void *allocate(void *arg)
{
	struct node *list = NULL;
	long own = 0;

	for (long i = 0; i < times; i++) {
		struct node *n = GC_MALLOC(sizeof(*n));

		GC_MALLOC_ATOMIC(256);
		n->value = i;
		n->next = i % 64 ? list : NULL;
		list = n;
		if (i % 16 == 0) {
			while (sem_wait(&tokens))
				;
			pthread_mutex_lock(&mutex);
			sum++;
			pthread_mutex_unlock(&mutex);
			sem_post(&tokens);
		}
		if (i % 64 == 63)
			for (n = list; n; n = n->next)
				own += n->value;
	}
	*(long *)arg = own;
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	long own[THREADS] = { 0 };
	int same = 0;

	times = rounds(argc, argv, 8000, 200000) / 64 * 64;
	GC_INIT();
	sem_init(&tokens, 0, 3);
	for (int i = 0; i < THREADS; i++)
		threads[i] = start(allocate, &own[i]);
	for (int i = 0; i < THREADS; i++) {
		if (i % 2)
			GC_gcollect();
		pthread_join(threads[i], NULL);
	}
	for (int i = 0; i < THREADS; i++)
		same += own[i] == times * (times - 1) / 2;
	is_int(same, THREADS, "nothing that was kept is lost");
	is_int(sum, THREADS * times / 16, "the locks count right");
	ok(GC_get_gc_no() > 1, "there were collections");
	note("%lu collections", (unsigned long)GC_get_gc_no());
	return tap_end();
}
