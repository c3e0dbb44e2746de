/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#include "parkers/loop.h"
#include "tap.h"

static int event = -1, stopping;
static long told;
static struct loop_wait *posted, *timed;
static pthread_t thread;

static void post(void *handle)
{
	struct loop_wait *w = handle;
	uint64_t one = 1;

	__atomic_fetch_add(&told, 1, __ATOMIC_RELAXED);
	w->next = __atomic_load_n(&posted, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&posted, &w->next, w, true,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	/* @w may be gone. */
	if (write(event, &one, sizeof(one)) != sizeof(one))
		bail("eventfd: %s", strerror(errno));
}

static const struct ufx_parker poster = { post };

static void end(struct loop_wait *w)
{
	uint64_t answer;
	int how = ufx_node_finish(&w->node, &answer);

	w->done(w, how == UFX_LEFT ? UFX_TIMED_OUT : how, answer);
}

static void look(void)
{
	struct loop_wait *w = __atomic_exchange_n(&posted, NULL, __ATOMIC_ACQUIRE);
	struct loop_wait *oldest = NULL, *next;

	for (; w; w = next) {
		next = w->next;
		w->next = oldest;
		oldest = w;
	}
	for (; oldest; oldest = next) {
		next = oldest->next;
		end(oldest);
	}
}

/* Until the next one's time: milliseconds for epoll. */
static int expire(void)
{
	struct timespec now;
	int64_t ns, first = LOOP_FOREVER;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
	for (struct loop_wait **at = &timed; *at;) {
		struct loop_wait *w = *at;

		if (w->until <= ns) {
			*at = w->later;
			if (!ufx_node_ended(&w->node))
				end(w);
			continue;
		}
		if (w->until < first)
			first = w->until;
		at = &w->later;
	}
	return first == LOOP_FOREVER ? -1 : (int)((first - ns) / 1000000) + 1;
}

static void *loop_main(void *arg)
{
	struct epoll_event e = { .events = EPOLLIN };
	int poll = epoll_create1(EPOLL_CLOEXEC);
	uint64_t n;

	(void)arg;
	if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, event, &e))
		bail("epoll: %s", strerror(errno));
	while (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)) {
		if (epoll_wait(poll, &e, 1, expire()) == 1 &&
		    read(event, &n, sizeof(n)) != sizeof(n))
			bail("eventfd: %s", strerror(errno));
		look();
	}
	close(poll);
	return NULL;
}

void loop_start(void)
{
	event = eventfd(0, EFD_CLOEXEC);
	__atomic_store_n(&stopping, 0, __ATOMIC_RELEASE);
	if (event < 0 || pthread_create(&thread, NULL, loop_main, NULL))
		bail("no loop");
}

void loop_stop(void)
{
	uint64_t one = 1;

	__atomic_store_n(&stopping, 1, __ATOMIC_RELEASE);
	if (write(event, &one, sizeof(one)) != sizeof(one))
		bail("eventfd: %s", strerror(errno));
	pthread_join(thread, NULL);
	close(event);
}

int loop_wait(struct ufx_domain *d, struct loop_wait *w, const struct ufx_condition *c)
{
	if (w->until != LOOP_FOREVER) {
		w->later = timed;
		timed = w;
	}
	return ufx_node_prepare(d, &w->node, c, &poster, w);
}

long loop_told(void)
{
	return __atomic_load_n(&told, __ATOMIC_RELAXED);
}
