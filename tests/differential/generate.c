// SPDX-License-Identifier: MIT
/* Random programs. What is not determined is refused by the model: README. */
#include <limits.h>
#include <string.h>

#include "program.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define BIT(x) (1u << (x))
#define FRESH_EVERY 256

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static uint64_t next(struct random *r)
{
	r->state += 0x9e3779b97f4a7c15;
	return mix(r->state);
}

uint32_t random_below(struct random *r, uint32_t n)
{
	return (uint32_t)((next(r) >> 32) * n >> 32);
}

static bool one_in(struct random *r, uint32_t n)
{
	return random_below(r, n) == 0;
}

bool seed_is_fresh(uint64_t seed)
{
	return mix(seed + 77) % FRESH_EVERY == 0 && !kernel_lacks(KERNEL_SLOTS);
}

bool call_is_missing(enum call call)
{
	static int missing = -1;

	if (missing < 0)
		missing = kernel_lacks(KERNEL_FUTEX2) != NULL;
	return missing && (call == CALL_WAKE2 || call == CALL_WAIT2 ||
			   call == CALL_REQUEUE2);
}

bool call_waits(enum call call)
{
	return call == CALL_WAIT || call == CALL_WAIT_BITSET ||
	       call == CALL_WAITV || call == CALL_WAIT2;
}

bool call_requeues(enum call call)
{
	return call == CALL_REQUEUE || call == CALL_CMP_REQUEUE ||
	       call == CALL_REQUEUE2;
}

bool call_has_two(enum call call)
{
	return call_requeues(call) || call == CALL_WAKE_OP;
}

bool call_can_be(enum call call, enum wrong wrong)
{
#define TIME (BIT(WRONG_NSEC) | BIT(WRONG_POINTER))
#define WORD (BIT(WRONG_ODD) | BIT(WRONG_NULL))
	static const uint32_t can[CALLS] = {
		[CALL_WAIT] = WORD | TIME | BIT(WRONG_FLAGS),
		[CALL_WAIT_BITSET] = WORD | TIME | BIT(WRONG_MASK),
		[CALL_WAKE] = WORD | BIT(WRONG_FLAGS),
		[CALL_WAKE_BITSET] = WORD | BIT(WRONG_MASK) | BIT(WRONG_FLAGS),
		[CALL_REQUEUE] = WORD | BIT(WRONG_NEGATIVE) | BIT(WRONG_FLAGS),
		[CALL_CMP_REQUEUE] = WORD | BIT(WRONG_NEGATIVE) | BIT(WRONG_FLAGS),
		[CALL_WAKE_OP] = BIT(WRONG_ODD) | BIT(WRONG_FLAGS),
		[CALL_WAITV] = WORD | TIME | BIT(WRONG_FLAGS) | BIT(WRONG_LARGE) |
			       BIT(WRONG_CLOCK) | BIT(WRONG_COUNT) | BIT(WRONG_ENTRY),
		[CALL_WAKE2] = WORD | BIT(WRONG_MASK) | BIT(WRONG_FLAGS) |
			       BIT(WRONG_LARGE),
		[CALL_WAIT2] = WORD | TIME | BIT(WRONG_MASK) | BIT(WRONG_FLAGS) |
			       BIT(WRONG_LARGE) | BIT(WRONG_CLOCK),
		[CALL_REQUEUE2] = WORD | BIT(WRONG_POINTER) | BIT(WRONG_NEGATIVE) |
				  BIT(WRONG_FLAGS) | BIT(WRONG_LARGE) |
				  BIT(WRONG_ENTRY),
	};

	return can[call] & BIT(wrong);
}

static uint8_t a_word(struct random *r, const struct model *m)
{
	uint8_t word = (uint8_t)random_below(r, m->program->words);

	/* One where somebody waits is more interesting. */
	if (!model_waits(m, word))
		word = (uint8_t)random_below(r, m->program->words);
	return word;
}

static uint32_t a_value(struct random *r)
{
	static const uint32_t values[] = { 0, 1, 2, UINT32_MAX, 1u << 31 };

	return values[random_below(r, N(values))];
}

static uint32_t expected(struct random *r, const struct model *m, uint8_t word)
{
	return one_in(r, 10) ? a_value(r) : m->word[word];
}

static uint32_t a_mask(struct random *r)
{
	static const uint32_t masks[] = { UINT32_MAX, 1, 2, 3, 4, 6, 1u << 31 };

	return masks[one_in(r, 2) ? 0 : random_below(r, N(masks))];
}

static int a_count(struct random *r, bool wakes)
{
	static const int counts[] = { 1, 1, 1, 1, 2, 2, 3, INT_MAX, 0, -1 };

	return counts[random_below(r, N(counts) - !wakes)];
}

static enum call a_call(struct random *r, bool waits)
{
	static const enum call waiting[] = {
		CALL_WAIT, CALL_WAIT, CALL_WAIT_BITSET, CALL_WAIT_BITSET,
		CALL_WAITV, CALL_WAITV, CALL_WAIT2,
	}, others[] = {
		CALL_WAKE, CALL_WAKE, CALL_WAKE_BITSET, CALL_WAKE_BITSET,
		CALL_REQUEUE, CALL_CMP_REQUEUE, CALL_CMP_REQUEUE, CALL_WAKE_OP,
		CALL_WAKE_OP, CALL_WAKE2, CALL_REQUEUE2,
	};

	return waits ? waiting[random_below(r, N(waiting))] :
		       others[random_below(r, N(others))];
}

static void fill_waitv(struct random *r, const struct model *m, struct op *o)
{
	o->given = (uint8_t)(1 + random_below(r, GIVEN));
	o->nr = o->given;
	if (one_in(r, 40))
		o->nr = ENTRIES - (int)random_below(r, 2);
	else if (one_in(r, 8))
		o->nr += (int)random_below(r, 4);
	for (int i = 0; i < o->given; i++) {
		o->entry[i].word = a_word(r, m);
		o->entry[i].val = m->word[o->entry[i].word];
	}
	if (one_in(r, 12))
		o->entry[random_below(r, o->given)].val = a_value(r);
}

static uint32_t an_operation(struct random *r)
{
	static const uint32_t args[] = { 0, 1, 2, 0xfff, 0x800, 0x7ff };
	uint32_t op = random_below(r, 5), cmp = random_below(r, one_in(r, 20) ? 16 : 6);
	uint32_t arg = args[random_below(r, N(args))];

	if (one_in(r, 4)) /* as a bit number: below 32, or the kernel complains */
		return (op | 8) << 28 | cmp << 24 | random_below(r, 32) << 12 | arg;
	return op << 28 | cmp << 24 | arg << 12 | args[random_below(r, N(args))];
}

static enum timeout a_timeout(struct random *r, const struct model *m, bool timed)
{
	if (timed && m->deadlines < 4 && !one_in(r, 3))
		return TIMEOUT_EXPIRES;
	return one_in(r, 2) ? TIMEOUT_NONE : one_in(r, 4) ? TIMEOUT_PAST : TIMEOUT_FAR;
}

static void an_op(struct random *r, const struct model *m, struct op *o,
		  bool waits, bool timed)
{
	memset(o, 0, sizeof(*o));
	o->call = a_call(r, waits);
	o->word = a_word(r, m);
	o->word2 = (uint8_t)random_below(r, m->program->words);
	o->val = expected(r, m, o->word);
	o->mask = a_mask(r);
	o->encoded = an_operation(r);
	o->realtime = one_in(r, 3);
	o->second = one_in(r, 2);
	o->nr = a_count(r, true);
	o->nr2 = a_count(r, o->call == CALL_WAKE_OP);
	if (call_requeues(o->call))
		o->nr = a_count(r, false);
	if (waits)
		o->timeout = a_timeout(r, m, timed);
	o->deadline = m->deadlines;
	if (o->call == CALL_WAITV)
		fill_waitv(r, m, o);
	if (one_in(r, 12)) {
		o->wrong = random_below(r, WRONGS);
		if (!call_can_be(o->call, o->wrong))
			o->wrong = RIGHT;
	}
}

/* A thread that is asleep or not, or -1. */
static int a_thread(struct random *r, const struct model *m, bool asleep)
{
	int threads[THREADS], n = 0;

	for (int t = 0; t < m->program->threads; t++)
		if (!!(m->asleep & BIT(t)) == asleep)
			threads[n++] = t;
	return n ? threads[random_below(r, (uint32_t)n)] : -1;
}

static void a_signal(struct random *r, const struct model *m, struct step *s)
{
	s->kind = STEP_SIGNAL;
	s->restart = !one_in(r, 3);
	s->handler = one_in(r, 3) ? HANDLER_STORES :
		     one_in(r, 2) ? HANDLER_CALLS : HANDLER_PLAIN;
	s->word = a_word(r, m);
	s->value = a_value(r);
	an_op(r, m, &s->op, one_in(r, 4), false);
}

static uint32_t some_slots(struct random *r)
{
	static const uint32_t slots[] = { 2, 4, 8, 16, 64, 256, 1024, 3, 1, 0 };

	return slots[random_below(r, N(slots))];
}

static void a_step(struct random *r, const struct model *m, struct step *s,
		   bool timed)
{
	int idle = __builtin_popcount(BIT(m->program->threads) - 1 - m->asleep);
	uint32_t which = random_below(r, 100);
	int thread;

	memset(s, 0, sizeof(*s));
	s->kind = which < 74 ? STEP_CALL : which < 84 ? STEP_SIGNAL :
		  which < 90 ? STEP_STORE : which < 93 ? STEP_SET :
		  which < 94 ? STEP_GET : STEP_EXPIRE;
	thread = a_thread(r, m, s->kind != STEP_CALL);
	s->thread = (uint8_t)(thread < 0 ? 0 : thread);
	s->word = a_word(r, m);
	s->value = s->kind == STEP_SET ? some_slots(r) : a_value(r);
	if (s->kind == STEP_CALL)
		an_op(r, m, &s->op, random_below(r, (uint32_t)idle + 1) > 0 &&
			      !one_in(r, 3), timed);
	else if (s->kind == STEP_SIGNAL)
		a_signal(r, m, s);
}

/* Words and deadlines may be unlike what they were: the end is made anew. */
bool generate_end(struct program *p)
{
	while (p->steps && p->step[p->steps - 1].kind == STEP_ALL)
		p->steps--;
	if (p->steps + p->words > STEPS)
		return false;
	for (uint8_t word = 0; word < p->words; word++)
		p->step[p->steps++] = (struct step){ .kind = STEP_ALL, .word = word };
	return true;
}

void generate(struct program *p, uint64_t seed)
{
	struct random r = { mix(seed) };
	static struct model m, before;
	bool timed;
	int wanted;

	memset(p, 0, offsetof(struct program, step));
	p->seed = seed;
	p->fresh = seed_is_fresh(seed);
	p->eager = mix(seed + 78) & 1;
	p->threads = (uint8_t)(2 + random_below(&r, THREADS - 1));
	p->words = (uint8_t)(1 + random_below(&r, WORDS));
	p->layout = (uint8_t)random_below(&r, 3);
	timed = !p->fresh && one_in(&r, 6);
	wanted = 6 + (int)random_below(&r, STEPS - WORDS - 6 + 1);
	model_start(&m, p);
	/* The model remembers nothing of what it refuses. */
	for (int tries = 0; p->steps < wanted && tries < 400; tries++) {
		struct step *s = &p->step[p->steps];

		a_step(&r, &m, s, timed);
		before = m;
		if (model_step(&m, s))
			m = before;
		else
			p->steps++;
	}
	generate_end(p);
}
