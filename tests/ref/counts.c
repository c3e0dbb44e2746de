// SPDX-License-Identifier: MIT
/*
 * Counts are exact however many threads get and put, wherever they run, and
 * whatever the state does meanwhile; both forms of each verb.
 */
#include <ufutex/ref.h>

#include "ref/cells.h"

#include "blocked.h"
#include "hammer.h"

#define THREADS 4

static struct ufx_ref ref;
static int released;

static void count_release(struct ufx_ref *r)
{
	(void)r;
	__atomic_fetch_add(&released, 1, __ATOMIC_SEQ_CST);
}

/* What each thread holds beyond what it has put; may be negative. */
static long held[THREADS];

static void one_step(struct hammer *h)
{
	long n = 1 + hammer_random(h, 3);

	switch (hammer_random(h, 6)) {
	case 0:
		ufx_ref_get(&ref);
		held[h->number]++;
		break;
	case 1:
		ufx_ref_get_inline(&ref);
		held[h->number]++;
		break;
	case 2:
		ufx_ref_get_many(&ref, (unsigned long)n);
		held[h->number] += n;
		break;
	case 3:
		held[h->number] += ufx_ref_tryget(&ref);
		break;
	case 4:
		if (held[h->number] > 0) {
			ufx_ref_put_inline(&ref);
			held[h->number]--;
		}
		break;
	default:
		n = held[h->number] / 2;
		if (n > 0) {
			ufx_ref_put_many(&ref, (unsigned long)n);
			held[h->number] -= n;
		}
	}
}

/* Some steps here, some there: references move with their threads. */
static void step(struct hammer *h)
{
	int i;

	if (h->rounds % 256 == 0)
		use_cpu((int)(h->rounds / 256 + (uint64_t)h->number) % 2);
	for (i = 0; i < 8; i++)
		one_step(h);
}

static void start(void)
{
	released = 0;
	memset(held, 0, sizeof(held));
	if (ufx_ref_init(&ref, count_release))
		bail("no ref");
}

/* Kills it and compares what is left with what the threads say. */
static void check(const char *what)
{
	long left = 0;
	int i;

	for (i = 0; i < THREADS; i++)
		left += held[i];
	ufx_ref_get(&ref);
	is_int(ufx_ref_kill(&ref), 0, "%s: kill", what);
	is_int(ref.counters.count, left + 1, "what the threads hold is counted");
	is_int(released, 0, "it is not released");
	ufx_ref_put_many(&ref, (unsigned long)left + 1);
	is_int(released, 1, "until the last is put");
	ufx_ref_exit(&ref);
}

static void per_cpu(void)
{
	struct crew c = { 0 };
	int i;

	start();
	for (i = 0; i < THREADS; i++)
		crew_add(&c, step, NULL);
	nap_us(200000);
	crew_stop(&c);
	check("per-CPU");
}

static void switching(void)
{
	int64_t end = clock_ms() + 300;
	struct crew c = { 0 };
	int i, n = 0, failed = 0;

	start();
	for (i = 0; i < THREADS; i++)
		crew_add(&c, step, NULL);
	while (clock_ms() < end) {
		failed += ufx_ref_switch_to_atomic(&ref) != 0;
		if (n++ % 4 == 0)
			nap_us(100);
		failed += ufx_ref_switch_to_percpu(&ref) != 0;
	}
	crew_stop(&c);
	is_int(failed, 0, "%d times to atomic and back", n);
	check("switching");
}

/* Killed and brought back over and over; each thread holds its own. */
static void dying(void)
{
	int64_t end = clock_ms() + 300;
	struct crew c = { 0 };
	int i, n = 0, failed = 0;

	start();
	ufx_ref_get(&ref); /* keeps it from zero */
	for (i = 0; i < THREADS; i++)
		crew_add(&c, step, NULL);
	while (clock_ms() < end) {
		failed += ufx_ref_kill(&ref) != 0;
		failed += ufx_ref_resurrect(&ref) != 0;
		n++;
	}
	crew_stop(&c);
	is_int(failed, 0, "killed and resurrected %d times", n);
	ufx_ref_put(&ref);
	check("dying");
}

/* ---- the last put ---- */

static int go, ready;

static long put_one(void *arg)
{
	(void)arg;
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		;
	ufx_ref_put(&ref);
	return 0;
}

/* Puts of all threads at once, and the kill: exactly one of them is the last. */
static void races_for_the_last(void)
{
	int64_t end = clock_ms() + 300;
	struct blocked b[THREADS];
	int i, round, wrong = 0;

	for (round = 0; round < 150 && clock_ms() < end; round++) {
		start();
		go = ready = 0;
		ufx_ref_get_many(&ref, THREADS);
		for (i = 0; i < THREADS; i++)
			blocked_start(&b[i], put_one, NULL, NULL);
		wait_until(&ready, THREADS);
		__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
		wrong += ufx_ref_kill(&ref) != 0;
		for (i = 0; i < THREADS; i++)
			blocked_join(&b[i]);
		wrong += released != 1 || !ufx_ref_is_zero(&ref);
		ufx_ref_exit(&ref);
	}
	is_int(wrong, 0, "%d races for the last put: one release each",
	       round);
}

/* tryget_live against kill: what it got before counts, nothing after. */
static void try_live(struct hammer *h)
{
	if (ufx_ref_tryget_live(&ref))
		held[h->number]++;
}

static void tryget_against_kill(void)
{
	int64_t end = clock_ms() + 300;
	int round, wrong = 0;

	for (round = 0; round < 100 && clock_ms() < end; round++) {
		struct crew c = { 0 };
		long left = 0, after;
		int i;

		start();
		ufx_ref_get(&ref);
		for (i = 0; i < THREADS; i++)
			crew_add(&c, try_live, NULL);
		nap_us(100);
		wrong += ufx_ref_kill(&ref) != 0;
		after = __atomic_load_n(&ref.counters.count, __ATOMIC_SEQ_CST);
		crew_stop(&c);
		for (i = 0; i < THREADS; i++)
			left += held[i];
		/* One that had looked before the kill may come late. */
		wrong += ref.counters.count != left + 1;
		wrong += ref.counters.count - after > THREADS;
		ufx_ref_put_many(&ref, (unsigned long)left + 1);
		wrong += released != 1;
		ufx_ref_exit(&ref);
	}
	is_int(wrong, 0, "%d kills against tryget_live", round);
}

/* ---- more threads than there are cells for them ---- */

static long get_seven(void *arg)
{
	(void)arg;
	ufx_ref_get_many(&ref, 7);
	ufx_ref_put(&ref);
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	wait_until(&go, 1);
	return 0;
}

static void many_threads(void)
{
	static struct blocked b[60];
	int i, round;

	start();
	for (round = 0; round < 3; round++) {
		go = ready = 0;
		for (i = 0; i < 60; i++)
			blocked_start(&b[i], get_seven, NULL, NULL);
		wait_until(&ready, 60);
		__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
		for (i = 0; i < 60; i++)
			blocked_join(&b[i]);
	}
	held[0] = 3 * 60 * 6;
	check("60 threads, three times");
}

int main(void)
{
	per_cpu();
	switching();
	dying();
	races_for_the_last();
	tryget_against_kill();
	many_threads();
	return tap_end();
}
