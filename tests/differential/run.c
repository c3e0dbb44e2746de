// SPDX-License-Identifier: MIT
/*
 * The director and its threads. They live as long as the process, and serve
 * both sides. When everything is on one CPU, a thread that was told to do
 * something and the director that lets it run make four switches between them:
 * some 10 us a step. On more CPUs each would have to be woken from idleness.
 */
#include <linux/futex.h>
#include <string.h>
#include <time.h>

#include "futex/wait.h"
#include "host/syscall.h"
#include "host/thread.h"
#include "program.h"
#include "stay.h"
#include "table/waiter.h"

#define RESTARTING SIGUSR1
#define ENDING SIGUSR2
#define LONG_NS 100000        /* a yield that lasted so long went to strangers */
#define STUCK_NS 10000000000
#define UNIT_NS 300000        /* between deadlines, if nothing disturbs */
#define TRIES 6
#define NAPS 20000
#define SLICE_NS 100000
#define LAYOUTS 3
#define PLACES 200            /* to try for each */
#define PAGE 4096

struct worker {
	pthread_t thread;
	pid_t tid;
	struct blocked_look look;
	bool visible;
	uint32_t command; /* counts; what an idle one sleeps on */
	uint32_t busy;
	uint32_t handled;
	const struct step *step;   /* of CALL */
	const struct step *signal; /* what its handler does */
	long result, handler_result;
	struct arguments arguments, handler_arguments;
	struct ufx_thread *record; /* the engine's */
	bool lingers;
};

static struct worker workers[THREADS];
static __thread struct worker *self;
static const struct subject *subject;
static struct place place;
static bool eager; /* goes on when those who wait are queued in the engine */
static char *memory[2][LAYOUTS];

/* ---- threads ---- */

static void handler(int sig)
{
	const struct step *s = self->signal;

	(void)sig;
	if (s && s->handler == HANDLER_STORES)
		__atomic_store_n(place.word[s->word], s->value, __ATOMIC_RELEASE);
	if (s && s->handler == HANDLER_CALLS)
		self->handler_result = make_call(subject, &s->op, &place,
						 &self->handler_arguments);
	__atomic_store_n(&self->handled, 1, __ATOMIC_RELEASE);
}

/* Not by the C library: the same call on all machines, and no errno. */
static void word_wait(uint32_t *word, uint32_t value)
{
	ufx_syscall(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, value, 0, 0, 0);
}

/*
 * Asks for short slices of the CPU: among strangers, who is to have a short one
 * has its turn sooner (Linux 6.12). Only for speed.
 */
static void hurry(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attributes = { .size = 48, .runtime = SLICE_NS };

	syscall(SYS_sched_setattr, 0, &attributes, 0);
}

static void *work(void *arg)
{
	uint32_t done = 0;

	self = arg;
	hurry();
	prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul); /* nanoseconds */
	self->visible = blocked_open(&self->look, (pid_t)syscall(SYS_gettid));
	__atomic_store_n(&self->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	for (;; done++) {
		while (__atomic_load_n(&self->command, __ATOMIC_ACQUIRE) == done)
			word_wait(&self->command, done);
		self->result = make_call(subject, &self->step->op, &place,
					 &self->arguments);
		__atomic_store_n(&self->busy, 0, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Between the engine's files: lets others run while it is queued and not asleep. */
int __real_ufx_wait_prepare(struct ufx_domain *d, struct ufx_waiter *w, uint32_t *word,
			    uint32_t expected);
int __wrap_ufx_wait_prepare(struct ufx_domain *d, struct ufx_waiter *w, uint32_t *word,
			    uint32_t expected);
int __wrap_ufx_wait_prepare(struct ufx_domain *d, struct ufx_waiter *w, uint32_t *word,
			    uint32_t expected)
{
	int ret = __real_ufx_wait_prepare(d, w, word, expected);

	if (!ret && self && self->lingers)
		ufx_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	return ret;
}

/* @lingers: for a moment, before it sleeps. */
static void tell(struct worker *w, const struct step *s, bool lingers)
{
	w->lingers = lingers;
	w->step = s;
	w->busy = 1;
	__atomic_fetch_add(&w->command, 1, __ATOMIC_RELEASE);
	ufx_syscall(SYS_futex, (long)&w->command, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

static bool busy(const struct worker *w)
{
	return __atomic_load_n(&w->busy, __ATOMIC_ACQUIRE);
}

/*
 * Asleep in the call that it makes? The engine's own locks are no such sleep:
 * there it waits by another operation than where it parks.
 */
static bool asleep(const struct worker *w)
{
	int op;

	return blocked_look(&w->look, &op) && busy(w) &&
	       !(subject->engine && op == FUTEX_WAIT_PRIVATE);
}

static const struct ufx_waiter *waiter_of(struct worker *w)
{
	struct ufx_thread *t = w->record;

	for (t = t ? t : ufx_thread_first(); t; t = t->next)
		if (ufx_load(&t->claimed) == (uint32_t)w->tid)
			break;
	w->record = t;
	return t ? (const struct ufx_waiter *)t->first : NULL;
}

/*
 * Is it queued in the engine, whether it sleeps by now or not? Only of those
 * that use the first line of their pool, and that stay there for long.
 */
static bool queued(struct worker *w)
{
	const struct op *o = &w->step->op;
	const struct ufx_waiter *waiter;

	if (!eager || !subject->engine || o->call == CALL_WAITV ||
	    o->timeout == TIMEOUT_PAST)
		return false;
	waiter = waiter_of(w);
	return waiter && ufx_load_acquire(&waiter->state) == UFX_WAITER_QUEUED;
}

/* Lets the others run. */
static void give_way(void)
{
	static const struct timespec nap = { 0, 10000 };
	static unsigned int naps, next; /* left: a yield would go to strangers */
	int64_t before = now_ns();

	if (naps) {
		naps--;
		nanosleep(&nap, NULL);
		return;
	}
	sched_yield();
	if (now_ns() - before > LONG_NS)
		naps = next = next ? 2 * next % NAPS : 100;
	else
		next = 0;
}

/* Until @w has returned or sleeps. False: neither. */
static bool rest(struct worker *w)
{
	int64_t end = 0;

	for (unsigned int i = 0; busy(w) && !queued(w) && !asleep(w); i++) {
		if (!end)
			end = now_ns() + STUCK_NS;
		else if (i % 64 == 0 && now_ns() > end)
			return false;
		give_way();
	}
	return true;
}

/* ---- steps ---- */

/* Valid numbers of slots are the engine's alone: README, slots. */
static long set_slots(const struct program *p, uint32_t slots, uint32_t *left_out)
{
	if (!subject->engine && !p->fresh && slots > 1 && !(slots & (slots - 1))) {
		*left_out = slots;
		return 0;
	}
	return subject->hash(UFX_PR_FUTEX_HASH_SET_SLOTS, slots, 0, 0);
}

static void send(struct worker *w, const struct step *s)
{
	w->signal = s;
	w->handled = 0;
	syscall(SYS_tgkill, getpid(), w->tid, s && s->restart ? RESTARTING : ENDING);
	while (!__atomic_load_n(&w->handled, __ATOMIC_ACQUIRE))
		give_way();
}

static void wait_until(int64_t ns)
{
	struct timespec t = { ns / 1000000000, ns % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* Returns what the director's or a handler's call returned. */
static long make_step(const struct program *p, const struct step *s)
{
	static uint32_t left_out;
	struct worker *w = &workers[s->thread];

	switch (s->kind) {
	case STEP_CALL:
		if (!busy(w))
			tell(w, s, p->eager && subject->engine);
		return 0;
	case STEP_SIGNAL:
		w->handler_result = 0;
		if (busy(w))
			send(w, s);
		return w->handler_result;
	case STEP_EXPIRE:
		if (busy(w))
			wait_until(deadline_ns(&place, &w->step->op));
		return 0;
	case STEP_STORE:
		__atomic_store_n(place.word[s->word], s->value, __ATOMIC_RELEASE);
		return 0;
	case STEP_SET:
		return set_slots(p, s->value, &left_out);
	case STEP_GET:
		return !subject->engine && !p->fresh ? (long)left_out :
			subject->hash(UFX_PR_FUTEX_HASH_GET_SLOTS, 0, 0, 0);
	default:
		return subject->futex(place.word[s->word], FUTEX_WAKE_PRIVATE,
				      INT32_MAX, NULL, NULL, 0);
	}
}

/* Until all have come to rest; the one that acted first. */
static bool settle(const struct program *p, const struct step *s)
{
	if (s->kind == STEP_CALL)
		give_way();
	if (s->kind == STEP_EXPIRE) {
		int64_t end = now_ns() + STUCK_NS;

		/* Its timer may be a little behind ours. */
		while (busy(&workers[s->thread]) && now_ns() < end)
			give_way();
	} else if (!rest(&workers[s->thread])) {
		return false;
	}
	for (int t = 0; t < p->threads; t++)
		if (!rest(&workers[t]))
			return false;
	return true;
}

/* Could somebody's deadline have passed who should not have seen it? */
static bool too_late(const struct program *p, const struct step *s, uint8_t before)
{
	int64_t now = now_ns();

	for (int t = 0; t < p->threads; t++) {
		const struct step *its = workers[t].step;
		bool acts = s->kind == STEP_CALL && s->thread == t;

		if ((before & 1u << t || acts) && its->op.timeout == TIMEOUT_EXPIRES &&
		    !(s->kind == STEP_EXPIRE && s->thread == t) &&
		    now >= deadline_ns(&place, &its->op))
			return true;
	}
	return false;
}

static void look_around(const struct program *p, struct seen *seen, uint8_t before)
{
	for (int t = 0; t < p->threads; t++) {
		if (busy(&workers[t])) {
			seen->asleep |= 1u << t;
		} else if (before & 1u << t) {
			seen->returned |= 1u << t;
			seen->result[t] = workers[t].result;
		}
	}
	for (int i = 0; i < p->words; i++)
		seen->word[i] = __atomic_load_n(place.word[i], __ATOMIC_ACQUIRE);
}

static void set_place(const struct program *p)
{
	static const size_t apart[LAYOUTS] = { 4, 64, PAGE };
	char *at = memory[subject->engine][p->layout];

	for (size_t i = 0; i < WORDS; i++) {
		place.word[i] = (uint32_t *)(at + i * apart[p->layout]);
		*place.word[i] = 0;
	}
	place.start = now_ns();
}

/* Sends those away that nothing has woken. */
static void clear_away(const struct program *p, struct outcome *o)
{
	eager = false;
	for (int t = 0; t < p->threads; t++) {
		if (!rest(&workers[t]) || !busy(&workers[t]))
			continue;
		o->stayed |= 1u << t;
		send(&workers[t], NULL);
		while (busy(&workers[t]) && rest(&workers[t]))
			give_way();
	}
}

/*
 * May step @next come while some are queued but not asleep? Not if it changes
 * a word (they look at it once more before they sleep) or is about sleepers;
 * nor after one that may end a wait, which leaves the queue a little later.
 */
static bool may_go_on(const struct program *p, const struct step *s,
		      const struct step *next)
{
	if (!p->eager || next == p->step + p->steps || s->kind == STEP_SIGNAL ||
	    s->kind == STEP_EXPIRE)
		return false;
	return next->kind >= STEP_SET ||
	       (next->kind == STEP_CALL && next->op.call != CALL_WAKE_OP);
}

static void run_once(const struct program *p, struct outcome *o)
{
	uint8_t before = 0;

	memset(o, 0, offsetof(struct outcome, seen));
	set_place(p);
	while (o->steps < p->steps && !o->late) {
		const struct step *s = &p->step[o->steps];
		struct seen *seen = &o->seen[o->steps++];

		memset(seen, 0, sizeof(*seen));
		seen->other = make_step(p, s);
		if (s->kind == STEP_CALL)
			before |= 1u << s->thread;
		eager = may_go_on(p, s, s + 1);
		if (!settle(p, s)) {
			o->stuck = true;
			return;
		}
		if (s->kind == STEP_SIGNAL)
			seen->other = workers[s->thread].handler_result;
		look_around(p, seen, before);
		o->late = too_late(p, s, before);
		before = seen->asleep;
	}
	clear_away(p, o);
}

void run_on(const struct subject *s, const struct program *p, struct outcome *o)
{
	subject = s;
	place.unit = UNIT_NS;
	for (int i = 0; i < TRIES; i++, place.unit *= 4) {
		run_once(p, o);
		if (!o->late || o->stuck)
			return;
	}
}

/* ---- the start ---- */

/*
 * README: collisions. Do any two words of a layout share a bucket of the
 * kernel's? Then the first of two waiters keeps its place there when it is
 * requeued behind the second.
 */
static bool collides(uint8_t layout, uint8_t a, uint8_t b)
{
	struct program p = { .threads = 3, .words = WORDS, .layout = layout, .steps = 5 };
	static struct outcome o;

	for (uint8_t i = 0; i < 4; i++)
		p.step[i].thread = i < 2 ? i : 2;
	p.step[0].op = (struct op){ .call = CALL_WAIT, .word = a };
	p.step[1].op = (struct op){ .call = CALL_WAIT, .word = b };
	p.step[2].op = (struct op){ .call = CALL_REQUEUE, .word = a, .word2 = b, .nr2 = 1 };
	p.step[3].op = (struct op){ .call = CALL_WAKE, .word = b, .nr = 1 };
	p.step[4] = (struct step){ .kind = STEP_ALL, .word = b };
	run_on(&subject_kernel, &p, &o);
	return o.seen[3].returned & 1;
}

static bool layout_collides(uint8_t layout)
{
	for (uint8_t a = 0; a < WORDS; a++)
		for (uint8_t b = 0; b < a; b++)
			if (collides(layout, a, b))
				return true;
	return false;
}

static char *map_words(void)
{
	char *at = mmap(NULL, WORDS * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		bail("no memory for the words: %s", strerror(errno));
	return at;
}

static void find_memory(void)
{
	for (uint8_t layout = 0; layout < LAYOUTS; layout++) {
		int tries = 0;

		memory[1][layout] = map_words();
		do { /* what is no good stays mapped: the next is elsewhere */
			if (tries++ == PLACES)
				bail("no words with buckets of their own");
			memory[0][layout] = map_words();
		} while (layout_collides(layout));
	}
}

void run_start(bool pinned)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	sigaction(RESTARTING, &action, NULL);
	action.sa_flags = 0;
	sigaction(ENDING, &action, NULL);
	hurry();
	if (pinned)
		stay_on_this_cpu();
	/* Once a number is set, the kernel never changes it by itself. */
	subject_kernel.hash(UFX_PR_FUTEX_HASH_SET_SLOTS, 256, 0, 0);
	for (int t = 0; t < THREADS; t++) {
		struct worker *w = &workers[t];

		if (pthread_create(&w->thread, NULL, work, w))
			bail("no thread");
		while (!__atomic_load_n(&w->tid, __ATOMIC_ACQUIRE))
			sched_yield();
		if (!w->visible)
			bail("/proc/self/task/TID/syscall is needed");
	}
	find_memory();
}
