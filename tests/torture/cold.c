// SPDX-License-Identifier: MIT
/*
 * Many words that hardly anybody waits on: short waits, empty wakes, values
 * that differ, requeues from anywhere to anywhere, every WAKE_OP, long vectors.
 */
#include "torture.h"

static uint32_t *word(struct worker *w, struct space *s)
{
	/* A quarter of all on a few words, so that they do meet. */
	return &s->cold[rnd(w, 4) ? rnd(w, COLD) : rnd(w, 4)];
}

static void wait_short(struct worker *w, struct space *s)
{
	uint32_t *at = word(w, s);
	uint32_t expected = __atomic_load_n(at, __ATOMIC_SEQ_CST) + !rnd(w, 4);

	/* Its value may change without a wake, and it may be requeued. */
	wait_on(w, s, at, expected, 0, WAIT_SHORT);
}

static void wake(struct worker *w, struct space *s)
{
	uint32_t *at = word(w, s);

	__atomic_fetch_add(at, 1, __ATOMIC_SEQ_CST);
	wake_up(s, at, 1 + (int)rnd(w, 3), 1u << rnd(w, 32));
}

static void requeue(struct worker *w, struct space *s)
{
	uint32_t *from = word(w, s), *to = word(w, s);
	uint32_t value = __atomic_load_n(from, __ATOMIC_SEQ_CST) + !rnd(w, 8);
	uint32_t n = rnd(w, 4), m = rnd(w, 4);
	bool compare = rnd(w, 2);
	long ret = space_futex(s, from, compare ? UFX_FUTEX_CMP_REQUEUE :
						  UFX_FUTEX_REQUEUE, n,
			       (const struct timespec *)(uintptr_t)m, to, value);

	count(COUNT_requeues, 1);
	if (ret > (long)(n + m) || (ret < 0 && !(compare && ret == -EAGAIN)))
		finding("a requeue of %u and %u returns %ld", n, m, ret);
	if (ret > 0)
		count(COUNT_threads_requeued, (uint64_t)ret);
}

static void wake_op(struct worker *w, struct space *s)
{
	uint32_t encoded = rnd(w, 2) << 31 | rnd(w, 5) << 28 | rnd(w, 6) << 24 |
			   rnd(w, 4096) << 12 | rnd(w, 4096);
	long ret = space_futex(s, word(w, s), UFX_FUTEX_WAKE_OP, 1,
			       (const struct timespec *)1, word(w, s), encoded);

	count(COUNT_wake_ops, 1);
	if (ret < 0 || ret > 2)
		finding("WAKE_OP %#x returns %ld", encoded, ret);
}

static void vector(struct worker *w, struct space *s)
{
	struct ufx_waitv_entry entries[UFX_FUTEX_WAITV_MAX];
	unsigned int n = 1 + rnd(w, rnd(w, 4) ? 4 : UFX_FUTEX_WAITV_MAX), i;
	int64_t ns = rnd(w, 1000000);
	struct timespec t;
	uint32_t *first;
	long ret;

	for (i = 0; i < n; i++) {
		uint32_t *at = word(w, s);

		entries[i] = (struct ufx_waitv_entry){
			__atomic_load_n(at, __ATOMIC_SEQ_CST), (uintptr_t)at,
			UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, 0
		};
	}
	ns += now_ns();
	t = (struct timespec){ ns / 1000000000, ns % 1000000000 };
	first = (uint32_t *)(uintptr_t)entries[0].uaddr;
	waiting_begin(w, s, first, (struct watch){ first, 0, 0 }, ns / 1000000,
		      "futex_waitv, short");
	ret = ufx_futex_waitv(entries, n, 0, &t, CLOCK_MONOTONIC);
	waiting_end(w);
	if (in_child)
		fork_child_check();
	count(COUNT_vectors, 1);
	wait_result(ret > 0 && ret < (long)n ? 0 : ret, "futex_waitv, short");
}

static void step(struct worker *w)
{
	static void (*const kinds[])(struct worker *, struct space *) = {
		wait_short, wait_short, wait_short, wake, wake, requeue, requeue, wake_op
	};
	uint32_t kind = rnd(w, 9);

	if (kind == 8)
		vector(w, &spaces[0]);
	else
		kinds[kind](w, &spaces[rnd(w, SPACES)]);
}

const struct activity cold = { "cold", 6, NULL, step, NULL, NULL };
