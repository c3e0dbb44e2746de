/* SPDX-License-Identifier: MIT */
/*
 * Cancels many threads, each in one wait for what never comes (or comes at the
 * same time): every other one when it is seen asleep, the others at any time,
 * most before they sleep. A cancellation must neither be missed nor take what a
 * sem_post brought.
 */
#define _GNU_SOURCE
#include <gnu/libc-version.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5000, PATIENCE = 10 /* seconds */ };
enum kind { SEM, COND, SEM_TIMED, COND_TIMED, SEM_POSTED, KINDS };

static const char *const names[] = { "sem_wait", "pthread_cond_wait", "sem_timedwait",
				     "pthread_cond_timedwait", "sem_wait and sem_post" };

struct one {
	enum kind kind;
	sem_t sem;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	int tid;
};

static struct timespec later(time_t seconds)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += seconds;
	return t;
}

/* ---- the one that is cancelled --------------------------------------------- */

static void clean(void *one)
{
	pthread_mutex_unlock(&((struct one *)one)->mutex);
}

static void wait_in_cond(struct one *o)
{
	struct timespec limit = later(3600);

	pthread_mutex_lock(&o->mutex);
	pthread_cleanup_push(clean, o);
	for (;;)
		if (o->kind == COND)
			pthread_cond_wait(&o->cond, &o->mutex);
		else
			pthread_cond_timedwait(&o->cond, &o->mutex, &limit);
	pthread_cleanup_pop(1);
}

/* Returns when it has got one. */
static void wait_in_sem(struct one *o)
{
	struct timespec limit = later(3600);
	int old;

	while (o->kind == SEM_TIMED ? sem_timedwait(&o->sem, &limit) : sem_wait(&o->sem))
		;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
}

static void *work(void *one)
{
	struct one *o = one;

	__atomic_store_n(&o->tid, gettid(), __ATOMIC_RELEASE);
	if (o->kind == COND || o->kind == COND_TIMED)
		wait_in_cond(o);
	else
		wait_in_sem(o);
	return NULL;
}

/* ---- the one that cancels ---------------------------------------------------- */

static char state(int tid)
{
	char path[64], found = '?';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%*d (%*[^)]) %c", &found) != 1)
		found = '?';
	if (f)
		fclose(f);
	return found;
}

static int known_tid(struct one *o)
{
	int tid;

	while (!(tid = __atomic_load_n(&o->tid, __ATOMIC_ACQUIRE)))
		;
	return tid;
}

static void choose_time(struct one *o, int round)
{
	if (round / KINDS % 2) {
		int tid = known_tid(o);

		while (state(tid) != 'S')
			usleep(10);
	} else if (round / KINDS % 4) {
		known_tid(o);
		for (volatile int n = rand() % 3000; n > 0; n--)
			;
	}
}

static void fail(const struct one *o, int round, const char *why)
{
	printf("round %d, %s: %s, state %c\n", round, names[o->kind], why, state(o->tid));
	fflush(stdout);
	_exit(1);
}

static int left_in(sem_t *sem)
{
	int value;

	sem_getvalue(sem, &value);
	return value;
}

static void judge(struct one *o, int round, int cancelled)
{
	int posted = o->kind == SEM_POSTED;

	if (!cancelled && !posted)
		fail(o, round, "returned");
	if (left_in(&o->sem) != (posted && cancelled))
		fail(o, round, "the semaphore is wrong");
	if (pthread_mutex_trylock(&o->mutex))
		fail(o, round, "the mutex is locked");
	pthread_mutex_unlock(&o->mutex);
}

/* Was it cancelled? */
static int cancel_one(int round)
{
	struct one o = { .kind = round % KINDS };
	struct timespec limit;
	pthread_t thread;
	void *result;
	int post_first;

	sem_init(&o.sem, 0, 0);
	pthread_mutex_init(&o.mutex, NULL);
	pthread_cond_init(&o.cond, NULL);
	if (pthread_create(&thread, NULL, work, &o))
		exit(2);
	choose_time(&o, round);
	post_first = rand() % 2;
	if (o.kind == SEM_POSTED && post_first)
		sem_post(&o.sem);
	pthread_cancel(thread);
	if (o.kind == SEM_POSTED && !post_first)
		sem_post(&o.sem);
	limit = later(PATIENCE);
	if (pthread_timedjoin_np(thread, &result, &limit))
		fail(&o, round, "is not cancelled");
	judge(&o, round, result == PTHREAD_CANCELED);
	return result == PTHREAD_CANCELED;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS, cancelled = 0;

	srand(1);
	for (int round = 0; round < rounds; round++)
		cancelled += cancel_one(round);
	printf("glibc %s: %d rounds, cancelled or posted\n", gnu_get_libc_version(), rounds);
	fprintf(stderr, "%d cancelled\n", cancelled);
	return 0;
}
