// SPDX-License-Identifier: MIT
/*
 * An interpreter with threads and atomics, in the manner of WebAssembly: a stack
 * machine over one linear memory that its threads share. What it needs of the library
 * is do_wait and do_notify below (ufutex/wasm.h).
 *
 * The guest has a mutex, and producers and consumers around a ring of four slots; a
 * thread more waits for what never comes, until the host interrupts it. Prints
 * what came out; 0 if that is right.
 *
 *	cc -Iinclude examples/interpreter.c -lufutex -lpthread
 */
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ufutex/wasm.h>

/* ---- the guest ------------------------------------------------------------ */

/*
 * Words are separated by space; "name:" is a label, "name = number" a constant. All
 * numbers on the stack are 64 bits wide, all in memory 32.
 */
static const char guest[] =
	"mutex = 0    used = 4     first = 8    filled = 12  emptied = 16 "
	"total = 20   never = 24   slots = 64   items = 2000 "

	/* 0 free, 1 held, 2 held and perhaps waited for */
	"lock:     push mutex push 0 push 1 rmw.cmpxchg jz locked "
	"contend:  push mutex push 1 push 2 rmw.cmpxchg drop "
	"          push mutex push 2 push -1 wait32 drop "
	"          push mutex push 0 push 2 rmw.cmpxchg jnz contend "
	"locked:   ret "

	"unlock:   push mutex push -1 rmw.add push 1 eq jnz unlocked "
	"          push mutex push 0 store "
	"          push mutex push 1 notify drop "
	"unlocked: ret "

	/* local 0 is what is put and taken; local 1 what a count was */
	"put:      call lock "
	"full:     push used load push 4 eq jz room "
	"          push emptied load set 1 call unlock "
	"          push emptied get 1 push -1 wait32 drop "
	"          call lock jump full "
	"room:     push first load push used load add push 3 and push 4 mul "
	"          push slots add get 0 store "
	"          push used push 1 rmw.add drop push filled push 1 rmw.add drop "
	"          call unlock push filled push 1 notify drop ret "

	"take:     call lock "
	"empty:    push used load jnz some "
	"          push filled load set 1 call unlock "
	"          push filled get 1 push -1 wait32 drop "
	"          call lock jump empty "
	"some:     push first load push 4 mul push slots add load set 0 "
	"          push first push first load push 1 add push 3 and store "
	"          push used push -1 rmw.add drop push emptied push 1 rmw.add drop "
	"          call unlock push emptied push 1 notify drop ret "

	/* puts 1 to items, and a 0 that ends one consumer */
	"producer: push 0 set 2 "
	"produce:  get 2 push 1 add set 2 get 2 set 0 call put "
	"          get 2 push items eq jz produce "
	"          push 0 set 0 call put halt "

	"consumer: call take get 0 jz consumed "
	"          push total get 0 rmw.add drop jump consumer "
	"consumed: halt "

	"idler:    push never push 0 push -1 wait32 halt ";

#define TOTAL 20
#define ITEMS 2000

/* ---- its code ---------------------------------------------------------------- */

enum op {
	PUSH, GET, SET, JUMP, JZ, JNZ, CALL, /* with an operand */
	RET, DROP, ADD, MUL, AND, EQ, LOAD, STORE, RMW_ADD, RMW_CMPXCHG, WAIT32, NOTIFY,
	HALT, OPS
};

static const char *const names[OPS] = {
	"push", "get", "set", "jump", "jz", "jnz", "call", "ret", "drop", "add", "mul",
	"and", "eq", "load", "store", "rmw.add", "rmw.cmpxchg", "wait32", "notify", "halt",
};

struct instruction {
	enum op op;
	int64_t operand;
};

static struct instruction code[512];
static struct {
	char name[16];
	int64_t value;
} symbols[64];
static unsigned int ncode, nsymbols;

static void die(const char *what, const char *which)
{
	fprintf(stderr, "interpreter: %s: %s\n", what, which);
	exit(1);
}

static bool next_word(const char **text, char word[16])
{
	size_t n = 0;

	while (isspace((unsigned char)**text))
		++*text;
	while (**text && !isspace((unsigned char)**text) && n < 15)
		word[n++] = *(*text)++;
	word[n] = 0;
	return n > 0;
}

static void define(const char *name, int64_t value)
{
	if (nsymbols == sizeof(symbols) / sizeof(*symbols))
		die("too many names", name);
	snprintf(symbols[nsymbols].name, sizeof(symbols->name), "%s", name);
	symbols[nsymbols++].value = value;
}

static int64_t value_of(const char *word)
{
	char *end;
	int64_t number = strtoll(word, &end, 10);

	if (*word && !*end)
		return number;
	for (unsigned int i = 0; i < nsymbols; i++)
		if (!strcmp(symbols[i].name, word))
			return symbols[i].value;
	die("no such name", word);
	return 0;
}

static enum op op_of(const char *word)
{
	for (int op = 0; op < OPS; op++)
		if (!strcmp(names[op], word))
			return (enum op)op;
	return OPS;
}

/* The first pass finds where labels are, the second knows what they mean. */
static void assemble(const char *text, bool second)
{
	char word[16], value[16];

	for (ncode = 0; next_word(&text, word);) {
		size_t length = strlen(word);
		enum op op = op_of(word);

		if (op == OPS && word[length - 1] == ':') {
			word[length - 1] = 0;
			if (!second)
				define(word, ncode);
		} else if (op == OPS) {
			if (!next_word(&text, value) || strcmp(value, "="))
				die("no such instruction", word);
			next_word(&text, value);
			if (!second)
				define(word, value_of(value));
		} else {
			if (ncode == sizeof(code) / sizeof(*code))
				die("too long, at", word);
			code[ncode].op = op;
			if (op <= CALL && next_word(&text, value) && second)
				code[ncode].operand = value_of(value);
			ncode++;
		}
	}
}

/* ---- its threads --------------------------------------------------------------- */

static struct ufx_wasm_memory memory;

struct thread {
	pthread_t id;
	struct ufx_wasm_agent agent;
	unsigned int at; /* in the code */
	int64_t stack[64], *top;
	int64_t locals[4];
	int ended; /* 0: halt; else why: a result of a wait, or a trap */
};

static int64_t pop(struct thread *t)
{
	return *--t->top;
}

static void push(struct thread *t, int64_t value)
{
	*t->top++ = value;
}

/* The word at @address, or NULL and a trap. */
static uint32_t *word_at(struct thread *t, int64_t address)
{
	t->ended = ufx_wasm_trap_at(&memory, (uint64_t)address, 4);
	return t->ended ? NULL : (uint32_t *)(void *)(memory.base + address);
}

/* address, expected, ns -> 0, 1, 2 */
static void do_wait(struct thread *t)
{
	int64_t ns = pop(t), expected = pop(t);
	int how = ufx_wasm_wait32(&memory, &t->agent, (uint64_t)pop(t),
				  (uint32_t)expected, ns);

	if (how < 0)
		t->ended = how;
	push(t, how);
}

/* address, count -> how many */
static void do_notify(struct thread *t)
{
	uint32_t count = (uint32_t)pop(t);
	int64_t n = ufx_wasm_notify(&memory, (uint64_t)pop(t), count);

	if (n < 0)
		t->ended = (int)n;
	push(t, n);
}

/* What touches the memory. The operands but the address have been popped. */
static void do_access(struct thread *t, enum op op, uint32_t a, uint32_t b)
{
	uint32_t *word = word_at(t, pop(t));

	if (!word)
		return;
	switch (op) {
	case LOAD:
		push(t, __atomic_load_n(word, __ATOMIC_SEQ_CST));
		break;
	case STORE:
		__atomic_store_n(word, a, __ATOMIC_SEQ_CST);
		break;
	case RMW_ADD:
		push(t, __atomic_fetch_add(word, a, __ATOMIC_SEQ_CST));
		break;
	default: /* RMW_CMPXCHG */
		__atomic_compare_exchange_n(word, &a, b, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST);
		push(t, a);
	}
}

static void do_memory(struct thread *t, enum op op)
{
	uint32_t a = 0, b = 0;

	if (op == WAIT32) {
		do_wait(t);
	} else if (op == NOTIFY) {
		do_notify(t);
	} else {
		if (op == RMW_CMPXCHG)
			b = (uint32_t)pop(t);
		if (op != LOAD)
			a = (uint32_t)pop(t);
		do_access(t, op, a, b);
	}
}

static void do_arithmetic(struct thread *t, enum op op)
{
	int64_t b = pop(t), a = pop(t);

	push(t, op == ADD ? a + b : op == MUL ? a * b : op == AND ? (a & b) : a == b);
}

static void do_jump(struct thread *t, const struct instruction *i)
{
	if (i->op == CALL)
		push(t, t->at);
	if (i->op == JUMP || i->op == CALL || (pop(t) == 0) == (i->op == JZ))
		t->at = (unsigned int)i->operand;
}

/* Until it halts or traps. The guest is ours: its stack is trusted. */
static void *run(void *arg)
{
	struct thread *t = arg;

	while (!t->ended && code[t->at].op != HALT) {
		const struct instruction *i = &code[t->at++];

		switch (i->op) {
		case PUSH:
			push(t, i->operand);
			break;
		case GET:
			push(t, t->locals[i->operand]);
			break;
		case SET:
			t->locals[i->operand] = pop(t);
			break;
		case JUMP: case JZ: case JNZ: case CALL:
			do_jump(t, i);
			break;
		case RET:
			t->at = (unsigned int)pop(t);
			break;
		case DROP:
			pop(t);
			break;
		case ADD: case MUL: case AND: case EQ:
			do_arithmetic(t, i->op);
			break;
		default:
			do_memory(t, i->op);
		}
	}
	return NULL;
}

static void start(struct thread *t, const char *label)
{
	t->at = (unsigned int)value_of(label);
	t->top = t->stack;
	if (pthread_create(&t->id, NULL, run, t))
		die("no thread for", label);
}

/* ---- the host -------------------------------------------------------------------- */

#define PRODUCERS 3
#define WORKERS (2 * PRODUCERS)

int main(void)
{
	static _Alignas(8) unsigned char bytes[65536];
	static struct thread workers[WORKERS], idler;
	uint32_t total, expected = PRODUCERS * (ITEMS * (ITEMS + 1) / 2);
	bool good = true;

	assemble(guest, false);
	assemble(guest, true);
	if (ufx_wasm_memory_create(&memory, bytes, sizeof(bytes), true, NULL))
		die("no domain for", "the memory");
	start(&idler, "idler");
	for (int i = 0; i < WORKERS; i++)
		start(&workers[i], i % 2 ? "producer" : "consumer");
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].id, NULL);
		good = good && !workers[i].ended;
	}
	/* It waits, or is about to: it does not matter. */
	ufx_wasm_interrupt(&memory, &idler.agent, 42);
	pthread_join(idler.id, NULL);
	good = good && idler.ended == UFX_WASM_INTERRUPTED;
	total = *(uint32_t *)(void *)(bytes + TOTAL);
	printf("%d producers, %d consumers: %u (%u); the idler: interrupted, %llu\n",
	       PRODUCERS, PRODUCERS, total, expected,
	       (unsigned long long)ufx_wasm_reason(&idler.agent));
	return good && total == expected && !ufx_wasm_memory_destroy(&memory) ? 0 : 1;
}
