/* SPDX-License-Identifier: MIT */
/* What is shared between processes is the kernel's: every kind of it. */
#include "run.h"

#define PROCESSES 3
#define TURNS 1000

static struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	pthread_rwlock_t rwlock;
	pthread_barrier_t barrier;
	sem_t tokens;
	long counted, turn, written;
	uint32_t word;
} *s;

static void make(void)
{
	pthread_mutexattr_t mutex;
	pthread_condattr_t cond;
	pthread_rwlockattr_t rwlock;
	pthread_barrierattr_t barrier;

	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, 1);
	pthread_mutex_init(&s->mutex, &mutex);
	pthread_condattr_init(&cond);
	pthread_condattr_setpshared(&cond, 1);
	pthread_cond_init(&s->cond, &cond);
	pthread_rwlockattr_init(&rwlock);
	pthread_rwlockattr_setpshared(&rwlock, 1);
	pthread_rwlock_init(&s->rwlock, &rwlock);
	pthread_barrierattr_init(&barrier);
	pthread_barrierattr_setpshared(&barrier, 1);
	pthread_barrier_init(&s->barrier, &barrier, PROCESSES);
	sem_init(&s->tokens, 1, 2);
}

static void work(long me)
{
	pthread_barrier_wait(&s->barrier);
	for (int i = 0; i < TURNS; i++) {
		while (sem_wait(&s->tokens))
			;
		pthread_mutex_lock(&s->mutex);
		s->counted++;
		pthread_mutex_unlock(&s->mutex);
		sem_post(&s->tokens);
		pthread_rwlock_wrlock(&s->rwlock);
		s->written++;
		pthread_rwlock_unlock(&s->rwlock);
	}
	pthread_mutex_lock(&s->mutex);
	for (int i = 0; i < TURNS / 4; i++) {
		while (s->turn % PROCESSES != me)
			pthread_cond_wait(&s->cond, &s->mutex);
		s->turn++;
		pthread_cond_broadcast(&s->cond);
	}
	pthread_mutex_unlock(&s->mutex);
	pthread_barrier_wait(&s->barrier);
}

/* A private wake does not reach a shared wait, nor the other way round. */
static long wait_shared(void *arg)
{
	(void)arg;
	return raw_futex(&s->word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static long wait_private(void *arg)
{
	(void)arg;
	return raw_futex(&s->word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void apart(void)
{
	struct blocked b;

	blocked_start(&b, wait_shared, NULL, NULL);
	blocked_wait(&b);
	is_int(raw_futex(&s->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0,
	       "a private wake does not reach a shared wait");
	is_int(raw_futex(&s->word, FUTEX_WAKE, 1, NULL, NULL, 0), 1, "a shared one does");
	blocked_join(&b);
	blocked_start(&b, wait_private, NULL, NULL);
	blocked_wait(&b);
	is_int(raw_futex(&s->word, FUTEX_WAKE, 1, NULL, NULL, 0), 0,
	       "a shared wake does not reach a private wait");
	is_int(raw_futex(&s->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1,
	       "a private one does");
	blocked_join(&b);
}

int main(void)
{
	pid_t children[PROCESSES];

	make();
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = tap_fork();
		if (children[i] == 0) {
			work(i);
			_exit(0);
		}
	}
	for (int i = 0; i < PROCESSES; i++)
		is_int(ending(children[i]), 0, "a process ends");
	is_int(s->counted, PROCESSES * TURNS, "the mutex and the semaphore count");
	is_int(s->written, PROCESSES * TURNS, "the rwlock counts");
	is_int(s->turn, PROCESSES * (TURNS / 4), "the condition variable passes turns");
	apart();
	return tap_end();
}
