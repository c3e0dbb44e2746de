// SPDX-License-Identifier: MIT
/*
 * WebAssembly threads: what the specification of memory.atomic.wait32, wait64 and
 * notify says, by its own tests (atomic.wast, wait_notify) and beyond; and how a host
 * ends waits.
 */
#include <ufutex/wasm.h>

#include "blocked.h"
#include "tap.h"

#define PAGE 65536
#define FOREVER (-1)

static _Alignas(PAGE) unsigned char bytes[2 * PAGE];
static struct ufx_wasm_memory memory;

static void set32(uint64_t address, uint32_t value)
{
	value = (uint32_t)ufx_wasm_lies(value, 4);
	__atomic_store_n((uint32_t *)(bytes + address), value, __ATOMIC_SEQ_CST);
}

static void set64(uint64_t address, uint64_t value)
{
	value = ufx_wasm_lies(value, 8);
	__atomic_store_n((uint64_t *)(bytes + address), value, __ATOMIC_SEQ_CST);
}

/* A wait in a thread of its own. */
struct waiter {
	struct blocked thread;
	struct ufx_wasm_memory *memory;
	struct ufx_wasm_agent agent;
	uint64_t address, expected;
	bool wide;
};

static long wait_there(void *arg)
{
	struct waiter *w = arg;

	if (w->wide)
		return ufx_wasm_wait64(w->memory, &w->agent, w->address, w->expected,
				       FOREVER);
	return ufx_wasm_wait32(w->memory, &w->agent, w->address, (uint32_t)w->expected,
			       FOREVER);
}

static void start(struct waiter *w, uint64_t address, uint64_t expected, bool wide)
{
	if (!w->memory)
		w->memory = &memory;
	w->address = address;
	w->expected = expected;
	w->wide = wide;
	blocked_start(&w->thread, wait_there, w, NULL);
	if (!blocked_wait(&w->thread))
		bail("a wait at %llu ended by itself: %ld", (unsigned long long)address,
		     w->thread.result);
}

static void ends(struct waiter *w, long how, const char *what)
{
	is_int(blocked_join(&w->thread), how, "%s", what);
}

/* ---- by one thread ---- */

static void results(void)
{
	set64(0, 0x0000ffffffffffff);
	is_int(ufx_wasm_wait32(&memory, NULL, 0, 0, 0), 1, "wait32: not equal");
	is_int(ufx_wasm_wait64(&memory, NULL, 0, 0, 0), 1, "wait64: not equal");
	is_int(ufx_wasm_notify(&memory, 0, 0), 0, "notify of none");
	is_int(ufx_wasm_notify(&memory, 0, 10), 0, "notify: nobody waits");
	is_int(ufx_wasm_wait32(&memory, NULL, 0, UINT32_MAX, 0), 2, "wait32: no time");
	is_int(ufx_wasm_wait32(&memory, NULL, 4, 0xffff, 1000000), 2, "wait32: 1 ms");
	is_int(ufx_wasm_wait64(&memory, NULL, 0, 0x0000ffffffffffff, 1), 2, "wait64: 1 ns");
	is_int(ufx_wasm_wait64(&memory, NULL, 0, 0x1ffffffffffff, FOREVER), 1,
	       "wait64: the upper half differs");
	is_int(ufx_wasm_wait32(&memory, NULL, 0, 1, INT64_MIN), 1, "no time is too short");
	is_int(ufx_wasm_notify(&memory, PAGE - 4, UINT32_MAX), 0, "notify: the last word");
	set64(0, 0);
}

static void traps_of(struct ufx_wasm_memory *m, uint64_t end)
{
	uint64_t a;

	for (a = 1; a < 4; a++) {
		is_int(ufx_wasm_wait32(m, NULL, a, 0, 0), UFX_WASM_MISALIGNED,
		       "wait32 at %d", (int)a);
		is_int(ufx_wasm_notify(m, a, 1), UFX_WASM_MISALIGNED, "notify at %d",
		       (int)a);
	}
	for (a = 1; a < 8; a++)
		is_int(ufx_wasm_wait64(m, NULL, a, 0, 0), UFX_WASM_MISALIGNED,
		       "wait64 at %d", (int)a);
	is_int(ufx_wasm_wait32(m, NULL, end, 0, 0), UFX_WASM_OUT_OF_BOUNDS, "wait32: end");
	is_int(ufx_wasm_wait32(m, NULL, end - 3, 0, 0), UFX_WASM_OUT_OF_BOUNDS,
	       "wait32: over the end");
	is_int(ufx_wasm_wait64(m, NULL, end - 4, 0, 0), UFX_WASM_OUT_OF_BOUNDS,
	       "wait64: over the end");
	is_int(ufx_wasm_notify(m, end, 0), UFX_WASM_OUT_OF_BOUNDS, "notify: end");
	is_int(ufx_wasm_wait32(m, NULL, UINT64_MAX - 3, 0, 0), UFX_WASM_OUT_OF_BOUNDS,
	       "wait32: the end of all");
	is_int(ufx_wasm_wait64(m, NULL, UINT64_MAX - 7, 0, 0), UFX_WASM_OUT_OF_BOUNDS,
	       "wait64: the end of all");
	is_int(ufx_wasm_notify(m, UINT64_MAX - 3, 1), UFX_WASM_OUT_OF_BOUNDS,
	       "notify: the end of all");
	is_int(ufx_wasm_notify(m, (1ull << 32), 1), UFX_WASM_OUT_OF_BOUNDS,
	       "notify: 2^32 is not 0");
}

static void traps(void)
{
	struct ufx_wasm_memory none, small;

	traps_of(&memory, PAGE);
	is_int(ufx_wasm_wait32(&memory, NULL, PAGE - 4, 1, 0), 1, "wait32: the last word");
	is_int(ufx_wasm_wait64(&memory, NULL, PAGE - 8, 1, 0), 1, "wait64: the last word");
	is_int(ufx_wasm_memory_create(&none, bytes, PAGE, false, NULL), 0, "unshared");
	traps_of(&none, PAGE);
	is_int(ufx_wasm_wait32(&none, NULL, 0, 0, 0), UFX_WASM_UNSHARED, "wait32: unshared");
	is_int(ufx_wasm_wait64(&none, NULL, 0, 1, 0), UFX_WASM_UNSHARED, "wait64: unshared");
	is_int(ufx_wasm_notify(&none, 0, 1), 0, "notify: unshared");
	is_int(ufx_wasm_memory_close(&none) + ufx_wasm_memory_shrink(&none, 8), 0,
	       "there is nobody to be ended");
	is_int(ufx_wasm_memory_destroy(&none), 0, "nor a domain");
	is_int(ufx_wasm_memory_create(&small, bytes, 0, true, NULL), 0, "no bytes");
	is_int(ufx_wasm_notify(&small, 0, 1), UFX_WASM_OUT_OF_BOUNDS, "nothing is in bounds");
	is_int(ufx_wasm_memory_destroy(&small), 0, "gone");
}

static void texts(void)
{
	is_str(ufx_wasm_trap_text(UFX_WASM_UNSHARED), "expected shared memory", "unshared");
	is_str(ufx_wasm_trap_text(UFX_WASM_MISALIGNED), "unaligned atomic", "misaligned");
	is_str(ufx_wasm_trap_text(UFX_WASM_OUT_OF_BOUNDS), "out of bounds memory access",
	       "out of bounds");
	ok(!ufx_wasm_trap_text(1) && !ufx_wasm_trap_text(UFX_WASM_GONE), "no others");
}

static void errors(void)
{
	struct ufx_wasm_agent agent = { .reason = 0 };
	struct ufx_wasm_memory m;
	struct ufx_domain_options odd = { .slots = 3 };

	is_int(ufx_wasm_memory_create(NULL, bytes, 8, true, NULL), -EINVAL, "no memory");
	is_int(ufx_wasm_memory_create(&m, bytes + 4, 8, true, NULL), -EINVAL, "a bad base");
	is_int(ufx_wasm_memory_create(&m, bytes, 8, true, &odd), -EINVAL, "three slots");
	is_int(ufx_wasm_wait32(NULL, NULL, 0, 0, 0), UFX_WASM_FAILED, "wait: no memory");
	is_int(ufx_wasm_notify(NULL, 0, 1), UFX_WASM_FAILED, "notify: no memory");
	is_int(ufx_wasm_memory_shrink(NULL, 0), -EINVAL, "shrink: no memory");
	is_int(ufx_wasm_memory_close(NULL), -EINVAL, "close: no memory");
	is_int(ufx_wasm_memory_destroy(NULL), -EINVAL, "destroy: no memory");
	is_int(ufx_wasm_interrupt(NULL, &agent, 1), -EINVAL, "interrupt: no memory");
	is_int(ufx_wasm_interrupt(&memory, NULL, 1), -EINVAL, "interrupt: nobody");
	is_int(ufx_wasm_interrupt(&memory, &agent, 0), -EINVAL, "interrupt: no reason");
	is_int(ufx_wasm_interrupt_all(&memory, NULL, 1), -EINVAL, "interrupt_all: of nothing");
}

/* ---- order and counts ---- */

static void notified(void)
{
	struct waiter a = { .wide = 0 };

	set32(64, UINT32_MAX);
	start(&a, 64, UINT32_MAX, false);
	is_int(ufx_wasm_notify(&memory, 60, 9) + ufx_wasm_notify(&memory, 68, 9), 0,
	       "the words beside it have no waiters");
	is_int(ufx_wasm_notify(&memory, 64, 0), 0, "of none, none");
	set32(64, 7);
	ok(blocked_wait(&a.thread), "a store alone ends nothing");
	is_int(ufx_wasm_notify(&memory, 64, 9), 1, "one is notified");
	ends(&a, UFX_WASM_OK, "and knows it");
	is_int(ufx_wasm_notify(&memory, 64, 9), 0, "once");
}

static void in_order(void)
{
	struct waiter w[5] = { [0].wide = 0 };

	set64(64, 0);
	for (int i = 0; i < 5; i++)
		start(&w[i], 64, 0, i % 2); /* words of both sizes in one queue */
	is_int(ufx_wasm_notify(&memory, 64, 1), 1, "one of five");
	ends(&w[0], UFX_WASM_OK, "the first");
	is_int(ufx_wasm_notify(&memory, 64, 2), 2, "two");
	ends(&w[1], UFX_WASM_OK, "the second");
	ends(&w[2], UFX_WASM_OK, "the third");
	is_int(blocked_count(&w[3].thread, 1) + blocked_count(&w[4].thread, 1), 2,
	       "the others sleep");
	is_int(ufx_wasm_notify(&memory, 64, UINT32_MAX), 2, "all that are left");
	ends(&w[3], UFX_WASM_OK, "the fourth");
	ends(&w[4], UFX_WASM_OK, "the last");
}

/* Two notifies of one each, at once: never both the same waiter. */
static void twice(void)
{
	struct waiter w[2] = { [0].wide = 0 };

	for (int i = 0; i < 2; i++)
		start(&w[i], 64, 0, false);
	is_int(ufx_wasm_notify(&memory, 64, 1) + ufx_wasm_notify(&memory, 64, 1), 2,
	       "two notifies of one");
	for (int i = 0; i < 2; i++)
		ends(&w[i], UFX_WASM_OK, "one of them each");
}

/* Two memories; even on the same bytes they are strangers. */
static void strangers(void)
{
	struct ufx_wasm_memory other;
	struct waiter a = { .wide = 0 }, b = { .memory = &other };

	is_int(ufx_wasm_memory_create(&other, bytes, PAGE, true, NULL), 0, "another memory");
	start(&a, 64, 0, false);
	start(&b, 64, 0, false);
	is_int(ufx_wasm_notify(&other, 64, 9), 1, "its own waiter");
	ends(&b, UFX_WASM_OK, "is notified");
	ok(blocked_wait(&a.thread), "the other sleeps");
	is_int(ufx_wasm_notify(&memory, 64, 9), 1, "until it is its turn");
	ends(&a, UFX_WASM_OK, "notified");
	is_int(ufx_wasm_memory_destroy(&other), 0, "gone");
}

/* ---- interrupts ---- */

static void interrupted(void)
{
	struct waiter a = { .wide = 0 }, b = a;

	start(&a, 64, 0, false);
	start(&b, 64, 0, false);
	is_int(ufx_wasm_interrupt(&memory, &b.agent, 77), 1, "one is interrupted");
	ends(&b, UFX_WASM_INTERRUPTED, "the second");
	is_int((long)ufx_wasm_reason(&b.agent), 77, "the reason");
	is_int(ufx_wasm_interrupt(&memory, &b.agent, 78), 0, "there is no wait any more");
	is_int(ufx_wasm_wait32(&memory, &b.agent, 64, 0, FOREVER), UFX_WASM_INTERRUPTED,
	       "it stands");
	is_int(ufx_wasm_wait32(&memory, &b.agent, 64, 1, FOREVER), 1, "a mismatch is one");
	is_int((long)ufx_wasm_resume(&b.agent), 78, "resumed");
	is_int(ufx_wasm_wait32(&memory, &b.agent, 64, 0, 1000), 2, "it waits again");
	is_int(ufx_wasm_notify(&memory, 64, 9), 1, "the first one waited on");
	ends(&a, UFX_WASM_OK, "and is notified");
}

/* One that comes late: the agent has found the reason, resumed, and waits anew. */
static void answered(void)
{
	struct waiter a = { .wide = 0 };
	struct ufx_waker late = { .n = 1, .token = 1, .each = ufx_wasm_is_agent,
				  .arg = &a.agent };

	start(&a, 64, 0, false);
	is_int(ufx_domain_wake_by(memory.domain, 64, &late), 0, "a late interrupt");
	is_int(ufx_wasm_notify(&memory, 64, 9), 1, "is for an earlier wait");
	ends(&a, UFX_WASM_OK, "notified");
}

static void all_of_an_instance(void)
{
	struct ufx_wasm_instance mine = { 0 }, yours = { 0 };
	struct waiter w[4] = { [0].wide = 0 };

	for (int i = 0; i < 4; i++) {
		w[i].agent.instance = i == 2 ? &yours : &mine;
		start(&w[i], 128 + 8 * (uint64_t)(i / 2), 0, i % 2);
	}
	is_int(ufx_wasm_interrupt_all(&memory, &mine, 5), 3, "three of an instance");
	for (int i = 0; i < 4; i++)
		if (i != 2)
			ends(&w[i], UFX_WASM_INTERRUPTED, "interrupted");
	is_int((long)ufx_wasm_reason(&w[3].agent), 5, "the reason");
	ok(blocked_wait(&w[2].thread), "the other instance's agent sleeps");
	is_int(ufx_wasm_wait32(&memory, &w[0].agent, 64, 0, FOREVER), UFX_WASM_INTERRUPTED,
	       "it stands for each of its agents");
	is_int((long)ufx_wasm_resume_all(&mine), 5, "resumed");
	is_int(ufx_wasm_wait32(&memory, &w[0].agent, 64, 0, 1000), 2, "they wait again");
	is_int(ufx_wasm_notify(&memory, 136, 9), 1, "the one that is left");
	ends(&w[2], UFX_WASM_OK, "is notified");
}

/* ---- the memory's end ---- */

static void shrunk(void)
{
	struct waiter low = { .wide = 0 }, high = low;

	ufx_wasm_memory_grow(&memory, 2 * PAGE);
	start(&low, PAGE - 4, 0, false);
	start(&high, PAGE, 0, true);
	is_int(ufx_wasm_memory_shrink(&memory, 2 * PAGE), 0, "no less than before");
	is_int(ufx_wasm_memory_shrink(&memory, PAGE), 1, "one waits behind the end");
	ends(&high, UFX_WASM_GONE, "its memory is gone");
	is_int(ufx_wasm_wait32(&memory, NULL, PAGE, 0, 0), UFX_WASM_OUT_OF_BOUNDS,
	       "a later one is out of bounds");
	ufx_wasm_memory_grow(&memory, 2 * PAGE);
	is_int(ufx_wasm_notify(&memory, PAGE, 9), 0, "grown again, nobody is left there");
	start(&high, PAGE, 0, true);
	is_int(ufx_wasm_notify(&memory, PAGE, 9), 1, "but who came since");
	ends(&high, UFX_WASM_OK, "is notified");
	is_int(ufx_wasm_notify(&memory, PAGE - 4, 9), 1, "the last word before stayed");
	ends(&low, UFX_WASM_OK, "and is notified");
	ufx_wasm_memory_shrink(&memory, PAGE);
}

static void closed(void)
{
	struct ufx_wasm_memory m;
	struct waiter w[2] = { { .memory = &m }, { .memory = &m } };

	ufx_wasm_memory_create(&m, bytes, PAGE, true, NULL);
	start(&w[0], 64, 0, false);
	start(&w[1], 72, 0, true);
	is_int(ufx_wasm_memory_destroy(&m), -EBUSY, "somebody waits");
	is_int(ufx_wasm_memory_close(&m), 2, "all are ended");
	ends(&w[0], UFX_WASM_GONE, "gone");
	ends(&w[1], UFX_WASM_GONE, "gone");
	is_int(ufx_wasm_wait32(&m, NULL, 64, 0, FOREVER), UFX_WASM_GONE, "later ones, too");
	is_int(ufx_wasm_notify(&m, 64, 9), 0, "nobody is there");
	is_int(ufx_wasm_memory_destroy(&m), 0, "destroyed");
}

/* ---- loads of the host's, and what happens between the first and the second ---- */

static int loads;
static void (*meanwhile)(void); /* after the first load, before the lock */
static struct ufx_wasm_agent self;

/* The bytes lie from the end of the memory on, as some big-endian hosts have them. */
static uint64_t load_reversed(const struct ufx_wasm_memory *m, uint64_t address,
			      uint32_t size)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < size; i++)
		value |= (uint64_t)m->base[m->size - 1 - address - i] << (8 * i);
	if (!loads++ && meanwhile)
		meanwhile();
	return value;
}

static void reversed(void)
{
	struct ufx_wasm_memory m;

	ufx_wasm_memory_create(&m, bytes, PAGE, true, NULL);
	m.load = load_reversed;
	for (int i = 0; i < 8; i++)
		bytes[PAGE - 1 - i] = (unsigned char)(0x11 * (i + 1));
	loads = 0;
	is_int(ufx_wasm_wait32(&m, NULL, 0, 0x11223344, FOREVER), 1, "32 bits: not equal");
	is_int(loads, 1, "seen at the first look");
	is_int(ufx_wasm_wait32(&m, NULL, 0, 0x44332211, 1000), 2, "32 bits: equal");
	is_int(loads, 3, "at both looks");
	is_int(ufx_wasm_wait64(&m, NULL, 0, 0x8877665544332211, 1000), 2, "64 bits: equal");
	is_int(ufx_wasm_wait64(&m, NULL, 0, 0x8877665544332210, FOREVER), 1, "not equal");
	ufx_wasm_memory_destroy(&m);
	memset(bytes + PAGE - 8, 0, 8);
}

static struct ufx_wasm_memory between;

static void stores(void)
{
	bytes[PAGE - 1 - 64] = 1;
	ufx_wasm_notify(&between, 64, 9);
}

static void interrupts(void)
{
	is_int(ufx_wasm_interrupt(&between, &self, 3), 0, "nobody waits yet");
}

static void interrupts_all(void)
{
	is_int(ufx_wasm_interrupt_all(&between, self.instance, 3), 0, "nobody waits yet");
}

static void shrinks(void)
{
	ufx_wasm_memory_shrink(&between, 64);
}

static void closes(void)
{
	ufx_wasm_memory_close(&between);
}

/* Each comes too early to find the wait, which must find it: else it sleeps on. */
static void windows(void)
{
	static const struct {
		const char *what;
		void (*act)(void);
		int how;
	} acts[] = {
		{ "a notify", stores, UFX_WASM_NOT_EQUAL },
		{ "an interrupt", interrupts, UFX_WASM_INTERRUPTED },
		{ "an interrupt of all", interrupts_all, UFX_WASM_INTERRUPTED },
		{ "a shrink", shrinks, UFX_WASM_OUT_OF_BOUNDS },
		{ "a close", closes, UFX_WASM_GONE },
	};
	struct ufx_wasm_instance instance = { 0 };

	for (unsigned int i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		ufx_wasm_memory_create(&between, bytes, PAGE, true, NULL);
		between.load = load_reversed;
		self = (struct ufx_wasm_agent){ .instance = &instance };
		meanwhile = acts[i].act;
		loads = 0;
		is_int(ufx_wasm_wait32(&between, &self, 64, 0, FOREVER), acts[i].how,
		       "%s between the looks", acts[i].what);
		ufx_wasm_resume_all(&instance);
		bytes[PAGE - 1 - 64] = 0;
		is_int(ufx_wasm_memory_destroy(&between), 0, "nobody is left");
	}
	meanwhile = NULL;
}

int main(void)
{
	if (ufx_wasm_memory_create(&memory, bytes, PAGE, true, NULL))
		bail("no memory");
	results();
	traps();
	texts();
	errors();
	notified();
	in_order();
	twice();
	strangers();
	interrupted();
	answered();
	all_of_an_instance();
	shrunk();
	closed();
	reversed();
	windows();
	is_int(ufx_wasm_memory_destroy(&memory), 0, "nobody is left");
	return tap_end();
}
