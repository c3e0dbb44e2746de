/* SPDX-License-Identifier: MIT */
/* rwlocks, semaphores, barriers, once, joins and the ends of threads. */
#include "run.h"

#define THREADS 4
#define TURNS 5000

static pthread_rwlock_t rwlock;
static long counter, readers, writers, bad;

static void *read_and_write(void *arg)
{
	(void)arg;
	for (int i = 0; i < TURNS; i++) {
		if (i % 4) {
			pthread_rwlock_rdlock(&rwlock);
			add(&readers);
			if (get(&writers))
				add(&bad);
			if (i % 256 == 1)
				sched_yield();
			__atomic_fetch_sub(&readers, 1, __ATOMIC_SEQ_CST);
		} else {
			pthread_rwlock_wrlock(&rwlock);
			add(&writers);
			if (get(&readers) || get(&writers) != 1)
				add(&bad);
			counter++;
			if (i % 256 == 0)
				sched_yield();
			__atomic_fetch_sub(&writers, 1, __ATOMIC_SEQ_CST);
		}
		pthread_rwlock_unlock(&rwlock);
	}
	return NULL;
}

static long write_lock(void *arg)
{
	long error = pthread_rwlock_wrlock(arg);

	if (!error)
		pthread_rwlock_unlock(arg);
	return error;
}

static long read_lock(void *arg)
{
	long error = pthread_rwlock_rdlock(arg);

	if (!error)
		pthread_rwlock_unlock(arg);
	return error;
}

static void rwlock_limits(const char *name)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 30);
	struct timespec mono = in_ms(CLOCK_MONOTONIC, 30);
	struct blocked b[2];

	pthread_rwlock_rdlock(&rwlock);
	is_int(pthread_rwlock_trywrlock(&rwlock), EBUSY, "%s: trywrlock", name);
	is_int(pthread_rwlock_timedwrlock(&rwlock, &t), ETIMEDOUT,
	       "%s: timedwrlock", name);
	blocked_start(&b[0], write_lock, &rwlock, NULL);
	ok(blocked_wait(&b[0]), "%s: a writer blocks behind a reader", name);
	pthread_rwlock_unlock(&rwlock);
	is_int(blocked_join(&b[0]), 0, "%s: the writer gets it", name);

	pthread_rwlock_wrlock(&rwlock);
	is_int(pthread_rwlock_clockrdlock(&rwlock, CLOCK_MONOTONIC, &mono),
	       EDEADLK, "%s: a reader that writes", name);
	blocked_start(&b[0], read_lock, &rwlock, NULL);
	blocked_start(&b[1], read_lock, &rwlock, NULL);
	ok(blocked_wait(&b[0]) && blocked_wait(&b[1]),
	   "%s: readers block behind a writer", name);
	pthread_rwlock_unlock(&rwlock);
	is_int(blocked_join(&b[0]) + blocked_join(&b[1]), 0,
	       "%s: the readers get it", name);
}

static void rwlocks(int kind, const char *name)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, kind);
	pthread_rwlock_init(&rwlock, &attr);
	counter = bad = 0;
	crowd_of(THREADS, read_and_write, NULL);
	is_int(counter, THREADS * ((TURNS + 3) / 4), "%s: all wrote", name);
	is_int(bad, 0, "%s: nobody beside a writer", name);
	rwlock_limits(name);
	pthread_rwlock_destroy(&rwlock);
}

static sem_t full, empty;
static long taken;

static void *consume(void *arg)
{
	(void)arg;
	for (int i = 0; i < TURNS; i++) {
		while (sem_wait(&full))
			;
		add(&taken);
		sem_post(&empty);
	}
	return NULL;
}

static void *produce(void *arg)
{
	(void)arg;
	for (int i = 0; i < TURNS; i++) {
		struct timespec t = in_ms(CLOCK_REALTIME, 20000);

		while (i % 2 ? sem_wait(&empty) : sem_timedwait(&empty, &t))
			;
		sem_post(&full);
	}
	return NULL;
}

static void semaphores(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 30);
	struct timespec mono = in_ms(CLOCK_MONOTONIC, 30);
	pthread_t threads[4];
	int value = -1;

	sem_init(&full, 0, 0);
	sem_init(&empty, 0, 3);
	for (int i = 0; i < 4; i++)
		threads[i] = start(i % 2 ? consume : produce, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	is_int(taken, 2 * TURNS, "sem: all was taken");
	sem_getvalue(&empty, &value);
	is_int(value, 3, "sem: its value in the end");
	ok(sem_trywait(&full) && errno == EAGAIN, "sem: trywait");
	ok(sem_timedwait(&full, &t) && errno == ETIMEDOUT, "sem: timedwait");
	ok(sem_clockwait(&full, CLOCK_MONOTONIC, &mono) && errno == ETIMEDOUT,
	   "sem: clockwait");
}

static pthread_barrier_t barrier;
static long serial, phase[100];

static void *meet(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++) {
		add(&phase[i]);
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			add(&serial);
		if (get(&phase[i]) != THREADS)
			add(&bad);
	}
	return NULL;
}

static void barriers(void)
{
	bad = 0;
	pthread_barrier_init(&barrier, NULL, THREADS);
	crowd_of(THREADS, meet, NULL);
	is_int(serial, 100, "barrier: one of them each time");
	is_int(bad, 0, "barrier: nobody passes early");
	is_int(pthread_barrier_destroy(&barrier), 0, "barrier: destroy");
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static long inits, destroyed, entered;
static sem_t gate;

static void init(void)
{
	inits++;
	sem_wait(&gate);
}

static void destroy(void *arg)
{
	pthread_mutex_t *m = arg;

	pthread_mutex_lock(m);
	destroyed++;
	pthread_mutex_unlock(m);
}

static pthread_mutex_t dying = PTHREAD_MUTEX_INITIALIZER;

static long first_use(void *arg)
{
	add(&entered);
	pthread_once(&once, init);
	pthread_setspecific(key, arg);
	return inits;
}

static void once_and_keys(void)
{
	struct blocked b[THREADS];
	long good = 0;

	sem_init(&gate, 0, 0);
	pthread_key_create(&key, destroy);
	for (int i = 0; i < THREADS; i++) {
		blocked_start(&b[i], first_use, &dying, NULL);
		blocked_wait(&b[i]);
	}
	is_int(blocked_count(b, THREADS), THREADS, "once: all wait");
	sem_post(&gate);
	for (int i = 0; i < THREADS; i++)
		good += blocked_join(&b[i]) == 1;
	is_int(good, THREADS, "once: once");
	is_int(destroyed, THREADS, "the destructors of keys have run");
}

static long join(void *arg)
{
	void *result = NULL;

	pthread_join(*(pthread_t *)arg, &result);
	return (long)(uintptr_t)result;
}

static void *wait_gate(void *arg)
{
	while (sem_wait(arg))
		;
	return (void *)42;
}

static void joins(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 30);
	pthread_t thread = start(wait_gate, &gate);
	struct blocked b;

	is_int(pthread_tryjoin_np(thread, NULL), EBUSY, "join: it runs");
	is_int(pthread_timedjoin_np(thread, NULL, &t), ETIMEDOUT,
	       "join: with a limit");
	blocked_start(&b, join, &thread, NULL);
	ok(blocked_wait(&b), "join: blocks");
	sem_post(&gate);
	is_int(blocked_join(&b), 42, "join: what it returned");
}

int main(void)
{
	rwlocks(PTHREAD_RWLOCK_PREFER_READER_NP, "rwlock for readers");
	rwlocks(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP,
		"rwlock for writers");
	semaphores();
	barriers();
	once_and_keys();
	joins();
	return tap_end();
}
