/* SPDX-License-Identifier: MIT */
/* What a handler does to each call that is blocked, with SA_RESTART or not. */
#include "run.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t sem;
static uint32_t word;
static long handled, go;

static void handler(int sig)
{
	(void)sig;
	add(&handled);
}

static long call_sem(void *arg)
{
	(void)arg;
	return sem_wait(&sem) ? errno : 0;
}

static long call_sem_timed(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 20000);

	(void)arg;
	return sem_timedwait(&sem, &t) ? errno : 0;
}

static long call_mutex(void *arg)
{
	long error = pthread_mutex_lock(&mutex);

	(void)arg;
	pthread_mutex_unlock(&mutex);
	return error;
}

static long call_mutex_timed(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 20000);
	long error = pthread_mutex_timedlock(&mutex, &t);

	(void)arg;
	pthread_mutex_unlock(&mutex);
	return error;
}

static long call_cond(void *arg)
{
	long error = 0;

	(void)arg;
	pthread_mutex_lock(&mutex);
	while (!get(&go) && !error)
		error = pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
	return error;
}

static long call_cond_timed(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 20000);
	long error = 0;

	(void)arg;
	pthread_mutex_lock(&mutex);
	while (!get(&go) && !error)
		error = pthread_cond_timedwait(&cond, &mutex, &t);
	pthread_mutex_unlock(&mutex);
	return error;
}

static long call_rwlock(void *arg)
{
	long error = pthread_rwlock_wrlock(&rwlock);

	(void)arg;
	pthread_rwlock_unlock(&rwlock);
	return error;
}

static long call_barrier(void *arg)
{
	long result = pthread_barrier_wait(&barrier);

	(void)arg;
	return result == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : result;
}

static long call_futex(void *arg)
{
	return raw_futex(&word, (long)(intptr_t)arg, 0, NULL, NULL, -1);
}

static long call_futex_timed(void *arg)
{
	struct timespec t = { .tv_sec = 20 };

	(void)arg;
	return raw_futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
}

static long call_futex_absolute(void *arg)
{
	struct timespec t = in_ms(CLOCK_MONOTONIC, 20000);

	(void)arg;
	return raw_futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &t, NULL, -1);
}

static struct call {
	const char *name;
	long (*call)(void *);
	long arg;
} calls[] = {
	{ "sem_wait", call_sem, 0 },
	{ "sem_timedwait", call_sem_timed, 0 },
	{ "mutex_lock", call_mutex, 0 },
	{ "mutex_timedlock", call_mutex_timed, 0 },
	{ "cond_wait", call_cond, 0 },
	{ "cond_timedwait", call_cond_timed, 0 },
	{ "rwlock_wrlock", call_rwlock, 0 },
	{ "barrier_wait", call_barrier, 0 },
	{ "FUTEX_WAIT", call_futex, FUTEX_WAIT_PRIVATE },
	{ "FUTEX_WAIT_BITSET", call_futex, FUTEX_WAIT_BITSET_PRIVATE },
	{ "FUTEX_WAIT, timed", call_futex_timed, 0 },
	{ "FUTEX_WAIT_BITSET, timed", call_futex_absolute, 0 },
};

/* Everything at once: lets the blocked call end, whichever it is. */
static void let_go(bool mutex_held)
{
	set(&go, 1);
	if (mutex_held)
		pthread_mutex_unlock(&mutex);
	pthread_cond_broadcast(&cond);
	pthread_rwlock_unlock(&rwlock);
	__atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
	raw_futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void signalled(struct call *c, int flags)
{
	bool is_mutex = c->call == call_mutex || c->call == call_mutex_timed;
	const char *how = flags ? "restart" : "no restart";
	struct blocked b;
	long result;

	handle(SIGUSR1, flags, handler);
	handled = go = word = 0;
	sem_init(&sem, 0, 0);
	pthread_rwlock_wrlock(&rwlock);
	if (is_mutex)
		pthread_mutex_lock(&mutex);
	blocked_start(&b, c->call, (void *)c->arg, NULL);
	ok(blocked_wait(&b), "%s, %s: blocks", c->name, how);
	pthread_kill(b.thread, SIGUSR1);
	until(&handled, 1);
	if (blocked_wait(&b)) {
		ok(1, "%s, %s: goes on", c->name, how);
		if (c->call == call_barrier)
			pthread_barrier_wait(&barrier);
		sem_post(&sem);
	}
	let_go(is_mutex);
	result = blocked_join(&b);
	ok(1, "%s, %s: returns %s", c->name, how,
	   result ? strerrorname_np((int)labs(result)) : "0");
	is_int(handled, 1, "%s, %s: one call of the handler", c->name, how);
}

/* The semaphore is posted by the handler over the wait for it. */
static void post(int sig)
{
	(void)sig;
	sem_post(&sem);
}

static void posts_itself(long (*call)(void *), int flags, const char *name)
{
	struct blocked b;

	sem_init(&sem, 0, 0);
	handle(SIGUSR1, flags, post);
	blocked_start(&b, call, NULL, NULL);
	blocked_wait(&b);
	pthread_kill(b.thread, SIGUSR1);
	ok(1, "%s: the handler posts; returns %s", name,
	   blocked_join(&b) ? "EINTR" : "0");
}

int main(void)
{
	pthread_barrier_init(&barrier, NULL, 2);
	for (unsigned int i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		signalled(&calls[i], 0);
		signalled(&calls[i], SA_RESTART);
	}
	posts_itself(call_sem, 0, "sem_wait");
	posts_itself(call_sem, SA_RESTART, "sem_wait, restart");
	posts_itself(call_sem_timed, SA_RESTART, "sem_timedwait, restart");
	return tap_end();
}
