// SPDX-License-Identifier: MIT
/* The number of slots follows the number of threads, until somebody sets it. */
#include "crowd.h"
#include "rows.h"

static uint32_t word;

static void *nothing(void *arg)
{
	return arg;
}

static void one_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, nothing, NULL))
		bail("pthread_create");
	pthread_join(thread, NULL);
}

static void one(const struct subject *s)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &word, 1);
	row(s, slots_get(s), 16, "GET_SLOTS with one thread more");
	row(s, crowd_close(&c), 1, "it is woken");
	row(s, slots_get(s), 16, "GET_SLOTS when it is gone");
}

/*
 * In a program of its own: the engine has to see by itself that there was a
 * thread, which it cannot in a child of fork.
 */
static void unused(const struct subject *s)
{
	slots_exec(s, "GET_SLOTS after a thread, no futex was used");
}

static int unused_program(void)
{
	struct subject s = slots_subject();

	one_thread();
	row(&s, slots_get(&s), 16,
	    "GET_SLOTS after a thread, no futex was used");
	return tap_end();
}

/* 4 slots a thread, at most a thread a CPU; a power of two, 16 at least. */
static long wanted(long threads)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), slots = 16;

	while (slots < 4 * (threads < cpus ? threads : cpus))
		slots *= 2;
	return slots;
}

/*
 * Growth is not awaited, and the engine alone does not count threads (its
 * preload library does), so anything from 16 up to the formula is right.
 */
static void eleven(const struct subject *s)
{
	const long most = wanted(11);
	struct crowd c;
	long slots;

	crowd_open(&c, s);
	crowd_fill(&c, &word, 11);
	slots = slots_get(s);
	ok(slots >= 16 && slots <= most && !(slots & (slots - 1)),
	   "%s: GET_SLOTS with 11 threads more: %ld, at most %ld", s->name,
	   slots, most);
	row(s, crowd_close(&c), 11, "they are woken");
	ok(slots_get(s) >= slots, "%s: GET_SLOTS when they are gone: no fewer",
	   s->name);
}

static void set_before(const struct subject *s)
{
	struct crowd c;

	row(s, slots_set(s, 8), 0, "SET_SLOTS 8");
	crowd_open(&c, s);
	crowd_fill(&c, &word, 6);
	row(s, slots_get(s), 8, "GET_SLOTS with 6 threads more");
	row(s, crowd_close(&c), 6, "they are woken");
}

static void set_between(const struct subject *s)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &word, 1);
	row(s, slots_set(s, 4), 0, "SET_SLOTS 4 with one thread more");
	crowd_fill(&c, &word, 5);
	row(s, slots_get(s), 4, "GET_SLOTS with 6 threads more");
	row(s, crowd_close(&c), 6, "they are woken");
}

static void set_zero(const struct subject *s)
{
	row(s, slots_set(s, 0), 0, "SET_SLOTS 0");
	one_thread();
	row(s, slots_get(s), 0, "GET_SLOTS after a thread");
}

/* Any thread of the process may set and see it. */
static long set_and_get(void *arg)
{
	const struct subject *s = arg;
	long result = slots_set(s, 256);

	return result ? result : slots_get(s);
}

static void set_by_another(const struct subject *s)
{
	struct blocked b;

	blocked_start(&b, set_and_get, (void *)s, NULL);
	row(s, blocked_join(&b), 256, "a thread sets 256 and sees it");
	row(s, slots_get(s), 256, "GET_SLOTS of the first thread");
}

static const struct slots_row rows[] = {
	{ "one", one },
	{ "unused", unused },
	{ "eleven", eleven },
	{ "set before", set_before },
	{ "set between", set_between },
	{ "set to 0", set_zero },
	{ "set by another", set_by_another },
};

int main(int argc, char **argv)
{
	(void)argv;
	if (argc == 2)
		return unused_program();
	return slots_main(rows, sizeof(rows) / sizeof(rows[0]));
}
