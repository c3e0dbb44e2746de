// SPDX-License-Identifier: MIT
/* The sleepers of a sweep, used again and again. */
#include "sweep.h"

#include "hammer.h"

#ifdef __x86_64__

struct sleeper bell, first, second;
const struct timespec sweep_long_time = { 1000, 0 };

long sweep_wake(uint32_t *word, uint32_t n)
{
	return ufx_futex(word, PRIVATE(UFX_FUTEX_WAKE), n, NULL, NULL, 0);
}

static long sleep_on(struct sleeper *s, uint32_t *word)
{
	while (!__atomic_load_n(&s->stop, __ATOMIC_SEQ_CST)) {
		long ret = ufx_futex(word, PRIVATE(UFX_FUTEX_WAIT), 0,
				     &sweep_long_time, NULL, 0);

		if (ret)
			return ret;
		__atomic_fetch_add(&s->rings, 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

long sleep_on_own(void *arg)
{
	struct sleeper *s = arg;

	return sleep_on(s, &s->word);
}

long sleep_on_first(void *arg)
{
	return sleep_on(arg, &first.word);
}

uint32_t rings(const struct sleeper *s)
{
	return __atomic_load_n(&s->rings, __ATOMIC_SEQ_CST);
}

void asleep(struct sleeper *s)
{
	uint32_t now = 1 + __atomic_load_n(&s->rings, __ATOMIC_SEQ_CST);

	if (s->seen_asleep == now)
		return;
	s->seen_asleep = now;
	if (!blocked_wait(&s->thread))
		bail("a sleeper has left with %ld", s->thread.result);
}

bool comes_to(const struct sleeper *s, uint32_t value)
{
	int64_t end = clock_ms() + SOON_MS;

	while (rings(s) != value && clock_ms() < end)
		sched_yield();
	return rings(s) == value;
}

#endif
