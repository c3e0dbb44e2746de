// SPDX-License-Identifier: MIT
/* Deadlines: relative and absolute, on both clocks, near and very far. */
#include <limits.h>

#include "subject.h"

#define ANY FUTEX_BITSET_MATCH_ANY

static uint32_t word;

static bool is_past(clockid_t clock, const struct timespec *deadline)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec > deadline->tv_sec ||
	       (now.tv_sec == deadline->tv_sec &&
		now.tv_nsec >= deadline->tv_nsec);
}

/* One wait of each kind that ends by @t; NULL name: no such kind. */
struct kind {
	const char *name;
	clockid_t clock;
	bool relative;
	long (*call)(const struct subject *s, struct timespec *t);
};

static long call_wait(const struct subject *s, struct timespec *t)
{
	return s->futex(&word, FUTEX_WAIT_PRIVATE, 0, t, NULL, 0);
}

static long call_bitset(const struct subject *s, struct timespec *t)
{
	return s->futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, t, NULL, ANY);
}

static long call_bitset_real(const struct subject *s, struct timespec *t)
{
	return s->futex(&word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME,
			0, t, NULL, ANY);
}

static long call_waitv_on(const struct subject *s, struct timespec *t,
			  clockid_t clock)
{
	struct ufx_waitv_entry entry = {
		.uaddr = (uintptr_t)&word,
		.flags = UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE,
	};

	return s->waitv(&entry, 1, 0, t, clock);
}

static long call_waitv(const struct subject *s, struct timespec *t)
{
	return call_waitv_on(s, t, CLOCK_MONOTONIC);
}

static long call_waitv_real(const struct subject *s, struct timespec *t)
{
	return call_waitv_on(s, t, CLOCK_REALTIME);
}

static long call_wait2(const struct subject *s, struct timespec *t)
{
	return s->wait(&word, 0, ANY, UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, t,
		       CLOCK_MONOTONIC);
}

static long call_wait2_real(const struct subject *s, struct timespec *t)
{
	return s->wait(&word, 0, ANY, UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, t,
		       CLOCK_REALTIME);
}

static const struct kind kinds[] = {
	{ "WAIT", CLOCK_MONOTONIC, true, call_wait },
	{ "WAIT_BITSET", CLOCK_MONOTONIC, false, call_bitset },
	{ "WAIT_BITSET realtime", CLOCK_REALTIME, false, call_bitset_real },
	{ "futex_waitv", CLOCK_MONOTONIC, false, call_waitv },
	{ "futex_waitv realtime", CLOCK_REALTIME, false, call_waitv_real },
	{ "futex_wait", CLOCK_MONOTONIC, false, call_wait2 },
	{ "futex_wait realtime", CLOCK_REALTIME, false, call_wait2_real },
};

static void near(const struct subject *s, const struct kind *k)
{
	struct timespec t = clock_in(k->clock, 5), past = { 1, 0 };
	struct timespec relative = { 0, 5000000 };

	row(s, k->call(s, k->relative ? &relative : &t), -ETIMEDOUT,
	    "%s: a deadline 5 ms ahead", k->name);
	ok(is_past(k->clock, &t), "%s: %s: not before its time", s->name,
	   k->name);
	if (k->relative)
		return;
	row(s, k->call(s, &past), -ETIMEDOUT, "%s: a deadline long past",
	    k->name);
	row(s, k->call(s, &(struct timespec){ 0, 0 }), -ETIMEDOUT,
	    "%s: deadline 0", k->name);
}

struct far_wait {
	const struct subject *s;
	const struct kind *k;
	struct timespec t;
};

static long far_call(void *arg)
{
	struct far_wait *f = arg;

	return f->k->call(f->s, &f->t);
}

/* As far as the type goes: no overflow, the thread sleeps until woken. */
static void far(const struct subject *s, const struct kind *k)
{
	struct far_wait f = { s, k, { LONG_MAX, 999999999 } };
	struct blocked b;

	blocked_start(&b, far_call, &f, NULL);
	if (ok(blocked_wait(&b), "%s: %s: sleeps until the end of time", s->name,
	       k->name))
		row(s, s->futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1,
		    "%s: ... and is woken", k->name);
	row(s, blocked_join(&b), 0, "%s: ... and returns 0", k->name);
}

static const char *lacks(const struct subject *s, const struct kind *k)
{
	if (!strncmp(k->name, "futex_waitv", 11))
		return subject_lacks(s, KERNEL_WAITV);
	if (!strncmp(k->name, "futex_wait", 10))
		return subject_lacks(s, KERNEL_FUTEX2);
	return NULL;
}

static void rows(const struct subject *s)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *why = lacks(s, &kinds[i]);

		if (why) {
			row_skip(s, why, "%s", kinds[i].name);
			continue;
		}
		near(s, &kinds[i]);
		far(s, &kinds[i]);
	}
}

int main(void)
{
	return subject_main(rows);
}
