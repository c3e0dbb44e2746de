// SPDX-License-Identifier: MIT
/*
 * A server that swaps its configuration under load (ufutex/ref.h, slots).
 *
 * Workers answer requests on socket pairs. Each pins the configuration for one
 * request: a few instructions, no lock, and no line that all workers write.
 * Another thread loads new ones over and over; a request that has begun keeps
 * the old one, and the event loop of the main thread releases what nobody pins
 * any more: it polls the eventfd of deferred calls beside whatever else a
 * server polls, and drives them within a budget.
 *
 *   config_server [SWAPS]
 *
 * It succeeds if every answer was computed from one whole configuration, not
 * older than the newest at the request, and every configuration was released.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ufutex/ref.h>

#define WORKERS 3
#define ROUTES 64

/* ---- the configuration ---- */

struct config {
	struct ufx_object object; /* first */
	uint64_t version;
	uint64_t route[ROUTES];
};

static struct ufx_slot current; /* holds a struct config */
static uint64_t in_force;       /* version that every request from now on sees */
static unsigned long made, released;
static int done;

static uint64_t route_of(uint64_t version, uint32_t which)
{
	return (version * ROUTES + which) * 0x9e3779b97f4a7c15u;
}

static void config_release(struct ufx_object *object)
{
	struct config *c = (struct config *)object;

	memset(c->route, 0xdd, sizeof(c->route)); /* who comes too late sees it */
	c->version = 0;
	__atomic_fetch_add(&released, 1, __ATOMIC_RELAXED);
	free(c);
}

static struct config *config_load(uint64_t version)
{
	struct config *c = calloc(1, sizeof(*c));
	uint32_t i;

	if (!c || ufx_object_init(&c->object, UFX_SLOT_PUBLISH_FIRST, config_release)) {
		free(c);
		return NULL;
	}
	c->version = version;
	for (i = 0; i < ROUTES; i++)
		c->route[i] = route_of(version, i);
	made++;
	return c;
}

/* ---- workers and their clients ---- */

struct request {
	uint32_t route;
};

struct answer {
	uint64_t version, value, version_after;
};

struct worker {
	pthread_t server, client;
	int sockets[2];
	unsigned long requests, wrong, old;
};

static void answer_one(int socket, const struct request *request)
{
	struct ufx_object *object = ufx_slot_get_inline(&current);
	const struct config *c = (const struct config *)object;
	struct answer answer = { c->version, c->route[request->route], 0 };

	if (request->route % 8 == 0) /* a slow request: it keeps its pin */
		sched_yield();
	answer.version_after = c->version;
	ufx_slot_put_inline(&current, object);
	if (write(socket, &answer, sizeof(answer)) != sizeof(answer))
		abort();
}

static void *serve(void *arg)
{
	struct worker *w = arg;
	struct request request;

	while (read(w->sockets[0], &request, sizeof(request)) == sizeof(request))
		answer_one(w->sockets[0], &request);
	return NULL;
}

static void check(struct worker *w, const struct request *request, uint64_t least)
{
	struct answer a;

	if (read(w->sockets[1], &a, sizeof(a)) != sizeof(a))
		abort();
	w->wrong += a.version_after != a.version ||
		    a.value != route_of(a.version, request->route);
	w->old += a.version < least;
}

static void *ask(void *arg)
{
	struct worker *w = arg;

	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		struct request request = { (uint32_t)(w->requests++ % ROUTES) };
		uint64_t least = __atomic_load_n(&in_force, __ATOMIC_ACQUIRE);

		if (write(w->sockets[1], &request, sizeof(request)) != sizeof(request))
			abort();
		check(w, &request, least);
	}
	shutdown(w->sockets[1], SHUT_WR);
	return NULL;
}

static int start(struct worker *w)
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, w->sockets) ||
	       pthread_create(&w->server, NULL, serve, w) ||
	       pthread_create(&w->client, NULL, ask, w);
}

static void join(struct worker *w)
{
	pthread_join(w->client, NULL);
	pthread_join(w->server, NULL);
	close(w->sockets[0]);
	close(w->sockets[1]);
}

/* ---- who swaps ---- */

struct swaps {
	unsigned long n;
	int finished; /* an eventfd */
};

static void *swap(void *arg)
{
	struct swaps *s = arg;
	unsigned long i;

	for (i = 1; i <= s->n; i++) {
		struct config *next = config_load(i + 1);

		if (!next)
			abort();
		ufx_slot_publish(&current, &next->object); /* waits for nobody */
		__atomic_store_n(&in_force, i + 1, __ATOMIC_RELEASE);
		if (i % 16 == 0)
			sched_yield();
	}
	eventfd_write(s->finished, 1);
	return NULL;
}

/* ---- the event loop ---- */

static unsigned long turns, most_waiting;

/* Until all swaps are made. Each turn is short, whatever there is to release. */
static void loop(int deferred, int finished)
{
	struct pollfd fds[2] = { { .fd = deferred, .events = POLLIN },
				 { .fd = finished, .events = POLLIN } };

	while (!fds[1].revents && poll(fds, 2, -1) >= 0) {
		uint64_t waiting = ufx_grace_pending(NULL);

		if (waiting > most_waiting)
			most_waiting = waiting;
		if (fds[0].revents && ufx_grace_run(32, 1000000) < 0)
			abort();
		ufx_slot_reap(&current);
		turns++;
	}
}

static int report(const struct worker *w)
{
	unsigned long requests = 0, wrong = 0, old = 0;
	int i;

	for (i = 0; i < WORKERS; i++) {
		requests += w[i].requests;
		wrong += w[i].wrong;
		old += w[i].old;
	}
	printf("%lu requests, %lu swaps, %lu turns of the loop, up to %lu calls waiting\n",
	       requests, made - 1, turns, most_waiting);
	printf("%lu torn or freed, %lu out of date, %lu of %lu released\n", wrong, old,
	       released, made);
	return wrong || old || released != made || requests < WORKERS;
}

int main(int argc, char **argv)
{
	struct swaps swaps = { argc > 1 ? strtoul(argv[1], NULL, 10) : 5000,
			       eventfd(0, EFD_CLOEXEC) };
	struct config *first = config_load(1);
	static struct worker workers[WORKERS];
	int i, deferred = ufx_grace_event();
	pthread_t swapper;

	if (!first || deferred < 0 || swaps.finished < 0 ||
	    ufx_slot_init(&current, UFX_SLOT_PUBLISH_FIRST, &first->object))
		return 2;
	ufx_grace_limit(4096, 4 << 20); /* else the loop drives, not who swaps */
	in_force = 1;
	for (i = 0; i < WORKERS; i++)
		if (start(&workers[i]))
			return 2;
	if (pthread_create(&swapper, NULL, swap, &swaps))
		return 2;
	loop(deferred, swaps.finished);
	pthread_join(swapper, NULL);
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	for (i = 0; i < WORKERS; i++)
		join(&workers[i]);
	ufx_grace_barrier(); /* what was replaced */
	ufx_slot_exit(&current);
	close(swaps.finished);
	return report(workers);
}
