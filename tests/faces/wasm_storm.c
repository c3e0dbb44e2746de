// SPDX-License-Identifier: MIT
/*
 * WebAssembly threads, all at once: waits with and without a time, on two words,
 * notified and interrupted. What notifies counted is what waits were told.
 */
#include <pthread.h>

#include <ufutex/wasm.h>

#include "tap.h"

#define FOREVER (-1)

static _Alignas(8) unsigned char bytes[512];
static struct ufx_wasm_memory memory;

static void set(uint64_t address, uint64_t value)
{
	__atomic_store_n((uint64_t *)(bytes + address), value, __ATOMIC_SEQ_CST);
}

#define AGENTS 4
#define ROUNDS 6000
#define WORD(n) (256 + 8 * (uint64_t)(n))

static struct ufx_wasm_agent agents[AGENTS];
static int over;
static long told, counted;

static void *waits(void *arg)
{
	struct ufx_wasm_agent *me = arg;
	unsigned int n = (unsigned int)(me - agents);
	long mine = 0;

	while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST)) {
		int how = ++n % 2 ? ufx_wasm_wait32(&memory, me, WORD(n & 2), 0, FOREVER) :
				    ufx_wasm_wait64(&memory, me, WORD(n & 2), 0, 100000);

		mine += how == UFX_WASM_OK;
		if (how == UFX_WASM_INTERRUPTED && !ufx_wasm_resume(me))
			ok(0, "an interrupt has a reason");
		if (how < UFX_WASM_INTERRUPTED)
			ok(0, "no wait ends as %d", how);
	}
	__atomic_fetch_add(&told, mine, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *notifies(void *arg)
{
	long mine = 0;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		mine += ufx_wasm_notify(&memory, WORD(i & 2), 1 + i % 3);
		if (arg)
			ufx_wasm_interrupt(&memory, &agents[i % AGENTS], i + 1);
		if (i % 8 == 0)
			sched_yield();
	}
	__atomic_fetch_add(&counted, mine, __ATOMIC_SEQ_CST);
	return NULL;
}

static void storm(void)
{
	pthread_t threads[AGENTS], notifiers[2];

	set(WORD(0), 0);
	set(WORD(2), 0);
	for (int i = 0; i < AGENTS; i++)
		pthread_create(&threads[i], NULL, waits, &agents[i]);
	for (int i = 0; i < 2; i++)
		pthread_create(&notifiers[i], NULL, notifies, i ? &over : NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(notifiers[i], NULL);
	__atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 2; i++) {
		set(WORD(2 * i), UINT64_MAX);
		counted += ufx_wasm_notify(&memory, WORD(2 * i), UINT32_MAX);
	}
	for (int i = 0; i < AGENTS; i++)
		pthread_join(threads[i], NULL);
	ok(counted > 0, "some were notified");
	is_int(told, counted, "as many as notifies counted");
}

int main(void)
{
	if (ufx_wasm_memory_create(&memory, bytes, sizeof(bytes), true, NULL))
		bail("no memory");
	storm();
	is_int(ufx_wasm_memory_destroy(&memory), 0, "nobody is left");
	return tap_end();
}
