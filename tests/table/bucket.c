// SPDX-License-Identifier: MIT
/* The lock of a bucket: see src/table/bucket.h. */
#include "table/bucket.h"

#include "blocked.h"
#include "hammer.h"

/* ---- one thread ---- */

static void word(void)
{
	struct ufx_bucket b = { 0 };

	ok(ufx_bucket_lock(&b, 3, NULL), "an empty bucket is locked");
	is_int(ufx_bucket_count(b.word), 3, "three are counted up with it");
	ok(b.word & UFX_BUCKET_LOCKED, "it is marked locked");
	ufx_bucket_unlock(&b, 1);
	is_int((long long)b.word, 2 * (long long)UFX_BUCKET_ONE,
	       "one less, and unlocked");
	ok(ufx_bucket_lock(&b, 0, NULL), "locked again");
	b.word |= UFX_BUCKET_MOVED;
	ufx_bucket_unlock(&b, 0);
	ok(!ufx_bucket_lock(&b, 1, NULL), "a moved one is not locked any more");
	is_int(ufx_bucket_count(b.word), 2, "nor counted up; its count stands");
	ufx_bucket_wait_moved(&b, NULL);
	ok(1, "nobody waits for one that has been moved");
}

/* ---- many threads ---- */

struct shared {
	struct ufx_bucket b;
	long plain; /* under the lock */
};

static void count(struct hammer *h)
{
	struct shared *s = h->arg;

	ufx_bucket_lock(&s->b, 1, NULL);
	s->plain++;
	if (hammer_random(h, 64) == 0)
		sched_yield();
	ufx_bucket_unlock(&s->b, 1);
}

static void excludes(void)
{
	struct shared s = { 0 };
	struct crew c = { 0 };
	uint64_t rounds;
	int i;

	for (i = 0; i < 4; i++)
		crew_add(&c, count, &s);
	nap_us(150000);
	rounds = crew_stop(&c);
	is_int(s.plain, (long long)rounds, "one holder at a time");
	is_int((long long)s.b.word, 0, "all are counted off at the end");
}

/* ---- sleepers and a move ---- */

static long lock_it(void *arg)
{
	struct ufx_bucket *b = arg;

	if (!ufx_bucket_lock(b, 0, NULL))
		return 0;
	ufx_bucket_unlock(b, 0);
	return 1;
}

static long await_move(void *arg)
{
	ufx_bucket_wait_moved(arg, NULL);
	return 0;
}

#define SLEEPERS 3

/*
 * Sleepers on the lock; it is unlocked and at once locked again by somebody
 * who moves the bucket. Each of them must learn of that. Some lock it in
 * between: then the round shows nothing.
 */
static bool moved_at_once(long (*call)(void *))
{
	static struct ufx_bucket buckets[200];
	static int used;
	struct ufx_bucket *b = &buckets[used++];
	struct blocked s[SLEEPERS];
	bool overtook;
	int i;

	ufx_bucket_lock(b, 0, NULL);
	if (call == await_move)
		ufx_fetch_or(&b->word, UFX_BUCKET_MOVED);
	for (i = 0; i < SLEEPERS; i++) {
		blocked_start(&s[i], call, b, NULL);
		blocked_wait(&s[i]);
	}
	if (call == lock_it) {
		ufx_bucket_unlock(b, 0);
		ufx_bucket_lock(b, 0, NULL);
		ufx_fetch_or(&b->word, UFX_BUCKET_MOVED);
	}
	ufx_bucket_unlock(b, 0);
	overtook = true;
	for (i = 0; i < SLEEPERS; i++)
		overtook &= !blocked_join(&s[i]);
	return overtook;
}

static void all_learn(void)
{
	int i, shown = 0;

	for (i = 0; i < 100; i++)
		shown += moved_at_once(lock_it);
	ok(1, "sleepers on the lock learn that it was moved (%d of 100 rounds)",
	   shown);
	for (i = 0; i < 20; i++)
		moved_at_once(await_move);
	ok(1, "so do those that wait for the waiters' arrival");
}

int main(void)
{
	tap_timeout(20);
	word();
	excludes();
	all_learn();
	return tap_end();
}
