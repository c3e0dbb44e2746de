// SPDX-License-Identifier: MIT
/*
 * Who spins before it sleeps, as the record of its thread counts; what it may
 * cost; handlers that come over it. The number of CPUs is pretended.
 */
#include "futex/spin.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>

#include "grace/mode.h"
#include "host/quota.h"
#include "host/sched.h"
#include "host/setting.h"
#include "tokens.h"

#define LONG_NS 4000000000u /* so nothing but what is tested ends it */

static uint32_t word;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* A wait that nobody ends; longer than what is too short to spin in. */
static void wait_in_vain(void)
{
	static const struct timespec two_ms = { 0, 2000000 };
	long ret = ufx_futex(&word, PRIVATE(UFX_FUTEX_WAIT), 0, &two_ms, NULL, 0);

	if (ret != -ETIMEDOUT)
		bail("a wait in vain: %ld", ret);
}

/* ---- who ---- */

struct who {
	const char *what;
	uint32_t cpus, quota, setting;
	int policy;
	bool spins, yields;
};

#define NONE UFX_QUOTA_NONE
#define AUTO UFX_SPIN_AUTO

static const struct who rows[] = {
	{ "two CPUs", 2, NONE, AUTO, SCHED_OTHER, true, true },
	{ "one CPU", 1, NONE, AUTO, SCHED_OTHER, false, true },
	{ "a quota of one", 4, 100, AUTO, SCHED_OTHER, false, true },
	{ "a quota of half a one", 4, 50, AUTO, SCHED_OTHER, false, true },
	{ "a quota of more than one", 4, 101, AUTO, SCHED_OTHER, true, true },
	{ "off", 4, NONE, 0, SCHED_OTHER, false, false },
	{ "1000 ns", 4, NONE, 1000, SCHED_OTHER, true, false },
	{ "1000 ns, one CPU", 1, NONE, 1000, SCHED_OTHER, false, false },
	{ "1000 ns, a quota of one", 4, 100, 1000, SCHED_OTHER, false, false },
	{ "batch", 4, NONE, AUTO, SCHED_BATCH, false, false },
	{ "idle", 4, NONE, AUTO, SCHED_IDLE, false, false },
	{ "fifo", 4, NONE, AUTO, SCHED_FIFO, false, false },
	{ "round robin", 4, NONE, AUTO, SCHED_RR, false, false },
	{ "1000 ns, batch", 4, NONE, 1000, SCHED_BATCH, false, false },
	{ "1000 ns, idle", 4, NONE, 1000, SCHED_IDLE, false, false },
	{ "1000 ns, fifo", 4, NONE, 1000, SCHED_FIFO, false, false },
};

static void *one_row(void *arg)
{
	const struct who *r = arg;
	bool real = r->policy == SCHED_FIFO || r->policy == SCHED_RR;
	struct ufx_thread *t = ufx_thread_self();
	uint32_t yields;

	if (sched_setscheduler(0, r->policy, &(struct sched_param){ real ? 3 : 0 })) {
		skip("not permitted", "%s", r->what);
		return NULL;
	}
	ufx_spin_prepare(t);
	yields = t->yield_credit;
	for (int i = 0; i < 2; i++) {
		t->spin_credit = UFX_SPIN_FIRST; /* it may have lost its CPU */
		wait_in_vain();
	}
	is_int(t->spins, r->spins ? 2 : 0, "%s: spins", r->what);
	ok((t->yield_credit != yields) == r->yields, "%s: %s", r->what,
	   r->yields ? "yields" : "does not yield");
	return NULL;
}

static void in_thread(void *(*run)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, arg) || pthread_join(thread, NULL))
		bail("no thread");
}

static void who_spins(void)
{
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ufx_sched_pretend(rows[i].cpus);
		ufx_quota_pretend(rows[i].quota);
		ufx_spin_set(rows[i].setting);
		in_thread(one_row, (void *)(uintptr_t)&rows[i]);
	}
	ufx_quota_pretend(NONE);
}

/* The class changes: noticed at the 65th wait from the last look. */
static void *changes_class(void *arg)
{
	struct ufx_thread *t = ufx_thread_self();
	uint32_t spins;

	(void)arg;
	for (int i = 0; i < 64; i++) {
		ufx_spin_prepare(t);
		t->looked = now_ns(); /* else it may look for that reason */
		if (!i)
			sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 });
	}
	spins = t->spins;
	wait_in_vain();
	is_int(t->spins, spins, "the class is looked at again after 64 waits");
	return NULL;
}

static void *changes_class_slowly(void *arg)
{
	struct ufx_thread *t = ufx_thread_self();

	(void)arg;
	wait_in_vain();
	is_int(t->spins, 1, "a thread spins");
	sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 });
	t->looked -= 101000000;
	wait_in_vain();
	is_int(t->spins, 1, "the class is looked at again after 100 ms");
	return NULL;
}

/* ---- a wait that need not sleep ---- */

static void *mismatch(void *arg)
{
	struct ufx_thread *t = ufx_thread_self();

	(void)arg;
	for (int i = 0; i < 10; i++)
		ufx_futex(&word, PRIVATE(UFX_FUTEX_WAIT), 1, NULL, NULL, 0);
	ok(!t->waits && !t->spins, "a wait that finds another value comes to nothing of it");
	return NULL;
}

/* ---- what it costs ---- */

/* Threads whose spins help, or not, by chance; on clocks of their own. */
#define THREADS 5
#define STEPS 200000

static void cost(unsigned int helps, const char *what)
{
	static uint64_t start = 1ull << 60; /* each on, as the process's tries are */
	struct ufx_thread threads[THREADS] = { 0 };
	uint64_t now = start, spun = 0, tried = 0, helped = 0, bound, random = 1;

	for (int i = 0; i < THREADS; i++)
		threads[i] = (struct ufx_thread){ .cpus = 4, .spin_credit = UFX_SPIN_FIRST };
	for (int step = 0; step < STEPS; step++) {
		struct ufx_thread *t = &threads[step % THREADS];
		bool tries, good;
		uint32_t ns;

		random = random * 6364136223846793005ull + 1442695040888963407ull;
		good = (random >> 33) % 100 < helps;
		now += (random >> 40) % 30000;
		ns = ufx_spin_allowed(t, now, &tries);
		if (!ns)
			continue;
		if (good)
			ns = (uint32_t)(random >> 44) % ns;
		ufx_spin_learn(t, tries, ns, good);
		now += ns;
		helped += good;
		spun += tries ? 0 : ns;
		tried += tries ? ns : 0;
	}
	bound = THREADS * UFX_SPIN_FIRST + helped * UFX_SPIN_NS;
	ok(spun <= bound, "%s: spun %llu us, the bound is %llu", what,
	   (unsigned long long)spun / 1000, (unsigned long long)bound / 1000);
	bound = (now - start) / 64 + UFX_SPIN_TRY_NS;
	ok(tried <= bound && tried, "%s: tries took %llu us, the bound is %llu", what,
	   (unsigned long long)tried / 1000, (unsigned long long)bound / 1000);
	start = now + UFX_SPIN_TRY_EVERY;
}

/* New threads learn from those before them. */
static void newcomers(void)
{
	struct ufx_thread t[8] = { 0 };
	unsigned int spun = 0;

	for (int i = 0; i < 8; i++) {
		ufx_spin_prepare(&t[i]);
		t[i].cpus = 2;
		spun += t[i].spin_credit >= UFX_SPIN_NS;
		while (t[i].spin_credit >= UFX_SPIN_NS)
			ufx_spin_learn(&t[i], false, UFX_SPIN_NS, false);
	}
	ok(spun && spun < 4, "%u of 8 threads have a credit to spin in vain", spun);
	ufx_spin_learn(&t[7], true, UFX_SPIN_NS, true);
	t[0] = (struct ufx_thread){ 0 };
	ufx_spin_prepare(&t[0]);
	is_int(t[0].spin_credit, UFX_SPIN_FIRST, "until a spin helps");
}

/* How many threads may spin at a time, on @cpus? */
static void places(uint32_t cpus, int expected)
{
	uint64_t now = now_ns() + 60000000000, end = now + 1000, *place[32], *last = NULL;
	int n = 0;

	while (n < 32 && (place[n] = ufx_spin_enter(cpus, now, end)))
		n++;
	is_int(n, expected, "%u CPUs: %d spin at a time", cpus, n);
	ufx_spin_leave(place[0], end);
	last = ufx_spin_enter(cpus, now, end);
	ok(last && !ufx_spin_enter(cpus, now, end), "one leaves, another comes");
	ok(!!ufx_spin_enter(cpus, end, end), "whose time is over has left");
	ufx_spin_leave(last, end - 1);
	ok(!ufx_spin_enter(cpus, now, end), "who comes late takes no other's place away");
	for (int i = 0; i < n; i++)
		ufx_spin_leave(place[i], end);
}

static void *never_helped(void *arg)
{
	struct ufx_thread *t = ufx_thread_self();
	uint64_t begin = now_ns(), tries;

	(void)arg;
	for (int i = 0; i < 40; i++)
		wait_in_vain();
	tries = (now_ns() - begin) / UFX_SPIN_TRY_EVERY + 2;
	ok(t->spins <= tries + 4 && !t->spins_helped, "40 waits in vain: %u spins", t->spins);
	return NULL;
}

/* ---- a change ends it, and so do handlers ---- */

static sigjmp_buf landing;
static int over_spin, interrupted, leaves, changes, forks;
static pid_t child;

static void handler(int sig)
{
	struct ufx_thread *t = ufx_thread_self();

	(void)sig;
	over_spin = t->blocked && !t->lines_used;
	if (!over_spin)
		return;
	if (forks)
		child = _Fork();
	if (changes && !child) {
		__atomic_store_n(&word, 1, __ATOMIC_RELEASE);
		return;
	}
	interrupted = ufx_futex_interrupt(false);
	if (interrupted && leaves)
		siglongjmp(landing, 1);
}

/* Sends itself signals by a timer until one comes while it spins. */
static long wait_with_handler(void)
{
	static const struct timespec short_time = { 0, 3000000 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec at = { .it_value = { 0, 300000 } };
	timer_t timer;
	long ret = 0;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		bail("timer_create: %s", strerror(errno));
	while (!over_spin) {
		if (sigsetjmp(landing, 1)) {
			ret = 1;
			break;
		}
		timer_settime(timer, 0, &at, NULL);
		ret = ufx_futex(&word, PRIVATE(UFX_FUTEX_WAIT), 0, &short_time, NULL, 0);
	}
	timer_delete(timer);
	return ret;
}

static void with_handler(const char *what, int leave, int change, long expected)
{
	struct ufx_thread *t = ufx_thread_self();
	uint64_t begin = now_ns();
	long ret;

	over_spin = interrupted = 0;
	leaves = leave;
	changes = change;
	ret = wait_with_handler();
	ok(now_ns() - begin < LONG_NS / 2, "%s: a handler came over a spin and ended it",
	   what);
	is_int(ret, expected, "%s: what the wait returned", what);
	ok(!t->blocked && !t->lines_used, "%s: the thread is in no wait", what);
	__atomic_store_n(&word, 0, __ATOMIC_RELEASE);
}

static void handlers(void)
{
	struct sigaction action = { .sa_handler = handler };

	sigaction(SIGUSR1, &action, NULL);
	ufx_sched_pretend(2);
	ufx_spin_set(LONG_NS);
	ufx_thread_self()->looked = 0;
	with_handler("it changes the word", 0, 1, -EAGAIN);
	with_handler("it ends the wait", 0, 0, -EINTR);
	with_handler("it leaves", 1, 0, 1);
	ok(interrupted, "they held up nobody");
}

/* The child has no record: its wait ends, and the next one is as any other. */
static void fork_in_handler(void)
{
	int status = 0;
	long ret;

	over_spin = leaves = 0;
	forks = changes = 1;
	ret = wait_with_handler();
	ufx_spin_set(AUTO);
	__atomic_store_n(&word, 0, __ATOMIC_RELEASE);
	if (!child) {
		wait_in_vain();
		_exit(ret == -EAGAIN && !ufx_thread_self()->blocked ? 7 : 1);
	}
	is_int(ret, -EINTR, "it forks: the parent's wait is ended");
	waitpid(child, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 7, "the child's by its change");
}

int main(void)
{
	ufx_grace_start(); /* if there is no constructor */
	who_spins();
	ufx_sched_pretend(2);
	ufx_spin_set(AUTO);
	in_thread(changes_class, NULL);
	in_thread(changes_class_slowly, NULL);
	in_thread(mismatch, NULL);
	in_thread(never_helped, NULL);
	places(2, 2);
	places(3, 2);
	places(8, 4);
	places(4096, 16);
	cost(0, "spinning never helps");
	cost(1, "seldom");
	cost(50, "every other time");
	newcomers();
	handlers();
	fork_in_handler();
	return tap_end();
}
