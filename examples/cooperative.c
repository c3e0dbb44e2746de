/* SPDX-License-Identifier: MIT */
/*
 * The library without an operating system: a scheduler of tasks in one thread,
 * which gives it the functions of ufutex/host.h, and tasks that wait and wake by
 * it. Time is the scheduler's own: it goes on when all tasks sleep, to the next
 * deadline. So each run is the same.
 *
 *	cc -DUFX_PORTABLE=1 -Iinclude examples/cooperative.c libufutex.a
 *
 * with a library built for the host "free" (docs/hosts.rst). Prints what it has
 * checked, as TAP.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <ufutex/domain.h>
#include <ufutex/host.h>
#include <ufutex/ref.h>
#include <ufutex/wait.h>
#include <ufutex/wake.h>

/* ---- tasks ---- */

#define TASKS 64
#define STACK 65536
#define FOREVER INT64_MAX

enum state { UNUSED, READY, ASLEEP };

struct task {
	ucontext_t context;
	enum state state;
	struct ufx_marks marks;
	uint64_t turn; /* the lower, the sooner it runs or is woken */
	const uint32_t *word;
	int64_t until;
	bool timed_out;
	void (*run)(void *arg);
	void *arg;
	char *stack;
};

static struct task tasks[TASKS] = { [0] = { .state = READY } }; /* 0: main */
static struct task *self = &tasks[0];
static uint64_t turns;
static int64_t clock_ns = 1000000000;
static unsigned long switches;

static struct task *next_ready(void)
{
	struct task *next = NULL;

	for (struct task *t = tasks; t < tasks + TASKS; t++)
		if (t->state == READY && t != self && (!next || t->turn < next->turn))
			next = t;
	return next ? next : self->state == READY ? self : NULL;
}

/* Everybody sleeps: to the first deadline. */
static struct task *let_time_pass(void)
{
	struct task *first = NULL;

	for (struct task *t = tasks; t < tasks + TASKS; t++)
		if (t->state == ASLEEP && t->until != FOREVER &&
		    (!first || t->until < first->until))
			first = t;
	if (!first) {
		printf("Bail out! all tasks sleep for ever\n");
		exit(1);
	}
	if (clock_ns < first->until)
		clock_ns = first->until;
	first->state = READY;
	first->timed_out = true;
	return first;
}

static void schedule(void)
{
	struct task *from = self, *to = next_ready();

	from->turn = ++turns;
	if (!to)
		to = let_time_pass();
	if (to == from)
		return;
	self = to;
	switches++;
	swapcontext(&from->context, &to->context);
}

static void run_task(void)
{
	self->run(self->arg);
	ufx_host_thread_ends(&self->marks);
	self->state = UNUSED;
	schedule();
}

static void start(void (*run)(void *arg), void *arg)
{
	struct task *t = tasks;

	while (t->state != UNUSED)
		t++;
	if (!t->stack)
		t->stack = malloc(STACK);
	getcontext(&t->context);
	t->context.uc_stack.ss_sp = t->stack;
	t->context.uc_stack.ss_size = STACK;
	makecontext(&t->context, run_task, 0);
	memset(&t->marks, 0, sizeof(t->marks));
	t->run = run;
	t->arg = arg;
	t->turn = ++turns;
	t->state = READY;
}

/* Until no other task is left. */
static void join_all(void)
{
	for (struct task *t = tasks + 1; t < tasks + TASKS; t++)
		while (t->state != UNUSED)
			ufx_host_yield();
}

/* ---- the host ---- */

int ufx_host_start(void)
{
	return 0;
}

struct ufx_marks *ufx_host_marks(void)
{
	return &self->marks;
}

void *ufx_host_alloc(size_t size)
{
	void *memory = aligned_alloc(64, (size + 63) & ~(size_t)63);

	return memory ? memset(memory, 0, size) : NULL;
}

void ufx_host_free(void *memory, size_t size)
{
	(void)size;
	free(memory);
}

int ufx_host_sleep(const uint32_t *word, uint32_t value,
		   const struct ufx_deadline *deadline)
{
	if (*word != value) /* no other task runs between this and the sleep */
		return 0;
	self->word = word;
	self->until = deadline ? deadline->at.tv_sec * 1000000000 + deadline->at.tv_nsec :
				 FOREVER;
	self->timed_out = false;
	self->turn = ++turns;
	self->state = ASLEEP;
	schedule();
	return self->timed_out ? -ETIMEDOUT : 0;
}

void ufx_host_wake(const uint32_t *word, unsigned int n)
{
	for (; n; n--) {
		struct task *first = NULL;

		for (struct task *t = tasks; t < tasks + TASKS; t++)
			if (t->state == ASLEEP && t->word == word &&
			    (!first || t->turn < first->turn))
				first = t;
		if (!first)
			return;
		first->state = READY;
	}
}

void ufx_host_yield(void)
{
	if (!next_ready() || next_ready() == self)
		let_time_pass();
	schedule();
}

void ufx_host_clock(clockid_t clock, struct timespec *now)
{
	(void)clock;
	*now = (struct timespec){ clock_ns / 1000000000, clock_ns % 1000000000 };
}

unsigned int ufx_host_cpus(void)
{
	return 1;
}

void ufx_host_random(void *to, size_t size)
{
	memset(to, 0x5a, size); /* each run is the same */
}

const char *ufx_host_setting(const char *name)
{
	(void)name;
	return NULL;
}

/* ---- what the tasks do ---- */

static int checks, failed;

static void check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++checks, what);
	failed += !good;
}

static struct ufx_domain *domain;

static int wait_while(const uint32_t *word, uint32_t value,
		      const struct ufx_deadline *deadline)
{
	struct ufx_condition c = { .key = (uintptr_t)word, .word = word, .size = 4,
				   .expected = value };

	return ufx_domain_wait(domain, &c, deadline, NULL);
}

/* A counting semaphore: the word is how many are there. */
static void down(uint32_t *semaphore)
{
	while (!*semaphore)
		wait_while(semaphore, 0, NULL);
	--*semaphore;
}

static void up(uint32_t *semaphore)
{
	++*semaphore;
	ufx_domain_wake(domain, (uintptr_t)semaphore, 1, UFX_ALL);
}

#define ROOM 4
#define ITEMS 1000

static uint32_t empty = ROOM, full, slots[ROOM], put_at, got_at;
static uint64_t sum;

static void produce(void *arg)
{
	for (uint32_t i = 1; i <= ITEMS; i++) {
		down(&empty);
		slots[put_at++ % ROOM] = i * *(uint32_t *)arg;
		up(&full);
	}
}

static void consume(void *arg)
{
	for (uint32_t i = 0; i < ITEMS; i++) {
		down(&full);
		sum += slots[got_at++ % ROOM];
		up(&empty);
	}
	(void)arg;
}

static void channel(void)
{
	static uint32_t factors[3] = { 1, 100, 10000 };
	unsigned long before = switches;

	for (int i = 0; i < 3; i++) {
		start(produce, &factors[i]);
		start(consume, NULL);
	}
	join_all();
	check(sum == 10101ull * ITEMS * (ITEMS + 1) / 2, "3000 items through a channel of 4");
	check(switches - before >= 3 * ITEMS / ROOM, "tasks have waited for each other");
}

/* ---- a crowd on one word, whose table is replaced under it ---- */

#define CROWD 40

static uint32_t gate, order[CROWD], arrived;

static void wait_at_gate(void *arg)
{
	if (wait_while(&gate, 0, NULL) == UFX_WOKEN)
		order[arrived++] = (uint32_t)(uintptr_t)arg;
}

static void crowd(void)
{
	bool in_order = true;

	for (uintptr_t i = 0; i < CROWD; i++)
		start(wait_at_gate, (void *)i);
	while (tasks[CROWD].state != ASLEEP)
		ufx_host_yield();
	check(!ufx_domain_set_slots(domain, 1024), "the table is replaced under them");
	check(ufx_domain_wake(domain, (uintptr_t)&gate, 3, UFX_ALL) == 3, "three are woken");
	while (arrived < 3)
		ufx_host_yield();
	check(ufx_domain_wake(domain, (uintptr_t)&gate, UINT32_MAX, UFX_ALL) == CROWD - 3,
	      "the others are woken");
	join_all();
	for (uint32_t i = 0; i < CROWD; i++)
		in_order = in_order && order[i] == i;
	check(arrived == CROWD && in_order, "all go on, in the order they came");
}

/* ---- deadlines, parkers, references ---- */

static void deadlines(void)
{
	struct ufx_deadline at = ufx_deadline_in(5000000);
	int64_t before = clock_ns;
	uint32_t never = 0;

	check(wait_while(&never, 0, &at) == UFX_TIMED_OUT, "a wait ends by its deadline");
	check(clock_ns == before + 5000000, "at that very time");
}

static int told;

static void tell(void *handle)
{
	told += *(int *)handle;
}

static void parkers(void)
{
	static const struct ufx_parker parker = { tell };
	struct ufx_condition c = { .key = 7 };
	struct ufx_node node = { .owner = NULL };
	uint64_t answer = 0;
	int handle = 3;

	check(!ufx_node_prepare(domain, &node, &c, &parker, &handle), "a callback waits");
	check(ufx_domain_wake_by(domain, 7, &(struct ufx_waker){ .n = 1, .token = 12 }) == 1,
	      "it is woken");
	check(ufx_node_finish(&node, &answer) == UFX_WOKEN && told == 3 && answer == 12,
	      "it is called, with the token");
}

static int released;

static void release(struct ufx_ref *ref)
{
	released++;
	ufx_ref_exit(ref);
}

static struct ufx_ref shared;

static void use(void *arg)
{
	ufx_host_yield();
	ufx_ref_put(&shared);
	(void)arg;
}

static void references(void)
{
	check(!ufx_ref_init(&shared, release), "a reference");
	for (int i = 0; i < 10; i++) {
		ufx_ref_get(&shared);
		start(use, NULL);
	}
	check(!ufx_ref_kill(&shared) && !released, "killed while ten use it");
	join_all();
	check(released == 1, "released once, by the last of them");
}

int main(void)
{
	if (ufx_domain_create(&domain, NULL)) {
		printf("Bail out! no domain\n");
		return 1;
	}
	channel();
	crowd();
	deadlines();
	parkers();
	references();
	check(!ufx_domain_destroy(domain), "nobody is left");
	check(!ufx_grace_barrier(), "nothing is pending");
	printf("1..%d\n", checks);
	return failed ? 1 : 0;
}
