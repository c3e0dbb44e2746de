// SPDX-License-Identifier: MIT
/*
 * R11: an operation in a signal handler never waits for anything that its own
 * thread may hold. A wake is posted and carried out by the interrupted frame
 * once it has left its critical section, and returns 0; a wait returns -EINTR,
 * a requeue -EAGAIN.
 */
#include <ufutex/futex.h>

#include "futex/wake.h"

#include "blocked.h"
#include "hammer.h"
#include "rule.h"

#define PRIVATE(op) ((op) | UFX_FUTEX_PRIVATE)
#define SLEEPERS 40 /* more than one page of posted wakes */

static struct ufx_domain *domain;
static uint32_t words[SLEEPERS];

static long wake(uint32_t *word, uint32_t n)
{
	return ufx_futex(word, PRIVATE(UFX_FUTEX_WAKE), n, NULL, NULL, 0);
}

/* A timed wait: it sleeps on a word of the engine's own only. */
static long wait_on(void *word)
{
	static const struct timespec long_time = { 1000, 0 };

	return ufx_futex(word, PRIVATE(UFX_FUTEX_WAIT), 0, &long_time, NULL, 0);
}

/* ---- what the handler does ---- */

static void (*action)(void);

static void handler(int sig)
{
	(void)sig;
	action();
}

static void in_handler(void (*what)(void))
{
	action = what;
	raise(SIGUSR1);
}

/* ---- the places where a handler may come in ---- */

struct inside {
	const char *where;
	void (*enter)(struct ufx_place *place);
	void (*leave)(struct ufx_place *place);
};

static void enter_bucket(struct ufx_place *place)
{
	ufx_place_lock(domain, (uintptr_t)&words[0], 0, place);
}

static void leave_bucket(struct ufx_place *place)
{
	ufx_place_unlock(place, 0);
}

static void enter_twice(struct ufx_place *place)
{
	ufx_enter_inside();
	enter_bucket(place);
}

static void leave_twice(struct ufx_place *place)
{
	leave_bucket(place);
	ufx_leave_inside();
}

static const struct inside insides[] = {
	{ "in the lock of its bucket", enter_bucket, leave_bucket },
	{ "in two critical sections", enter_twice, leave_twice },
};

#define INSIDES (sizeof(insides) / sizeof(insides[0]))

/* ---- wakes are posted ---- */

static struct blocked sleepers[SLEEPERS];
static int many; /* words or sleepers used */
static long results[SLEEPERS];

static void sleep_on(int i, uint32_t *word)
{
	blocked_start(&sleepers[i], wait_on, word, NULL);
	if (!blocked_wait(&sleepers[i]))
		bail("a sleeper does not sleep");
}

static void wake_one(void)
{
	results[0] = wake(&words[0], 1);
}

static void one_wake(const struct inside *at)
{
	struct ufx_place place;

	sleep_on(0, &words[0]);
	at->enter(&place);
	in_handler(wake_one);
	is_int(results[0], 0, "%s: a wake returns 0", at->where);
	at->leave(&place);
	is_int(blocked_join(&sleepers[0]), 0, "and is carried out after it");
}

static void wake_each(void)
{
	for (int i = 0; i < many; i++)
		results[i] = wake(&words[i], 1);
}

/* On one word each; and all on one word. */
static void many_wakes(bool one_word)
{
	struct ufx_place place;
	int i, wrong = 0;

	many = SLEEPERS;
	for (i = 0; i < many; i++)
		sleep_on(i, one_word ? &words[0] : &words[i]);
	enter_bucket(&place);
	if (one_word)
		for (i = 0; i < many; i++)
			in_handler(wake_one);
	else
		in_handler(wake_each);
	leave_bucket(&place);
	for (i = 0; i < many; i++)
		wrong += blocked_join(&sleepers[i]) != 0;
	is_int(wrong, 0, "%d wakes %s are all carried out", many,
	       one_word ? "of one word" : "of as many words");
}

/* Two sleep, one is woken: the other must not be. */
static void no_more_than_asked(void)
{
	struct ufx_place place;

	sleep_on(0, &words[0]);
	sleep_on(1, &words[0]);
	enter_bucket(&place);
	in_handler(wake_one);
	leave_bucket(&place);
	is_int(blocked_next(sleepers, 2), 0, "the first of two is woken");
	ok(blocked_wait(&sleepers[1]), "the other one sleeps on");
	is_int(wake(&words[0], 2), 1, "until somebody wakes it");
	blocked_join(&sleepers[0]);
	blocked_join(&sleepers[1]);
}

static void wake_op(void)
{
	/* words[1] = 5, if it was 0 wake it too */
	results[0] = ufx_futex(&words[0], PRIVATE(UFX_FUTEX_WAKE_OP), 1,
			       (const struct timespec *)1, &words[1], 5 << 12);
}

static void wakes_with_operation(void)
{
	struct ufx_place place;

	sleep_on(0, &words[0]);
	sleep_on(1, &words[1]);
	enter_bucket(&place);
	in_handler(wake_op);
	is_int(results[0], 0, "WAKE_OP returns 0");
	is_int(words[1], 5, "its operation is done at once");
	leave_bucket(&place);
	is_int(blocked_join(&sleepers[0]), 0, "the first word's wake after it");
	is_int(blocked_join(&sleepers[1]), 0, "and the second's");
	words[1] = 0;
}

static void mask_wakes(void)
{
	ufx_futex(&words[0], PRIVATE(UFX_FUTEX_WAKE_BITSET), 1, NULL, NULL, 4);
	ufx_futex(&words[0], PRIVATE(UFX_FUTEX_WAKE_BITSET), 1, NULL, NULL, 2);
}

static long wait_bit(void *mask)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += 1000;
	return ufx_futex(&words[0], PRIVATE(UFX_FUTEX_WAIT_BITSET), 0, &at, NULL,
			 *(uint32_t *)mask);
}

static void masks(void)
{
	static uint32_t bits[3] = { 1, 2, 4 };
	struct ufx_place place;

	for (int i = 0; i < 3; i++) {
		blocked_start(&sleepers[i], wait_bit, &bits[i], NULL);
		blocked_wait(&sleepers[i]);
	}
	enter_bucket(&place);
	in_handler(mask_wakes);
	leave_bucket(&place);
	is_int(blocked_join(&sleepers[1]), 0, "posted wakes keep their masks");
	is_int(blocked_join(&sleepers[2]), 0, "each");
	ok(blocked_wait(&sleepers[0]), "who has another bit sleeps on");
	wake(&words[0], 1);
	blocked_join(&sleepers[0]);
}

/* ---- waits and requeues are refused ---- */

static long got[8];

static void try_all(void)
{
	static const struct timespec soon = { 0, 1000 };
	struct ufx_waitv_entry entries[2] = {
		{ 0, (uintptr_t)&words[0], UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, 0 },
		{ 0, (uintptr_t)&words[1], UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, 0 },
	};

	got[0] = ufx_futex(&words[0], PRIVATE(UFX_FUTEX_WAIT), 0, NULL, NULL, 0);
	got[1] = ufx_futex(&words[1], PRIVATE(UFX_FUTEX_WAIT), 0, &soon, NULL, 0);
	got[2] = ufx_futex_waitv(entries, 2, 0, NULL, CLOCK_MONOTONIC);
	got[3] = ufx_futex(&words[0], PRIVATE(UFX_FUTEX_REQUEUE), 1,
			   (const struct timespec *)1, &words[1], 0);
	got[4] = ufx_futex(&words[0], PRIVATE(UFX_FUTEX_CMP_REQUEUE), 1,
			   (const struct timespec *)1, &words[1], 0);
	got[5] = ufx_futex_requeue(entries, 0, 1, 1);
	got[6] = ufx_futex(&words[0], PRIVATE(UFX_FUTEX_WAIT), 1, NULL, NULL, 0);
	got[7] = wake(&words[5], 1);
}

static void refused(const struct inside *at)
{
	static const struct {
		const char *what;
		long want;
	} rows[] = {
		{ "a wait", -EINTR },
		{ "a timed wait", -EINTR },
		{ "futex_waitv", -EINTR },
		{ "REQUEUE", -EAGAIN },
		{ "CMP_REQUEUE", -EAGAIN },
		{ "futex_requeue", -EAGAIN },
		{ "a wait whose word differs", -EAGAIN },
		{ "a wake of nobody", 0 },
	};
	struct ufx_place place;
	size_t i;

	sleep_on(0, &words[0]);
	at->enter(&place);
	in_handler(try_all);
	at->leave(&place);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is_int(got[i], rows[i].want, "%s: %s", at->where, rows[i].what);
	ok(blocked_wait(&sleepers[0]), "the sleeper has not been touched");
	is_int(wake(&words[0], 1), 1, "it is woken by an ordinary wake");
	blocked_join(&sleepers[0]);
}

/* ---- handlers at any instruction ---- */

static uint32_t token;
static int given, handled, taken;

static long take_tokens(void *arg)
{
	(void)arg;
	for (;;) {
		uint32_t value = __atomic_load_n(&token, __ATOMIC_SEQ_CST);

		if (value == 2)
			return taken;
		if (value == 1) {
			__atomic_store_n(&token, 0, __ATOMIC_SEQ_CST);
			__atomic_store_n(&taken, taken + 1, __ATOMIC_SEQ_CST);
			continue;
		}
		wait_on(&token);
	}
}

static void give(int sig)
{
	(void)sig;
	__atomic_store_n(&token, 1, __ATOMIC_SEQ_CST);
	wake(&token, 1);
	__atomic_store_n(&handled, handled + 1, __ATOMIC_SEQ_CST);
}

/*
 * Sends a signal to the main thread each time the taker sleeps: its wake may
 * not be lost, wherever the main thread is.
 */
static long send_signals(void *main_thread)
{
	struct blocked b;
	int i;

	blocked_start(&b, take_tokens, NULL, NULL);
	for (i = 0; i < 300 && blocked_wait(&b); i++) {
		given++;
		pthread_kill(*(pthread_t *)main_thread, SIGUSR2);
		wait_until(&taken, given);
	}
	__atomic_store_n(&token, 2, __ATOMIC_SEQ_CST);
	wake(&token, 1);
	return blocked_join(&b);
}

static void at_any_instruction(void)
{
	struct sigaction act = { .sa_handler = give, .sa_flags = SA_RESTART };
	pthread_t self = pthread_self();
	struct blocked sender;

	sigaction(SIGUSR2, &act, NULL);
	ufx_test_delay = rule_faulty() ? 20000 : 200;
	blocked_start(&sender, send_signals, &self, NULL);
	while (!blocked_ended(&sender)) {
		ufx_domain_touch(domain, (uintptr_t)&token);
		/* Without a further operation of ours; a lost one hangs here. */
		wait_until(&taken, __atomic_load_n(&handled, __ATOMIC_SEQ_CST));
	}
	is_int(blocked_join(&sender), given, "each of %d wakes out of handlers "
	       "has been carried out", given);
}

/* ---- the domain's lock keeps handlers out ---- */

static int came;

static void comes(void)
{
	came++;
}

static void deferred(void)
{
	sigset_t before = { 0 }, after = { 0 };

	sigprocmask(SIG_SETMASK, NULL, &before);
	ufx_domain_lock(domain);
	in_handler(comes);
	is_int(came, 0, "no handler runs in the domain's lock");
	ufx_domain_unlock(domain);
	if (UFX_TSAN)
		skip("the sanitizer runs handlers later", "but right after it");
	else
		is_int(came, 1, "but right after it");
	sigprocmask(SIG_SETMASK, NULL, &after);
	ok(!memcmp(&before, &after, sizeof(after)), "and the signal mask is as before");
}

int main(void)
{
	struct sigaction act = { .sa_handler = handler };
	size_t i;

	rule_start();
	sigaction(SIGUSR1, &act, NULL);
	wake(&words[0], 1);
	domain = ufx_domain_default();
	for (i = 0; i < INSIDES; i++)
		one_wake(&insides[i]);
	many_wakes(false);
	many_wakes(true);
	no_more_than_asked();
	wakes_with_operation();
	masks();
	for (i = 0; i < INSIDES; i++)
		refused(&insides[i]);
	deferred();
	at_any_instruction();
	return tap_end();
}
