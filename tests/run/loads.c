/* SPDX-License-Identifier: MIT */
/*
 * Libraries with futex calls of their own are loaded while threads lock, and
 * unloaded, and loaded again, also bound deeply and in a namespace of their
 * own. Who waits in one is woken by the program, and the other way round.
 *
 * usage: loads PLUGIN [long]
 */
#include <dlfcn.h>

#include "lockers.h"
#include "plugin.h"
#include "run.h"

#define LOCKERS 2

static uint32_t word;
static struct plugin *current;

static long waits_there(void *arg)
{
	(void)arg;
	return current->wait(&word, 0);
}

static long waits_here(void *arg)
{
	(void)arg;
	return raw_futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

/* Both ways; how many of the six answers are right. */
static int meet(struct plugin *p)
{
	struct blocked b;
	int right = 0;

	current = p;
	right += p->wait(&word, 1) == -EAGAIN;
	right += p->wake(&word, 1) == 0;
	blocked_start(&b, waits_there, NULL, NULL);
	blocked_wait(&b);
	right += raw_futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 1;
	right += blocked_join(&b) == 0;
	blocked_start(&b, waits_here, NULL, NULL);
	blocked_wait(&b);
	right += p->wake(&word, 1) == 1;
	right += blocked_join(&b) == 0;
	return right;
}

static struct plugin *plugin_of(void *handle)
{
	struct plugin *p = handle ? dlsym(handle, "plugin") : NULL;

	if (!p)
		bail("%s", dlerror());
	return p;
}

static void again_and_again(const char *path, long times)
{
	int constructed = 0, right = 0, gone = 0;

	for (long i = 0; i < times; i++) {
		void *handle = dlopen(path, i % 2 ? RTLD_NOW : RTLD_LAZY);
		struct plugin *p = plugin_of(handle);

		constructed += p->constructed;
		right += meet(p);
		dlclose(handle);
		gone += !dlopen(path, RTLD_NOLOAD | RTLD_LAZY);
	}
	is_int(constructed, times, "its constructor works each time");
	is_int(right, 6 * times, "waits and wakes meet");
	is_int(gone, times, "it is unloaded each time");
}

static void one(void *handle, const char *name)
{
	struct plugin *p = plugin_of(handle);

	is_int(p->constructed, 1, "%s: its constructor works", name);
	is_int(meet(p), 6, "%s: waits and wakes meet", name);
}

static void *load_and_meet(void *arg)
{
	void *handle = dlopen(arg, RTLD_NOW);
	struct plugin *p = plugin_of(handle);
	uint32_t own = 0;
	long right = 0;

	for (int i = 0; i < 100; i++)
		right += p->wait(&own, 1) == -EAGAIN && p->wake(&own, 1) == 0;
	dlclose(handle);
	return (void *)(right == 100 ? 1l : 0l);
}

static void by_many(char *path)
{
	pthread_t threads[8];
	long good = 0;

	for (int i = 0; i < 8; i++)
		threads[i] = start(load_and_meet, path);
	for (int i = 0; i < 8; i++) {
		void *result;

		pthread_join(threads[i], &result);
		good += (long)result;
	}
	is_int(good, 8, "eight threads load it at once");
}

int main(int argc, char **argv)
{
	pthread_t threads[LOCKERS];
	long turns = 0;

	if (argc < 2)
		bail("usage: %s PLUGIN [long]", argv[0]);
	for (int i = 0; i < LOCKERS; i++)
		threads[i] = start(lock_always, NULL);
	again_and_again(argv[1], rounds(argc - 1, argv + 1, 50, 1000));
	by_many(argv[1]);
	one(dlopen(argv[1], RTLD_NOW | RTLD_DEEPBIND), "bound deeply");
	one(dlmopen(LM_ID_NEWLM, argv[1], RTLD_NOW), "in a namespace of its own");
	ok(dlopen("/nothing/there.so", RTLD_NOW) == NULL, "one that is not there");
	set(&over, 1);
	for (int i = 0; i < LOCKERS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		turns += (long)result;
	}
	is_int(counter, turns, "the mutex counts right");
	return tap_end();
}
