/* SPDX-License-Identifier: MIT */
/*
 * A host (ufutex/host.h) for threads of POSIX: nothing else is needed of the system
 * than POSIX.1-2008 with anonymous mmap, and C11.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <ufutex/host.h>

/* ---- sleeping: the sleepers on words that share a queue, first in front ---- */

#define QUEUES 64

struct sleeper {
	struct sleeper *next;
	const uint32_t *word;
	pthread_cond_t woken_cond;
	bool woken;
};

static struct queue {
	pthread_mutex_t lock;
	struct sleeper *first, **end; /* where the next goes, unless there is none */
} __attribute__((aligned(64))) queues[QUEUES] = {
	[0 ... QUEUES - 1] = { .lock = PTHREAD_MUTEX_INITIALIZER }
};

static struct queue *queue_of(const uint32_t *word)
{
	return &queues[((uintptr_t)word * 0x9e3779b97f4a7c15u) >> 58];
}

static void append(struct queue *q, struct sleeper *s)
{
	if (!q->first)
		q->end = &q->first;
	*q->end = s;
	q->end = &s->next;
}

static void take(struct queue *q, struct sleeper **link)
{
	struct sleeper *s = *link;

	*link = s->next;
	if (q->end == &s->next)
		q->end = link;
}

static void leave(struct queue *q, struct sleeper *s)
{
	struct sleeper **link = &q->first;

	while (*link != s)
		link = &(*link)->next;
	take(q, link);
}

/* A condition that is waited for by the deadline's own clock. */
static void cond_init(pthread_cond_t *cond, const struct ufx_deadline *deadline)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	if (deadline)
		pthread_condattr_setclock(&attr, deadline->clock);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

static int sleep_in(struct queue *q, struct sleeper *s, const struct ufx_deadline *deadline)
{
	int ret = 0;

	cond_init(&s->woken_cond, deadline);
	append(q, s);
	while (!s->woken && !ret)
		ret = deadline ? pthread_cond_timedwait(&s->woken_cond, &q->lock,
							&deadline->at) :
				 pthread_cond_wait(&s->woken_cond, &q->lock);
	if (!s->woken)
		leave(q, s);
	pthread_cond_destroy(&s->woken_cond);
	return s->woken || ret != ETIMEDOUT ? 0 : -ETIMEDOUT;
}

int ufx_host_sleep(const uint32_t *word, uint32_t value,
		   const struct ufx_deadline *deadline)
{
	struct queue *q = queue_of(word);
	struct sleeper s = { .word = word };
	int ret = 0, before;

	/* The wait for a condition is where a thread can be cancelled; not here. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	pthread_mutex_lock(&q->lock);
	if (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value)
		ret = sleep_in(q, &s, deadline);
	pthread_mutex_unlock(&q->lock);
	pthread_setcancelstate(before, NULL);
	return ret;
}

void ufx_host_wake(const uint32_t *word, unsigned int n)
{
	struct queue *q = queue_of(word);
	struct sleeper **link = &q->first;

	pthread_mutex_lock(&q->lock);
	while (*link && n) {
		struct sleeper *s = *link;

		if (s->word != word) {
			link = &s->next;
			continue;
		}
		take(q, link);
		s->woken = true;
		pthread_cond_signal(&s->woken_cond); /* under the lock: it cannot go yet */
		n--;
	}
	pthread_mutex_unlock(&q->lock);
}

void ufx_host_yield(void)
{
	sched_yield();
}

/* ---- threads ---- */

static _Thread_local struct ufx_marks marks;
static _Thread_local bool known;
static pthread_key_t key;
static bool has_key;

static void thread_ends(void *its)
{
	known = false; /* destructors that come later may use the library */
	ufx_host_thread_ends(its);
}

static void make_key(void)
{
	has_key = !pthread_key_create(&key, thread_ends);
}

/* So that we hear of the thread's end. */
static void get_known(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	known = true;
	pthread_once(&once, make_key);
	if (has_key)
		pthread_setspecific(key, &marks);
}

struct ufx_marks *ufx_host_marks(void)
{
	if (!known)
		get_known();
	return &marks;
}

/* ---- fork ---- */

static void before_fork(void)
{
	for (int i = 0; i < QUEUES; i++)
		pthread_mutex_lock(&queues[i].lock);
}

static void after_fork(void)
{
	for (int i = 0; i < QUEUES; i++)
		pthread_mutex_unlock(&queues[i].lock);
}

static void in_child(void)
{
	for (int i = 0; i < QUEUES; i++) /* sleepers stayed in the parent */
		queues[i].first = NULL;
	after_fork();
	ufx_host_forked();
}

int ufx_host_start(void)
{
	return -pthread_atfork(before_fork, after_fork, in_child);
}

/* ---- the rest ---- */

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

void *ufx_host_alloc(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void ufx_host_free(void *memory, size_t size)
{
	munmap(memory, size);
}

void ufx_host_clock(clockid_t clock, struct timespec *now)
{
	clock_gettime(clock, now);
}

unsigned int ufx_host_cpus(void)
{
	static long n; /* always the same */
	long found = __atomic_load_n(&n, __ATOMIC_RELAXED);

	if (!found) {
		found = sysconf(_SC_NPROCESSORS_CONF);
		__atomic_store_n(&n, found, __ATOMIC_RELAXED);
	}
	return found < 1 ? 1 : (unsigned int)found;
}

void ufx_host_random(void *to, size_t size)
{
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, to, size);

	(void)got; /* what was there does */
	if (fd >= 0)
		close(fd);
}

const char *ufx_host_setting(const char *name)
{
	return getenv(name);
}
