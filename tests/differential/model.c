// SPDX-License-Identifier: MIT
/*
 * What a program should do, in the simplest way: one list of waiters in the
 * order of the queues. It says which steps are possible, and refuses those of
 * which the outcome is not determined (README names each such place). Its
 * answers are compared too: had the kernel others, what it refuses would not
 * be to be trusted.
 */
#include <limits.h>
#include <string.h>

#include "program.h"

void model_start(struct model *m, const struct program *p)
{
	memset(m, 0, offsetof(struct model, node));
	memset(&m->nodes, 0, sizeof(*m) - offsetof(struct model, nodes));
	m->program = p;
}

bool model_waits(const struct model *m, int word)
{
	for (int i = 0; i < m->nodes; i++)
		if (m->node[i].word == word)
			return true;
	return false;
}

static bool waits_on(const struct model *m, int thread, int word)
{
	for (int i = 0; i < m->nodes; i++)
		if (m->node[i].thread == thread && m->node[i].word == word)
			return true;
	return false;
}

static struct node take(struct model *m, int i)
{
	struct node node = m->node[i];

	m->nodes--;
	memmove(&m->node[i], &m->node[i + 1],
		(size_t)(m->nodes - i) * sizeof(m->node[0]));
	return node;
}

static void wake_node(struct model *m, int i)
{
	struct node node = take(m, i);

	if (!(m->woken & 1u << node.thread) || m->index[node.thread] < node.entry)
		m->index[node.thread] = node.entry;
	m->woken |= 1u << node.thread;
}

static long wake(struct model *m, int word, int nr, uint32_t mask)
{
	long count = 0;

	for (int i = 0; i < m->nodes && count < nr;) {
		if (m->node[i].word != word || !(m->node[i].mask & mask)) {
			i++;
			continue;
		}
		wake_node(m, i);
		count++;
	}
	return count;
}

/* @thread's call ends with @result. */
static void leave(struct model *m, int thread, long result)
{
	for (int i = 0; i < m->nodes;) {
		if (m->node[i].thread == thread)
			take(m, i);
		else
			i++;
	}
	m->asleep &= (uint8_t)~(1u << thread);
	m->seen.returned |= 1u << thread;
	m->seen.result[thread] = result;
}

static long requeue(struct model *m, const struct op *o)
{
	int left = m->nodes;
	long count = 0;

	for (int i = 0; left && count - o->nr < o->nr2; left--) {
		struct node node = m->node[i];

		if (node.word != o->word) {
			i++;
		} else if (count++ < o->nr) {
			wake_node(m, i);
		} else if (o->word == o->word2) {
			i++; /* it stays, and counts */
		} else {
			take(m, i);
			node.word = o->word2;
			node.requeued = true;
			m->node[m->nodes++] = node;
		}
	}
	return count;
}

/* ---- WAKE_OP ---- */

static int32_t signed12(uint32_t bits)
{
	return (int32_t)(bits << 20) >> 20;
}

static uint32_t changed(uint32_t encoded, uint32_t old)
{
	uint32_t arg = (uint32_t)signed12(encoded >> 12);

	if (encoded >> 31)
		arg = 1u << (arg & 31);
	switch (encoded >> 28 & 7) {
	case FUTEX_OP_SET:
		return arg;
	case FUTEX_OP_ADD:
		return old + arg;
	case FUTEX_OP_OR:
		return old | arg;
	case FUTEX_OP_ANDN:
		return old & ~arg;
	default:
		return old ^ arg;
	}
}

/* -1: there is no such comparison. */
static int holds(uint32_t encoded, int32_t old)
{
	int32_t arg = signed12(encoded);

	switch (encoded >> 24 & 15) {
	case FUTEX_OP_CMP_EQ:
		return old == arg;
	case FUTEX_OP_CMP_NE:
		return old != arg;
	case FUTEX_OP_CMP_LT:
		return old < arg;
	case FUTEX_OP_CMP_LE:
		return old <= arg;
	case FUTEX_OP_CMP_GT:
		return old > arg;
	case FUTEX_OP_CMP_GE:
		return old >= arg;
	default:
		return -1;
	}
}

static int at_least_one(int nr)
{
	return nr < 1 ? 1 : nr;
}

static long wake_op(struct model *m, const struct op *o)
{
	uint32_t old = m->word[o->word2];
	int condition = holds(o->encoded, (int32_t)old);
	long count;

	m->word[o->word2] = changed(o->encoded, old);
	if (condition < 0)
		return -ENOSYS; /* but the word has changed */
	count = wake(m, o->word, at_least_one(o->nr), UINT32_MAX);
	if (condition)
		count += wake(m, o->word2, at_least_one(o->nr2), UINT32_MAX);
	return count;
}

/* ---- calls ---- */

/* Has each word the value that @o expects? But for the last @but of 128. */
static bool as_expected(const struct model *m, const struct op *o, int but)
{
	if (o->call != CALL_WAITV)
		return m->word[o->word] == o->val;
	for (int i = 0; i < o->nr - but; i++)
		if (m->word[o->entry[i % o->given].word] != o->entry[i % o->given].val)
			return false;
	return true;
}

/* 0: it would sleep. */
static long wait_now(const struct model *m, const struct op *o)
{
	if (!as_expected(m, o, 0))
		return -EAGAIN;
	return o->timeout == TIMEOUT_PAST ? -ETIMEDOUT : 0;
}

static void sleep_on(struct model *m, int thread, const struct op *o)
{
	int n = o->call == CALL_WAITV ? o->nr : 1;
	bool masked = o->call == CALL_WAIT_BITSET || o->call == CALL_WAIT2;

	for (int i = 0; i < n; i++) {
		uint8_t word = o->call == CALL_WAITV ? o->entry[i % o->given].word :
						       o->word;

		m->node[m->nodes++] = (struct node){
			(uint8_t)thread, (uint8_t)i, word, false,
			masked ? o->mask : UINT32_MAX
		};
	}
	m->asleep |= 1u << thread;
	m->op[thread] = *o;
	if (o->timeout == TIMEOUT_EXPIRES)
		m->deadlines = o->deadline + 1;
}

/* Of a call that does not sleep. */
static long call_now(struct model *m, const struct op *o)
{
	switch (o->call) {
	case CALL_WAKE:
		return wake(m, o->word, at_least_one(o->nr), UINT32_MAX);
	case CALL_WAKE_BITSET:
		return wake(m, o->word, at_least_one(o->nr), o->mask);
	case CALL_WAKE2:
		return o->nr ? wake(m, o->word, at_least_one(o->nr), o->mask) : 0;
	case CALL_CMP_REQUEUE:
	case CALL_REQUEUE2:
		if (m->word[o->word] != o->val)
			return -EAGAIN;
		return requeue(m, o);
	case CALL_REQUEUE:
		return requeue(m, o);
	case CALL_WAKE_OP:
		return wake_op(m, o);
	default:
		return wait_now(m, o);
	}
}

static const char *refuse_call(const struct model *m, const struct op *o)
{
	/* README: old kernels. */
	if (call_is_missing(o->call))
		return "old kernels";
	/* README: collisions. */
	if (m->program->fresh && call_requeues(o->call) && o->word != o->word2 &&
	    model_waits(m, o->word2))
		return "collisions";
	if (o->timeout == TIMEOUT_EXPIRES &&
	    (m->program->fresh || o->deadline < m->deadlines))
		return "deadlines";
	return NULL;
}

static const char *step_call(struct model *m, const struct step *s)
{
	const char *why = refuse_call(m, &s->op);
	long result = 0;

	if (m->asleep & 1u << s->thread)
		return "busy";
	if (why)
		return why;
	if (s->op.wrong) {
		m->seen.unknown = true;
	} else {
		result = call_now(m, &s->op);
		if (call_waits(s->op.call) && !result) {
			sleep_on(m, s->thread, &s->op);
			return NULL;
		}
	}
	m->seen.returned |= 1u << s->thread;
	m->seen.result[s->thread] = result;
	return NULL;
}

/* ---- signals ---- */

static bool is_v1(const struct op *o)
{
	return o->call == CALL_WAIT || o->call == CALL_WAIT_BITSET;
}

/* Does somebody else wait behind @thread, or has it been requeued? */
static bool has_place(const struct model *m, int thread)
{
	bool behind[WORDS] = { false };

	for (int i = m->nodes; i-- > 0;) {
		const struct node *node = &m->node[i];

		if (node->thread != thread)
			behind[node->word] = true;
		else if (behind[node->word] || node->requeued)
			return true;
	}
	return false;
}

static bool is_requeued(const struct model *m, int thread)
{
	for (int i = 0; i < m->nodes; i++)
		if (m->node[i].thread == thread && m->node[i].requeued)
			return true;
	return false;
}

static const char *refuse_handler(const struct model *m, const struct step *s)
{
	const struct op *o = &s->op;
	bool two = call_has_two(o->call);

	if (s->handler != HANDLER_CALLS)
		return NULL;
	if (call_waits(o->call))
		return o->wrong || wait_now(m, o) ? refuse_call(m, o) : "sleeps";
	/* README: handlers. */
	if (waits_on(m, s->thread, o->word) ||
	    (two && waits_on(m, s->thread, o->word2)))
		return "handlers";
	return refuse_call(m, o);
}

static void run_handler(struct model *m, const struct step *s)
{
	if (s->handler == HANDLER_STORES)
		m->word[s->word] = s->value;
	if (s->handler != HANDLER_CALLS)
		return;
	if (s->op.wrong)
		m->seen.unknown = true;
	else
		m->seen.other = call_now(m, &s->op);
}

static const char *step_signal(struct model *m, const struct step *s)
{
	const struct op *o = &m->op[s->thread];
	bool restarts = s->restart && !(is_v1(o) && o->timeout != TIMEOUT_NONE);
	bool matches;
	const char *why;

	if (!(m->asleep & 1u << s->thread))
		return "awake";
	why = refuse_handler(m, s);
	if (why)
		return why;
	run_handler(m, s);
	if (!restarts) {
		leave(m, s->thread, -EINTR);
		return NULL;
	}
	matches = as_expected(m, o, 0);
	/* README: places. */
	if (is_requeued(m, s->thread) || (matches && has_place(m, s->thread)))
		return "places";
	/* README: unwatched. */
	if (!matches && o->call == CALL_WAITV && o->nr == ENTRIES &&
	    as_expected(m, o, 1))
		return "unwatched";
	if (!matches)
		leave(m, s->thread, -EAGAIN);
	return NULL;
}

/* ---- the others ---- */

static const char *step_expire(struct model *m, const struct step *s)
{
	const struct op *o = &m->op[s->thread];

	if (!(m->asleep & 1u << s->thread) || o->timeout != TIMEOUT_EXPIRES)
		return "deadlines";
	for (int t = 0; t < THREADS; t++)
		if (m->asleep & 1u << t && m->op[t].timeout == TIMEOUT_EXPIRES &&
		    m->op[t].deadline < o->deadline)
			return "deadlines";
	leave(m, s->thread, -ETIMEDOUT);
	return NULL;
}

static const char *step_set(struct model *m, const struct step *s)
{
	bool zero = s->value == 0;

	if (s->value == 1 || s->value & (s->value - 1)) {
		m->seen.other = -EINVAL;
	} else if (m->slots_zero) {
		m->seen.other = -EBUSY;
	} else if (zero && !m->program->fresh) {
		return "slots";
	} else {
		m->slots_set = true;
		m->slots_zero = zero;
		m->slots = s->value;
	}
	return NULL;
}

static const char *step_get(struct model *m)
{
	if (!m->slots_set)
		return "slots";
	m->seen.other = m->slots;
	return NULL;
}

static const char *do_step(struct model *m, const struct step *s)
{
	switch (s->kind) {
	case STEP_CALL:
		return step_call(m, s);
	case STEP_SIGNAL:
		return step_signal(m, s);
	case STEP_EXPIRE:
		return step_expire(m, s);
	case STEP_STORE:
		m->word[s->word] = s->value;
		return NULL;
	case STEP_SET:
		return step_set(m, s);
	case STEP_GET:
		return step_get(m);
	default:
		m->seen.other = wake(m, s->word, INT_MAX, UINT32_MAX);
		return NULL;
	}
}

const char *model_step(struct model *m, const struct step *s)
{
	const char *why;

	memset(&m->seen, 0, sizeof(m->seen));
	m->woken = 0;
	why = do_step(m, s);
	if (why)
		return why;
	for (int t = 0; t < THREADS; t++)
		if (m->woken & 1u << t)
			leave(m, t, m->op[t].call == CALL_WAITV ? m->index[t] : 0);
	m->seen.asleep = m->asleep;
	memcpy(m->seen.word, m->word, sizeof(m->word));
	return NULL;
}

const char *model_run(const struct program *p, struct outcome *o)
{
	static struct model m;
	const char *why = NULL;

	memset(o, 0, offsetof(struct outcome, seen));
	model_start(&m, p);
	for (int i = 0; i < p->steps && !why; i++) {
		why = model_step(&m, &p->step[i]);
		o->seen[i] = m.seen;
		o->steps = i + 1;
	}
	return why ? why : m.asleep ? "somebody stays" : NULL;
}
