/* SPDX-License-Identifier: MIT */
/*
 * Torture: everything that the engine does, at once, by many threads of one
 * process, for as long as one likes.
 *
 * An activity is what some of the threads do: a file with a step that they
 * make over and over, and a line in leg.c. To add one: write the file, name
 * its struct below and in leg.c's list and meson.build.
 *
 * A step calls the engine, checks what can be checked, and counts. Whatever
 * is wrong is told by finding(), which ends the run with status 1. Waits go
 * through wait_on(), so that the watchdog knows who waits for what.
 *
 * A run: all threads start; after the seconds have passed they are told to
 * stop; those that still wait are waited for until each of them waits
 * rightly, that is on a word that has not changed; only then the activities'
 * stop() lets them go, and their check() makes up the accounts.
 */
#ifndef TESTS_TORTURE_TORTURE_H
#define TESTS_TORTURE_TORTURE_H

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <ufutex/domain.h>
#include <ufutex/futex.h>

#define PRIVATE(op) ((op) | UFX_FUTEX_PRIVATE)

/* What is counted; each name is one of the report's. */
#define COUNTS(X)                                                             \
	X(steps) X(waits) X(woken) X(changed) X(timeouts) X(interrupted)      \
	X(vectors) X(wakes) X(wakes_empty) X(threads_woken) X(requeues)       \
	X(threads_requeued) X(wake_ops) X(tokens_given) X(tokens_taken)       \
	X(tokens_said) X(tokens_got) X(tokens_extra) X(tokens_posted)         \
	X(mailed) X(collected) X(produced) X(consumed) X(broadcasts)          \
	X(requests) X(replacements) X(waiters_moved) X(scaled) X(domains)     \
	X(threads) X(clones) X(vforks) X(unregistered) X(forks)               \
	X(forks_nested) X(forks_in_handlers) X(signals) X(handlers)           \
	X(handlers_inside) X(handlers_clear) X(migrations) X(callbacks)       \
	X(barriers) X(cookies) X(grace_periods) X(objects_used)               \
	X(objects_replaced) X(objects_released) X(refs_used)                  \
	X(refs_refused) X(refs_killed) X(refs_switched) X(tables_freed)       \
	X(tables_reused) X(fallback_reads) X(age_read_0) X(age_read_1)        \
	X(age_read_more) X(age_slot_0) X(age_slot_1) X(age_slot_more)         \
	X(age_idle_0) X(age_idle_1) X(age_idle_more) X(age_table_0)           \
	X(age_table_1) X(age_table_more)

#define X(name) COUNT_##name,
enum count { COUNTS(X) COUNT_END };
#undef X

struct worker;

struct activity {
	const char *name;
	unsigned int weight; /* threads, of about 60 */
	void (*start)(void); /* before the first step; all but @step may be NULL */
	void (*step)(struct worker *w);
	void (*stop)(void);  /* lets go who waits, once */
	void (*check)(void); /* when all have ended */
};

/* The address spaces: the default domain, and some of our own. */
#define HOT 4
#define COLD 1024

struct condition {
	uint32_t word;    /* its sequence number */
	uint32_t watched; /* twice its broadcasts, + 1 while it holds */
};

struct space {
	const char *name;
	struct ufx_domain *domain; /* of any; the default one's too */
	bool is_default, fixed;
	uint32_t hot[HOT];    /* semaphores */
	uint32_t mailbox;     /* bits.c */
	uint32_t mutex, items; /* conditions.c */
	struct condition not_empty, not_full;
	uint32_t cold[COLD];
};

#define SPACES 4
extern struct space spaces[SPACES];
void spaces_open(void);
long space_futex(struct space *s, uint32_t *word, int op, uint32_t val,
		 const struct timespec *timeout, uint32_t *word2, uint32_t val3);

/* A worker may wait while these bits of this word are so. */
struct watch {
	const uint32_t *word;
	uint32_t expected, care;
};

/* What a worker waits for, for the watchdog. */
struct waiting {
	uint64_t number; /* odd: it waits */
	struct space *space;
	uint32_t *word;
	struct watch watch;
	int64_t until;           /* ms; INT64_MAX: for ever */
	const char *how;
};

enum worker_state { WORKER_FREE, WORKER_RUNS, WORKER_ENDED };

struct worker {
	const struct activity *activity;
	void (*once)(struct worker *w); /* instead of the activity's steps */
	unsigned int number;
	int state;
	pid_t tid;
	pthread_t thread;
	uint64_t random;
	int joins; /* waits for a thread or process that it made */
	struct waiting waiting;
	/* The watchdog's. */
	uint64_t seen, wrong_number;
	int64_t wrong_since, step_since;
	uint64_t steps_seen;
	uint64_t counts[COUNT_END];
} __attribute__((aligned(64)));

#define WORKERS 512
extern struct worker workers[WORKERS];
extern __thread struct worker *self; /* NULL in the main thread */
extern int stopping;
extern int in_child; /* a handler forked, and this is the child */

/* A thread; NULL if there are too many. @once NULL: steps until the end. */
struct worker *worker_start(const struct activity *a, void (*once)(struct worker *));
void worker_join(struct worker *w);
struct worker *worker_any(struct worker *w); /* one that runs, at random, or NULL */

static inline bool stopped(void)
{
	return __atomic_load_n(&stopping, __ATOMIC_RELAXED);
}

/* A number below @n. Not for handlers. */
static inline uint32_t rnd(struct worker *w, uint32_t n)
{
	w->random = w->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(w->random >> 33) % n;
}

/* Safe in handlers. */
static inline void count(enum count what, uint64_t n)
{
	if (self)
		__atomic_fetch_add(&self->counts[what], n, __ATOMIC_RELAXED);
}
uint64_t total(enum count what);
void total_add(enum count what, uint64_t n);

int64_t now_ms(void);
int64_t now_ns(void);
void nap_us(long us);

/* ---- calls (calls.c) ---- */

enum wait_kind { WAIT_PLAIN, WAIT_LONG, WAIT_BITS, WAIT_REAL, WAIT_TWO, WAIT_SHORT,
		 WAIT_KINDS };

/*
 * Waits on @word while its bits @care, a bitset's mask too, are those of
 * @expected. 0, -EAGAIN, -ETIMEDOUT, -EINTR; anything else is a finding.
 */
long wait_on(struct worker *w, struct space *s, uint32_t *word, uint32_t expected,
	     uint32_t care, enum wait_kind kind);
/* So, but the watchdog judges it by @watch. */
long wait_watched(struct worker *w, struct space *s, uint32_t *word, uint32_t expected,
		  uint32_t care, enum wait_kind kind, struct watch watch);
/* Up to @n; the result is within 0 and @n or a finding. Safe in handlers. */
long wake_up(struct space *s, uint32_t *word, int n, uint32_t mask);
void waiting_begin(struct worker *w, struct space *s, uint32_t *word,
		   struct watch watch, int64_t until, const char *how);
void waiting_end(struct worker *w);
/* Is a result one of a wait's? */
long wait_result(long ret, const char *how);

/* ---- tokens (semaphores.c), used by others too ---- */

void token_take(struct worker *w, struct space *s, uint32_t *word);
bool token_try(uint32_t *word);
/* @how below GIVES; 0 and 1 are safe in handlers. */
#define GIVES 6
void token_give(struct space *s, uint32_t *word, unsigned int how);
void token_carry(struct worker *w); /* takes one somewhere, gives it elsewhere */

/* ---- parts that meet others ---- */

void fork_child_check(void) __attribute__((noreturn)); /* forks.c */
void fork_judge(int status, const char *whose);
void objects_in_handler(void);                         /* objects.c */
void handlers_install(void);                           /* signals.c */
void tables_poison(void);                              /* tables.c */
void *watchdog(void *arg);                             /* watchdog.c */
bool watchdog_quiet(void);
void watchdog_show(void);
void crash_install(void);

/* ---- report.c ---- */

/* One line; the state of all workers; ends the process with status 1. */
void finding(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* More about it, to standard error. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern const char *const count_names[COUNT_END];

/* What the supervisor hands to the leg, in shared memory. */
struct totals {
	uint64_t counts[COUNT_END];
	char found[512]; /* the finding's line */
};
extern struct totals *totals;

/* ---- options.c ---- */

struct options {
	double seconds, leg;
	uint64_t seed;
	unsigned int shard, shards;
	unsigned int count; /* parts; 0: as the seconds say */
	unsigned int threads;
	unsigned int patience; /* seconds that a waiter may wait wrongly */
	const char *refs, *replace, *json, *fault, *only, *without;
	bool hold, quiet, both;
};
extern struct options options;
void options_read(int argc, char **argv);
bool option_lists(const char *list, const char *name);

/* ---- leg.c, supervise.c ---- */

void leg_run(uint64_t seed, double seconds) __attribute__((noreturn));
int supervise(void);

extern const struct activity semaphores, bits, conditions, cold, resizes, own_domains,
	signals, handler_forks, affinity, churn, clones, vforks, unregistered, forks,
	callbacks, objects, refs, read_ages, table_ages;

#endif
