/* SPDX-License-Identifier: MIT */
/*
 * Threads that allocate, hand over to each other and free.
 *
 * usage: allocs [NAME]   NAME is part of a library's that must be there
 */
#include "run.h"

#define THREADS 4
#define TURNS 3000
#define PLACES 64

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static char *places[PLACES];
static int used;
static long put_in, taken_out;

static char *make(unsigned int *random)
{
	size_t size;
	char *p;

	*random = *random * 1664525 + 1013904223;
	size = 1 + (*random >> 12) % (*random % 16 ? 2000 : 300000);
	p = malloc(size);
	if (!p)
		bail("no memory");
	p[0] = p[size - 1] = 'x';
	return p;
}

static void *exchange(void *arg)
{
	unsigned int random = (unsigned int)(uintptr_t)arg;
	bool giver = random % 2;

	for (int i = 0; i < TURNS; i++) {
		char *p = giver ? make(&random) : NULL;

		pthread_mutex_lock(&mutex);
		while (giver ? used == PLACES : used == 0)
			pthread_cond_wait(&changed, &mutex);
		if (giver) {
			places[used++] = p;
			put_in++;
		} else {
			p = places[--used];
			taken_out += p[0] == 'x';
		}
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&mutex);
		if (!giver)
			free(p);
	}
	return NULL;
}

static bool loaded(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	bool found = false;
	char line[512];

	while (maps && !found && fgets(line, sizeof(line), maps))
		found = strstr(line, name);
	if (maps)
		fclose(maps);
	return found;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	if (argc > 1)
		ok(loaded(argv[1]), "%s is loaded", argv[1]);
	for (uintptr_t i = 0; i < THREADS; i++)
		threads[i] = start(exchange, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	is_int(put_in, THREADS / 2 * TURNS, "all were given");
	is_int(taken_out, put_in, "all were taken");
	return tap_end();
}
