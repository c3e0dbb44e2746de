/* SPDX-License-Identifier: MIT */
/*
 * The harness of `ufutex bench`.
 *
 * A benchmark has subjects: the library, and what it is measured against. They
 * are measured in short rounds, in turn (A B A B), so that whatever drifts in
 * the machine meets all of them alike; each turn gives one pair for every two
 * subjects. Figures are medians over the turns. A round in which the machine
 * was taken away from us (steal, run delay) is measured again.
 *
 * Files: main.c the command; harness.c turns and rounds; workers.c pinned
 * threads; disturb.c steal and run delay; stats.c medians and intervals;
 * report.c table and JSON; sleepers.c threads that are proven asleep; one file
 * a benchmark or a family of them.
 */
#ifndef UFUTEX_BENCH_H
#define UFUTEX_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <jansson.h>

struct ufx_domain;

#define BENCH_MAX_SUBJECTS 20
#define BENCH_MAX_COMPARISONS 32
#define BENCH_MAX_NOTES 16
#define BENCH_MAX_THREADS 256
#define BENCH_MIN_PAIRS 21
#define BENCH_MAX_PAIRS 1001
#define BENCH_CACHE_LINE 64
#define BENCH_WORDS 1024 /* a thread */

struct bench_options {
	unsigned int threads;  /* 0: the benchmark's own default */
	unsigned int sleepers; /* 0: the benchmark's own default */
	double seconds;        /* 0: the benchmark's own default */
	const char *against;   /* NULL: everything */
	bool load;
	bool json;
};

/* ---- rounds ----------------------------------------------------------- */

/* What one round found. */
struct bench_sample {
	double ns;          /* a thread's time for one operation */
	double ops;         /* operations of all threads in a second */
	uint64_t delay_ns;  /* our threads were runnable and did not run */
	uint64_t thread_ns; /* of so much of their time */
};

struct bench_worker {
	unsigned int index;
	int schedstat; /* this thread's, or -1 */
};

/*
 * Either @loop, which does @n operations in one of `threads` pinned threads;
 * or @round, which measures for about @ns as it likes and returns 0 or -errno.
 */
struct bench_subject {
	const char *name;
	const char *variant; /* pairs are made within one variant; or NULL */
	const char *missing; /* why this one cannot be measured here; or NULL */
	void (*loop)(struct bench_worker *worker, void *arg, uint64_t n);
	void (*enter)(struct bench_worker *worker); /* around a thread's loops */
	void (*leave)(struct bench_worker *worker);
	int (*round)(void *arg, uint64_t ns, struct bench_sample *sample);
	void *arg;
	unsigned int threads; /* of @loop; 0: what was asked for */
	bool always;          /* measured whatever --against says */
	bool own;             /* another form of the library: not compared */
	uint64_t chunk;       /* harness: operations between looks at the clock */
	struct bench_sample *samples; /* harness: one a turn */
};

/* How many times faster @of is than @against. */
struct bench_comparison {
	const struct bench_subject *of, *against;
	double ratio, low, high; /* median, and its 95 % interval */
};

struct bench_run {
	const struct bench *bench;
	struct bench_options options;
	unsigned int threads;

	struct bench_subject subjects[BENCH_MAX_SUBJECTS];
	unsigned int nsubjects;

	unsigned int turns;     /* planned; so many pairs */
	uint64_t round_ns;
	unsigned int repeated;  /* rounds measured again */
	unsigned int kept;      /* disturbed rounds that count all the same */
	bool ignore_delay;      /* run delay belongs to what is measured */
	bool no_repeats;        /* so does every disturbance */
	struct bench_sample *syscall; /* a bare system call, one a turn */

	struct bench_comparison comparisons[BENCH_MAX_COMPARISONS];
	unsigned int ncomparisons;

	json_t *extra;          /* more fields of the object */
	char *notes[BENCH_MAX_NOTES]; /* more lines under the table */
	unsigned int nnotes;
};

struct bench {
	const char *name;
	const char *what;      /* one line */
	const char *operation; /* what one operation is, for the table */
	double seconds;        /* how long by default */
	double load_seconds;   /* the same with --load */
	unsigned int threads;  /* how many by default */
	bool takes_threads, takes_sleepers, takes_load;
	const char *const *against; /* names that --against knows, NULL at the end */
	int (*run)(struct bench_run *run); /* 0 or -errno */
};

extern const struct bench bench_hash, bench_hash_bucket, bench_wake_empty,
	bench_wake, bench_requeue, bench_pingpong, bench_mutex, bench_cond,
	bench_ref, bench_grace,
	bench_resize, bench_pin_cost, bench_domains, bench_wasm, bench_fibers;

/* ---- harness.c -------------------------------------------------------- */

/* Adds a subject; NULL where --against leaves it out. */
struct bench_subject *bench_add(struct bench_run *run,
				const struct bench_subject *subject);

/* Measures all that was added, and compares "ufutex" with all others. */
int bench_measure(struct bench_run *run);

/* One more comparison, for after bench_measure. */
void bench_compare(struct bench_run *run, const struct bench_subject *of,
		   const struct bench_subject *against);

/* The subject of that name and variant that has been measured, or NULL. */
struct bench_subject *bench_find(struct bench_run *run, const char *name,
				 const char *variant);

/* Median over the turns of @of's time less @less's time, and its interval. */
void bench_difference(struct bench_run *run, const struct bench_subject *of,
		      const struct bench_subject *less, double out[3]);

double bench_median_ns(const struct bench_run *run,
		       const struct bench_subject *subject);
double bench_median_ops(const struct bench_run *run,
			const struct bench_subject *subject);

/* ---- report.c --------------------------------------------------------- */

/* A line under the table. */
void bench_note(struct bench_run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A field of the JSON object; takes the reference to @value. */
void bench_field(struct bench_run *run, const char *name, json_t *value);

/* The whole report on standard output; 0 or -errno. */
int bench_report(struct bench_run *run);

/* ---- workers.c -------------------------------------------------------- */

unsigned int bench_cpus(void);      /* that we may run on */
void bench_pin(unsigned int index); /* the calling thread, to one of them */
void bench_unpin(void);

int bench_workers_start(unsigned int n);
void bench_workers_stop(void);

/* Has the first @n workers run @fn; they begin together. */
void bench_workers_begin(unsigned int n,
			 void (*fn)(struct bench_worker *worker, void *arg),
			 void *arg);
void bench_workers_begun(void); /* returns when all have begun */
void bench_workers_end(void);   /* returns when all have ended */

/* ---- disturb.c -------------------------------------------------------- */

int bench_schedstat_open(void);            /* of the calling thread; or -1 */
uint64_t bench_schedstat_delay(int fd);    /* ns so far */
uint64_t bench_steal_ns(void);             /* of all CPUs so far */
uint64_t bench_now(void);

/* The calling thread's run delay between begin and end, into @sample. */
struct bench_watch {
	int fd;
	uint64_t delay, start;
};
void bench_watch_begin(struct bench_watch *watch);
void bench_watch_end(struct bench_watch *watch, struct bench_sample *sample);

/* ---- stats.c ---------------------------------------------------------- */

/* Sorts @values. Median and its 95 % interval by order statistics. */
void bench_median(double *values, unsigned int n, double out[3]);
/* @values sorted; @p from 0 to 1. */
double bench_quantile(const double *values, unsigned int n, double p);
void bench_sort(double *values, unsigned int n);

/* ---- sides.c: the same calls on the engine and in the kernel ----------- */

struct bench_side {
	const char *name;
	long (*wait)(void *ctx, uint32_t *word, uint32_t val);
	long (*wake)(void *ctx, uint32_t *word, int n);
	long (*requeue)(void *ctx, uint32_t *from, uint32_t *to, uint32_t val);
	void *ctx;
};

extern const struct bench_side bench_side_ufutex, bench_side_kernel;
/* The engine on a domain of its own. */
struct bench_side bench_side_domain(const char *name, struct ufx_domain *domain);

/* ---- bare.c: calls of the same shape that do nearly nothing ------------ */

/* Loads and compares the word: what every futex call has to do. */
long bench_bare_futex(uint32_t *uaddr, int op, uint32_t val,
		      const struct timespec *timeout, uint32_t *uaddr2,
		      uint32_t val3);
long bench_bare_probe(struct ufx_domain *domain, uint32_t *word,
		      uint32_t expected);

/* ---- sleepers.c ------------------------------------------------------- */

struct bench_sleepers;

/*
 * @n threads that wait through @side: on one word, or each on its own. @cpu is
 * where they run, -1 for anywhere.
 */
struct bench_sleepers *bench_sleepers_start(const struct bench_side *side,
					    unsigned int n, bool one_word,
					    int cpu);
uint32_t *bench_sleepers_word(struct bench_sleepers *pool, unsigned int i);
/*
 * Returns 0 when the kernel says of every thread that it sleeps in a futex
 * call, begun after it last saw its word change; -ETIMEDOUT after 10 s.
 */
int bench_sleepers_settle(struct bench_sleepers *pool);
/* Changes the word or words; then they must be woken. */
void bench_sleepers_advance(struct bench_sleepers *pool);
/* Ends them, also those that wait on @elsewhere (may be NULL). */
void bench_sleepers_stop(struct bench_sleepers *pool, uint32_t *elsewhere);

/* ---- wake.c: waking sleepers, lap by lap -------------------------------- */

struct bench_laps {
	struct bench_sleepers *pool;
	const struct bench_side *side;
	unsigned int n;       /* sleepers in the pool */
	bool many, apart;     /* a call for each; the waker has a CPU of its own */
	unsigned int *missed; /* laps in which not all were woken */
};

/* Of a subject; @arg is a struct bench_laps. The time is the waker's. */
int bench_laps_round(void *arg, uint64_t ns, struct bench_sample *sample);

/* ---- pingpong.c: two threads that hand a word over ----------------------- */

#define BENCH_TURNS_WORKERS 4 /* threads that its subject asks for */

struct bench_turns {
	const struct bench_side *side;
	bool one_cpu;
	uint64_t ns;
	struct bench_sample *sample;
	struct {
		uint32_t turn;
	} __attribute__((aligned(BENCH_CACHE_LINE))) word;
};

/* Of a subject; @arg is a struct bench_turns. */
int bench_turns_round(void *arg, uint64_t ns, struct bench_sample *sample);

/* ---- urcu.c: liburcu's memb flavour, inlined; may not be built ---------- */

extern const char *const bench_urcu_missing; /* NULL if it is here */
void bench_urcu_enter(struct bench_worker *worker);
void bench_urcu_leave(struct bench_worker *worker);
void bench_urcu_loop(struct bench_worker *worker, void *arg, uint64_t n);
void bench_urcu_synchronize(void);

/* ---- slots.c: the kernel's table, in a child process -------------------- */

struct bench_slots_child;

const char *bench_slots_missing(void); /* why there is none; or NULL */
/* With @nsleepers threads asleep; replaces by the first and second size. */
struct bench_slots_child *bench_slots_start(unsigned int nsleepers,
					    const uint32_t sizes[2]);
int bench_slots_round(void *child, uint64_t ns, struct bench_sample *sample);
void bench_slots_stop(struct bench_slots_child *child);

/* ---- steps.c ---------------------------------------------------------- */

/*
 * Instructions of one call of @op(@arg) in a forked child, counted by single
 * steps after @setup and some calls to warm up; -errno if that cannot be done.
 */
long bench_count_instructions(void *(*setup)(void *arg), void (*op)(void *made),
			      void *arg);

/* ---- resize-load.c ----------------------------------------------------- */

int bench_resize_load(struct bench_run *run);

#endif
