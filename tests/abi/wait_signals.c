// SPDX-License-Identifier: MIT
/*
 * A signal handler runs in a thread that waits: which waits go on afterwards
 * (SA_RESTART) and which return -EINTR. The rules are the kernel's own.
 */
#include <limits.h>

#include "pages.h"
#include "subject.h"

#define ANY FUTEX_BITSET_MATCH_ANY
#define FLAGS (UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE)

static uint32_t *word;    /* in a page of its own */
static int handled;       /* how often the handler has run */
static uint32_t store;    /* what the handler stores into the word */
static bool forbid;       /* the handler takes the word's memory away */

static void handler(int sig)
{
	(void)sig;
	__atomic_store_n(word, store, __ATOMIC_RELAXED);
	if (forbid)
		mprotect(word, 4, PROT_NONE);
	__atomic_fetch_add(&handled, 1, __ATOMIC_RELEASE);
}

static void install(int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigaction(SIGUSR1, &action, NULL);
}

struct kind {
	const char *name;
	long (*call)(const struct subject *s, struct timespec *t);
	clockid_t clock; /* of the deadline */
	bool timed, relative;
	bool restarts; /* with SA_RESTART */
	enum kernel_call needs;
	bool always; /* no need of anything */
};

static long call_wait(const struct subject *s, struct timespec *t)
{
	return s->futex(word, FUTEX_WAIT_PRIVATE, 0, t, NULL, 0);
}

static long call_bitset(const struct subject *s, struct timespec *t)
{
	return s->futex(word, FUTEX_WAIT_BITSET_PRIVATE, 0, t, NULL, ANY);
}

static long call_bitset_real(const struct subject *s, struct timespec *t)
{
	return s->futex(word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME,
			0, t, NULL, ANY);
}

static long call_waitv(const struct subject *s, struct timespec *t)
{
	static uint32_t other;
	struct ufx_waitv_entry v[2] = {
		{ 0, (uintptr_t)word, FLAGS, 0 },
		{ 0, (uintptr_t)&other, FLAGS, 0 },
	};

	return s->waitv(v, 2, 0, t, CLOCK_MONOTONIC);
}

static long call_wait2(const struct subject *s, struct timespec *t)
{
	return s->wait(word, 0, ANY, FLAGS, t, CLOCK_MONOTONIC);
}

#define MONO CLOCK_MONOTONIC

static const struct kind kinds[] = {
	{ "WAIT", call_wait, MONO, false, false, true, 0, true },
	{ "WAIT timed", call_wait, MONO, true, true, false, 0, true },
	{ "WAIT_BITSET", call_bitset, MONO, false, false, true, 0, true },
	{ "WAIT_BITSET timed", call_bitset, MONO, true, false, false, 0, true },
	{ "WAIT_BITSET timed, realtime", call_bitset_real, CLOCK_REALTIME, true,
	  false, false, 0, true },
	{ "futex_waitv", call_waitv, MONO, false, false, true, KERNEL_WAITV,
	  false },
	{ "futex_waitv timed", call_waitv, MONO, true, false, true,
	  KERNEL_WAITV, false },
	{ "futex_wait", call_wait2, MONO, false, false, true, KERNEL_FUTEX2,
	  false },
	{ "futex_wait timed", call_wait2, MONO, true, false, true,
	  KERNEL_FUTEX2, false },
};

struct wait_args {
	const struct subject *s;
	const struct kind *k;
};

static long wait_on(void *arg)
{
	struct wait_args *w = arg;
	struct timespec t = clock_in(w->k->clock, 1000000);

	if (w->k->relative)
		t = (struct timespec){ 1000, 0 };
	return w->k->call(w->s, w->k->timed ? &t : NULL);
}

/* A signal for a thread that is asleep; back when its handler has run. */
static void interrupt(struct blocked *b)
{
	int before = __atomic_load_n(&handled, __ATOMIC_ACQUIRE);

	pthread_kill(b->thread, SIGUSR1);
	while (__atomic_load_n(&handled, __ATOMIC_ACQUIRE) == before)
		sched_yield();
}

static long wake(const struct subject *s)
{
	return s->futex(word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void plain(const struct subject *s, const struct kind *k)
{
	struct wait_args w = { s, k };
	struct blocked b;

	install(0);
	blocked_start(&b, wait_on, &w, NULL);
	if (ok(blocked_wait(&b), "%s: %s sleeps", s->name, k->name))
		interrupt(&b);
	row(s, blocked_join(&b), -EINTR, "%s: a handler runs", k->name);
	row(s, wake(s), 0, "%s: ... and has left the queue", k->name);
}

static void restart(const struct subject *s, const struct kind *k)
{
	struct wait_args w = { s, k };
	struct blocked b;
	int i;

	install(SA_RESTART);
	blocked_start(&b, wait_on, &w, NULL);
	if (!ok(blocked_wait(&b), "%s: %s sleeps", s->name, k->name))
		return;
	if (!k->restarts) {
		interrupt(&b);
		row(s, blocked_join(&b), -EINTR,
		    "%s: a handler with SA_RESTART runs", k->name);
		row(s, wake(s), 0, "%s: ... and has left the queue", k->name);
		return;
	}
	for (i = 0; i < 2; i++) {
		interrupt(&b);
		ok(blocked_wait(&b), "%s: %s: SA_RESTART: sleeps on, %d",
		   s->name, k->name, i);
	}
	row(s, wake(s), 1, "%s: ... is still queued", k->name);
	row(s, blocked_join(&b), 0, "%s: ... and is woken", k->name);
}

/* The call that starts again looks at the word again. */
static void changed(const struct subject *s, const struct kind *k)
{
	struct wait_args w = { s, k };
	struct blocked b;

	if (!k->restarts)
		return;
	install(SA_RESTART);
	store = 1;
	blocked_start(&b, wait_on, &w, NULL);
	if (ok(blocked_wait(&b), "%s: %s sleeps", s->name, k->name))
		interrupt(&b);
	row(s, blocked_join(&b), -EAGAIN,
	    "%s: a handler with SA_RESTART changes the word", k->name);
	row(s, wake(s), 0, "%s: ... and has left the queue", k->name);
	store = 0;
	*word = 0;
}

/* ... which may no longer be there. */
static void vanished(const struct subject *s, const struct kind *k)
{
	struct wait_args w = { s, k };
	struct blocked b;

	if (!k->restarts)
		return;
	install(SA_RESTART);
	forbid = true;
	blocked_start(&b, wait_on, &w, NULL);
	if (ok(blocked_wait(&b), "%s: %s sleeps", s->name, k->name))
		interrupt(&b);
	row(s, blocked_join(&b), -EFAULT,
	    "%s: a handler with SA_RESTART takes the word away", k->name);
	row(s, wake(s), 0, "%s: ... and has left the queue", k->name);
	forbid = false;
	mprotect(word, 4, PROT_READ | PROT_WRITE);
}

static void rows(const struct subject *s)
{
	size_t i;

	word = page_private();
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *k = &kinds[i];
		const char *why = k->always ? NULL : subject_lacks(s, k->needs);

		if (why) {
			row_skip(s, why, "%s", k->name);
			continue;
		}
		plain(s, k);
		if (k->restarts && restart_missing(s)) {
			row_skip(s, restart_missing(s), "%s: SA_RESTART",
				 k->name);
			continue;
		}
		restart(s, k);
		changed(s, k);
		vanished(s, k);
	}
}

int main(void)
{
	return subject_main_unless(signals_delayed(), rows);
}
