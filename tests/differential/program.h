/* SPDX-License-Identifier: MIT */
/*
 * Random programs of futex operations, run on the kernel and on the engine.
 *
 * A program is a list of steps. A director (run.c) tells one thread at a time
 * what to do, and goes on when every thread has returned from its call or is
 * seen asleep in it. So the outcome is determined, and the two sides must have
 * the same. What would not be determined is not generated: model.c refuses it,
 * README lists it.
 */
#ifndef TESTS_DIFFERENTIAL_H
#define TESTS_DIFFERENTIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "subject.h"

#define THREADS 6
#define WORDS 4
#define STEPS 40
#define GIVEN 4     /* different entries of a futex_waitv */
#define ENTRIES 128

enum call {
	CALL_WAIT,
	CALL_WAIT_BITSET,
	CALL_WAKE,
	CALL_WAKE_BITSET,
	CALL_REQUEUE,
	CALL_CMP_REQUEUE,
	CALL_WAKE_OP,
	CALL_WAITV,
	CALL_WAKE2, /* futex_wake and so on */
	CALL_WAIT2,
	CALL_REQUEUE2,
	CALLS
};

enum timeout {
	TIMEOUT_NONE,
	TIMEOUT_PAST,
	TIMEOUT_FAR,
	TIMEOUT_EXPIRES, /* at the deadline of that number */
	TIMEOUTS
};

/* One argument that makes the call an error without an effect. */
enum wrong {
	RIGHT,
	WRONG_ODD,      /* a word that is not aligned */
	WRONG_NULL,     /* the first word is nowhere */
	WRONG_MASK,     /* no bit */
	WRONG_NSEC,     /* a timeout that is none */
	WRONG_POINTER,  /* a timeout, or a list, that is nowhere */
	WRONG_NEGATIVE, /* a count */
	WRONG_FLAGS,
	WRONG_LARGE,    /* a value or mask of more than 32 bits */
	WRONG_CLOCK,
	WRONG_COUNT,    /* of entries */
	WRONG_ENTRY,    /* reserved, or flags that differ */
	WRONGS
};

struct op {
	enum call call;
	enum wrong wrong;
	enum timeout timeout;
	bool second;   /* @wrong is about the second word, or the other kind */
	bool realtime; /* the clock */
	uint8_t word, word2;
	uint8_t given, deadline;
	uint32_t val, mask, encoded;
	int nr, nr2;   /* counts; @nr of WAITV: how many entries */
	struct {
		uint8_t word;
		uint32_t val;
	} entry[GIVEN]; /* entry i of a WAITV is the one at i % given */
};

enum step_kind {
	STEP_CALL,   /* a thread makes a call */
	STEP_SIGNAL, /* a sleeping one gets a signal */
	STEP_EXPIRE, /* a sleeping one's timeout comes */
	STEP_STORE,  /* the director stores */
	STEP_SET,    /* the number of slots */
	STEP_GET,
	STEP_ALL,    /* the director wakes all on a word */
	STEP_KINDS
};

enum handler { HANDLER_PLAIN, HANDLER_STORES, HANDLER_CALLS };

struct step {
	enum step_kind kind;
	uint8_t thread, word;
	bool restart;         /* SA_RESTART */
	enum handler handler; /* of SIGNAL */
	uint32_t value;       /* of STORE, of slots */
	struct op op;         /* of CALL, of the handler */
};

struct program {
	uint64_t seed;
	bool fresh;    /* a process of its own; the kernel's slots are set too */
	bool eager;    /* on the engine some steps come before all are asleep */
	uint8_t threads, words, layout;
	int steps;
	struct step step[STEPS];
};

/* What was seen when all had come to rest after a step. */
struct seen {
	uint8_t returned, asleep; /* a bit for each thread */
	bool unknown;             /* by the model: what the call returned */
	long result[THREADS];     /* of those that returned */
	long other;               /* of the director's or the handler's call */
	uint32_t word[WORDS];
};

struct outcome {
	int steps; /* that were made */
	bool late; /* a deadline came too soon: means nothing */
	bool stuck; /* a thread neither slept nor returned: all is lost */
	uint8_t stayed; /* threads that nothing woke at the end */
	struct seen seen[STEPS];
};

/* ---- model.c ---- */

struct node { /* a waiter, in the order of the queues */
	uint8_t thread, entry, word, requeued;
	uint32_t mask;
};

struct model {
	const struct program *program;
	uint32_t word[WORDS];
	struct node node[THREADS * ENTRIES];
	int nodes;
	uint8_t asleep, woken, deadlines;
	uint8_t index[THREADS];  /* highest woken entry */
	struct op op[THREADS];   /* of those asleep */
	bool slots_set, slots_zero;
	uint32_t slots;
	struct seen seen;        /* after the last step */
};

void model_start(struct model *m, const struct program *p);
/* Makes a step; or returns why that is not to be done. */
const char *model_step(struct model *m, const struct step *s);
bool model_waits(const struct model *m, int word);
/* All steps of @p; NULL, or why it is no program. */
const char *model_run(const struct program *p, struct outcome *o);

/* ---- generate.c ---- */

struct random {
	uint64_t state;
};

uint32_t random_below(struct random *r, uint32_t n);
bool seed_is_fresh(uint64_t seed);
void generate(struct program *p, uint64_t seed);
/* Can that argument of that call be wrong, and the call have no effect then? */
bool call_can_be(enum call call, enum wrong wrong);
bool call_is_missing(enum call call); /* in this kernel */
bool call_waits(enum call call);
bool call_requeues(enum call call);
bool call_has_two(enum call call); /* words */
/* The steps that end a program; false: no room. */
bool generate_end(struct program *p);

/* ---- call.c ---- */

/* Where the arguments of a call lie; a call that is restarted reads them again. */
struct arguments {
	struct timespec timeout;
	struct ufx_waitv_entry list[ENTRIES];
};

struct place {
	uint32_t *word[WORDS];
	int64_t start, unit; /* of deadlines, ns of CLOCK_MONOTONIC */
};

long make_call(const struct subject *s, const struct op *o,
	       const struct place *at, struct arguments *a);
int64_t now_ns(void);
int64_t deadline_ns(const struct place *at, const struct op *o);

/* ---- run.c ---- */

/* Once a process; @pinned: all threads on one CPU. */
void run_start(bool pinned);
void run_on(const struct subject *s, const struct program *p, struct outcome *o);

/* ---- compare.c ---- */

/* Both sides. NULL, or in a few words what differs. Static. */
const char *run_both(const struct program *p, struct outcome *kernel,
		     struct outcome *engine);

/* ---- show.c ---- */

void show_step(FILE *out, const struct program *p, const struct step *s);
/* Each step with what came of it; @engine may be NULL. */
void show(FILE *out, const struct program *p, const struct outcome *kernel,
	  const struct outcome *engine);

/* ---- shrink.c ---- */

/* Makes @p smaller as long as it differs. False: it does not, any more. */
bool shrink(struct program *p);

/* ---- fault.c, or nofault.c ---- */

/* Puts it in; false: none is called so. */
bool fault_choose(const char *name);

/* ---- options.c ---- */

struct options {
	uint64_t seed, count;
	uint32_t shard, shards;
	double seconds; /* 0: no limit */
	const char *json, *refs, *replace;
	bool show, runner;
	int out; /* of the runner: where it reports to */
};

/* False: bad usage, which has been said. */
bool options_get(struct options *o, int argc, char **argv);

/* ---- runner.c, main.c ---- */

int runner_main(const struct options *o);

#endif
