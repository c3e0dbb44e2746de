// SPDX-License-Identifier: MIT
/*
 * Threads that wait on several words each. A word is changed and woken; every
 * thread that has it among its words must notice, or hangs here.
 */
#include "tokens.h"

#define WORDS 24
#define SEATS 8
#define THREADS 8

static uint32_t words[WORDS];
static int stop;

struct seat {
	int word[SEATS], n;
	uint32_t seen[SEATS]; /* values, when it last looked */
};

static struct seat seats[THREADS];

static bool look(struct seat *s)
{
	bool changed = false;

	for (int i = 0; i < s->n; i++) {
		uint32_t value = __atomic_load_n(&words[s->word[i]],
						 __ATOMIC_SEQ_CST);

		changed |= value != s->seen[i];
		__atomic_store_n(&s->seen[i], value, __ATOMIC_SEQ_CST);
	}
	return changed;
}

static void watch(struct hammer *h)
{
	struct ufx_waitv_entry entries[SEATS];
	struct seat *s = &seats[h->number];
	struct timespec at;
	long ret;

	for (int i = 0; i < s->n; i++)
		entries[i] = (struct ufx_waitv_entry){
			s->seen[i], (uintptr_t)&words[s->word[i]],
			UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, 0
		};
	clock_gettime(CLOCK_MONOTONIC, &at);
	if (hammer_random(h, 4))
		at.tv_sec += 1000;
	else
		at.tv_nsec = (at.tv_nsec + 200000) % 1000000000;
	ret = ufx_futex_waitv(entries, (unsigned int)s->n, 0,
			      hammer_random(h, 2) ? &at : NULL, CLOCK_MONOTONIC);
	if (ret >= s->n || (ret < 0 && ret != -EAGAIN && ret != -ETIMEDOUT))
		bail("futex_waitv returns %ld", ret);
	if (ret >= 0)
		tokens_add(&tokens.got, 1);
	look(s);
	if (__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
		__atomic_store_n(&h->stop, 1, __ATOMIC_RELAXED);
}

/* Has everybody who watches word @w seen its value? */
static bool all_have_seen(int w)
{
	uint32_t value = words[w];

	for (int t = 0; t < THREADS; t++)
		for (int i = 0; i < seats[t].n; i++)
			if (seats[t].word[i] == w &&
			    __atomic_load_n(&seats[t].seen[i],
					    __ATOMIC_SEQ_CST) != value)
				return false;
	return true;
}

static void change(int w)
{
	long ret;

	__atomic_fetch_add(&words[w], 1, __ATOMIC_SEQ_CST);
	ret = ufx_futex(&words[w], PRIVATE(UFX_FUTEX_WAKE), INT32_MAX, NULL, NULL,
			0);
	if (ret < 0)
		bail("a wake returns %ld", ret);
	tokens_add(&tokens.said, ret);
}

static void storm(bool replace, int64_t ms)
{
	int64_t end = clock_ms() + ms;
	struct crew watchers = { 0 }, others = { 0 };
	struct hammer r = { .random = 5 };
	int i, t, rounds = 0;

	memset(&tokens, 0, sizeof(tokens));
	memset(seats, 0, sizeof(seats));
	memset(words, 0, sizeof(words));
	stop = 0;
	for (t = 0; t < THREADS; t++) {
		seats[t].n = 2 + t % (SEATS - 1);
		for (i = 0; i < seats[t].n; i++) /* the same one twice, too */
			seats[t].word[i] = (int)hammer_random(&r, WORDS);
		crew_add(&watchers, watch, NULL);
	}
	if (replace)
		crew_add(&others, replacer, NULL);
	for (; clock_ms() < end; rounds++) {
		int w = (int)hammer_random(&r, WORDS);

		change(w);
		while (!all_have_seen(w))
			sched_yield();
	}
	crew_stop(&others);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < WORDS; i++)
		change(i);
	crew_join(&watchers);
	ok(1, "%d changes%s: each is noticed by all who watch", rounds,
	   replace ? ", replaced" : "");
	ok(tokens.got <= tokens.said, "%ld waits ended by %ld wakes", tokens.got,
	   tokens.said);
	for (i = 0; i < WORDS; i++)
		if (ufx_futex(&words[i], PRIVATE(UFX_FUTEX_WAKE), 9, NULL, NULL,
			      0))
			break;
	is_int(i, WORDS, "nobody is left");
}

int main(void)
{
	storm(false, 300);
	storm(true, 400);
	return tap_end();
}
