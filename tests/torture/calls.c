// SPDX-License-Identifier: MIT
/* Waits and wakes whose results are checked, and that the watchdog sees. */
#include "torture.h"

int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * (int64_t)1000000000 + t.tv_nsec;
}

int64_t now_ms(void)
{
	return now_ns() / 1000000;
}

void nap_us(long us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&t, NULL);
	if (__builtin_expect(in_child, 0))
		fork_child_check();
}

void waiting_begin(struct worker *w, struct space *s, uint32_t *word,
		   struct watch watch, int64_t until, const char *how)
{
	struct waiting *x = &w->waiting;

	x->space = s;
	x->watch = watch;
	x->until = until;
	x->how = how;
	__atomic_store_n(&x->word, word, __ATOMIC_RELAXED);
	__atomic_store_n(&x->number, x->number + 1, __ATOMIC_SEQ_CST);
}

void waiting_end(struct worker *w)
{
	struct waiting *x = &w->waiting;

	__atomic_store_n(&x->number, x->number + 1, __ATOMIC_SEQ_CST);
}

long wait_result(long ret, const char *how)
{
	count(COUNT_waits, 1);
	switch (ret) {
	case 0:
		count(COUNT_woken, 1);
		break;
	case -EAGAIN:
		count(COUNT_changed, 1);
		break;
	case -ETIMEDOUT:
		count(COUNT_timeouts, 1);
		break;
	case -EINTR:
		count(COUNT_interrupted, 1);
		break;
	default:
		finding("a wait (%s) returns %ld", how, ret);
	}
	return ret;
}

static struct timespec in_future(clockid_t clock, int64_t ns)
{
	struct timespec t;

	clock_gettime(clock, &t);
	ns += t.tv_nsec;
	t.tv_sec += ns / 1000000000;
	t.tv_nsec = ns % 1000000000;
	return t;
}

static const char *const names[WAIT_KINDS] = {
	"WAIT", "WAIT 1000 s", "WAIT_BITSET until", "WAIT_BITSET until, real clock",
	"futex_wait", "WAIT, short"
};

static long call(struct space *s, uint32_t *word, uint32_t expected, uint32_t care,
		 enum wait_kind kind, int64_t ns)
{
	struct timespec t = { ns / 1000000000, ns % 1000000000 };
	int real = UFX_FUTEX_CLOCK_REALTIME;

	switch (kind) {
	case WAIT_LONG:
	case WAIT_SHORT:
		return space_futex(s, word, UFX_FUTEX_WAIT, expected, &t, NULL, 0);
	case WAIT_BITS:
		t = in_future(CLOCK_MONOTONIC, ns);
		return space_futex(s, word, UFX_FUTEX_WAIT_BITSET, expected, &t, NULL,
				   care);
	case WAIT_REAL:
		t = in_future(CLOCK_REALTIME, ns);
		return space_futex(s, word, UFX_FUTEX_WAIT_BITSET | real, expected, &t,
				   NULL, care);
	case WAIT_TWO:
		if (s->is_default) {
			long ret = ufx_futex_wait(word, expected, care,
						  UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE,
						  NULL, CLOCK_MONOTONIC);
			if (in_child)
				fork_child_check();
			return ret;
		}
		/* fall through */
	default:
		return space_futex(s, word, UFX_FUTEX_WAIT_BITSET, expected, NULL, NULL,
				   care);
	}
}

long wait_watched(struct worker *w, struct space *s, uint32_t *word, uint32_t expected,
		  uint32_t care, enum wait_kind kind, struct watch watch)
{
	int64_t ns = kind == WAIT_SHORT ? rnd(w, 1000000) : 1000000000000;
	bool timed = kind != WAIT_PLAIN && kind != WAIT_TWO;
	long ret;

	waiting_begin(w, s, word, watch, timed ? now_ms() + ns / 1000000 : INT64_MAX,
		      names[kind]);
	ret = call(s, word, expected, care, kind, ns);
	waiting_end(w);
	return wait_result(ret, names[kind]);
}

long wait_on(struct worker *w, struct space *s, uint32_t *word, uint32_t expected,
	     uint32_t care, enum wait_kind kind)
{
	struct watch watch = { word, expected, care };

	return wait_watched(w, s, word, expected, care, kind, watch);
}

long wake_up(struct space *s, uint32_t *word, int n, uint32_t mask)
{
	long ret = mask == UINT32_MAX ?
			   space_futex(s, word, UFX_FUTEX_WAKE, (uint32_t)n, NULL, NULL,
				       0) :
			   space_futex(s, word, UFX_FUTEX_WAKE_BITSET, (uint32_t)n, NULL,
				       NULL, mask);

	if (ret < 0 || ret > n)
		finding("a wake of %d returns %ld", n, ret);
	count(COUNT_wakes, 1);
	count(ret ? COUNT_threads_woken : COUNT_wakes_empty, ret ? (uint64_t)ret : 1);
	return ret;
}
