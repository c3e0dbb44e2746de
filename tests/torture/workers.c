// SPDX-License-Identifier: MIT
/* The threads: a fixed number of places, so that handlers may look at them. */
#include "torture.h"

struct worker workers[WORKERS];
__thread struct worker *self;
int stopping, in_child;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t kept[COUNT_END]; /* of threads that are gone, and of nobody's */
static uint64_t started;

static void *run(void *arg)
{
	struct worker *w = arg;

	self = w;
	__atomic_store_n(&w->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	if (w->once)
		w->once(w);
	while (!w->once && !stopped()) {
		w->activity->step(w);
		count(COUNT_steps, 1);
		if (in_child)
			fork_child_check();
	}
	__atomic_store_n(&w->state, WORKER_ENDED, __ATOMIC_RELEASE);
	return NULL;
}

static struct worker *place(void)
{
	int i;

	for (i = 0; i < WORKERS; i++)
		if (workers[i].state == WORKER_FREE)
			return &workers[i];
	return NULL;
}

struct worker *worker_start(const struct activity *a, void (*once)(struct worker *))
{
	struct worker *w;

	pthread_mutex_lock(&lock);
	w = place();
	if (w) {
		memset(w, 0, sizeof(*w));
		w->activity = a;
		w->once = once;
		w->number = (unsigned int)(w - workers);
		w->random = (options.seed + ++started) * 0x9e3779b97f4a7c15u;
		w->step_since = now_ms();
		__atomic_store_n(&w->state, WORKER_RUNS, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&lock);
	if (!w)
		return NULL;
	if (pthread_create(&w->thread, NULL, run, w)) {
		__atomic_store_n(&w->state, WORKER_FREE, __ATOMIC_RELEASE);
		return NULL;
	}
	return w;
}

void worker_join(struct worker *w)
{
	int i;

	if (self)
		__atomic_store_n(&self->joins, 1, __ATOMIC_RELAXED);
	pthread_join(w->thread, NULL);
	if (self)
		__atomic_store_n(&self->joins, 0, __ATOMIC_RELAXED);
	pthread_mutex_lock(&lock);
	for (i = 0; i < COUNT_END; i++)
		kept[i] += w->counts[i];
	__atomic_store_n(&w->state, WORKER_FREE, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&lock);
}

struct worker *worker_any(struct worker *w)
{
	struct worker *other;
	int i;

	for (i = 0; i < 20; i++) {
		other = &workers[rnd(w, WORKERS / 4)];
		if (__atomic_load_n(&other->state, __ATOMIC_ACQUIRE) == WORKER_RUNS &&
		    __atomic_load_n(&other->tid, __ATOMIC_ACQUIRE))
			return other;
	}
	return NULL;
}

void total_add(enum count what, uint64_t n)
{
	__atomic_fetch_add(&kept[what], n, __ATOMIC_RELAXED);
}

uint64_t total(enum count what)
{
	uint64_t sum = __atomic_load_n(&kept[what], __ATOMIC_RELAXED);
	int i;

	for (i = 0; i < WORKERS; i++)
		if (workers[i].state != WORKER_FREE)
			sum += __atomic_load_n(&workers[i].counts[what],
					       __ATOMIC_RELAXED);
	return sum;
}
