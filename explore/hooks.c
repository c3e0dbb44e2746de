/* SPDX-License-Identifier: MIT */
/*
 * What the compiler calls for each access to memory: the interface of the
 * thread sanitizer, whose runtime is not linked. The engine and the scenarios
 * are compiled so; the explorer is not.
 *
 * A mutant is one call with a weaker order, known by its return address.
 */
#include "state.h"

#define PC ((uintptr_t)__builtin_return_address(0))

/* What no other thread sees. */
static bool local(const void *addr)
{
	return on_a_stack(addr) || image_is_tls(addr);
}

static bool is_weakened(uintptr_t pc)
{
	for (unsigned int i = 0; i < model->weakened_used; i++)
		if (model->weakened[i] == pc)
			return true;
	return false;
}

int order_at(uintptr_t pc, int order)
{
	model->pc = pc;
	if (model->sites && order != __ATOMIC_RELAXED)
		model->sites[pc % SITES] = (uint8_t)order;
	if (!is_weakened(pc))
		return order;
	model->weakened_met = true;
	return __ATOMIC_RELAXED;
}

/* True if the access is one that others could see: it may go on now. */
static bool atomic_step(const void *addr, unsigned int size, uintptr_t pc)
{
	if (!model->exploring)
		return false;
	if (local(addr)) {
		point_local();
		return false;
	}
	point(addr);
	model->pc = pc;
	memory_check(addr, size);
	return true;
}

static const char *const order_names[] = { "relaxed", "consume", "acquire",
					   "release", "acq_rel", "seq_cst" };

static uint64_t load(const void *addr, unsigned int size, int order, uintptr_t pc)
{
	uint64_t value;

	race_check(addr, size, ACCESS_ATOMIC_READ);
	value = view_load(addr, size, order);
	model->pc = pc;
	trace_step("load", addr, "%s: %#lx", order_names[order], value);
	return value;
}

static void store(void *addr, unsigned int size, uint64_t value, int order)
{
	race_check(addr, size, ACCESS_ATOMIC_WRITE);
	trace_step("store", addr, "%s: %#lx", order_names[order], value);
	view_store(addr, size, value, order);
}

static void rmw(void *addr, unsigned int size, uint64_t old, uint64_t value, int order)
{
	race_check(addr, size, ACCESS_ATOMIC_WRITE);
	trace_step("rmw", addr, "%s: %#lx -> %#lx", order_names[order], old, value);
	view_rmw(addr, size, value, order);
}

static void cas_failed(const void *addr, unsigned int size, uint64_t found, int order)
{
	race_check(addr, size, ACCESS_ATOMIC_READ);
	trace_step("cas failed", addr, "%s: %#lx", order_names[order], found);
	view_failed_cas(addr, size, order);
}

/* One read-modify-write of one size; @expression makes the new value. */
#define RMW(bits, name, expression)                                            \
	uint##bits##_t __tsan_atomic##bits##_##name(                           \
		volatile uint##bits##_t *addr, uint##bits##_t v, int order)    \
	{                                                                      \
		void *p = (void *)(uintptr_t)addr;                             \
		bool seen = atomic_step(p, bits / 8, PC);                      \
		uint##bits##_t old = *addr, new = (uint##bits##_t)(expression); \
                                                                               \
		if (seen) {                                                    \
			rmw(p, bits / 8, old, new, order_at(PC, order));         \
		} else {                                                       \
			view_plain_store(p, bits / 8);                         \
			*addr = new;                                           \
		}                                                              \
		return old;                                                    \
	}

#define SIZE(bits)                                                             \
	uint##bits##_t __tsan_atomic##bits##_load(                             \
		const volatile uint##bits##_t *addr, int order)                \
	{                                                                      \
		const void *p = (const void *)(uintptr_t)addr;                 \
                                                                               \
		if (!atomic_step(p, bits / 8, PC))                             \
			return *addr;                                          \
		return (uint##bits##_t)load(p, bits / 8, order_at(PC, order), PC); \
	}                                                                      \
	void __tsan_atomic##bits##_store(volatile uint##bits##_t *addr,        \
					 uint##bits##_t v, int order)          \
	{                                                                      \
		void *p = (void *)(uintptr_t)addr;                             \
                                                                               \
		if (atomic_step(p, bits / 8, PC)) {                            \
			store(p, bits / 8, v, order_at(PC, order));              \
		} else {                                                       \
			view_plain_store(p, bits / 8);                         \
			*addr = v;                                             \
		}                                                              \
	}                                                                      \
	int __tsan_atomic##bits##_compare_exchange_strong(                     \
		volatile uint##bits##_t *addr, uint##bits##_t *expected,       \
		uint##bits##_t v, int order, int failed)                       \
	{                                                                      \
		void *p = (void *)(uintptr_t)addr;                             \
		bool seen = atomic_step(p, bits / 8, PC);                      \
		uint##bits##_t old = *addr;                                    \
                                                                               \
		if (old != *expected) {                                        \
			if (seen)                                              \
				cas_failed(p, bits / 8, old, order_at(PC, failed)); \
			*expected = old;                                       \
			return 0;                                              \
		}                                                              \
		if (seen) {                                                    \
			rmw(p, bits / 8, old, v, order_at(PC, order));           \
		} else {                                                       \
			view_plain_store(p, bits / 8);                         \
			*addr = v;                                             \
		}                                                              \
		return 1;                                                      \
	}                                                                      \
	RMW(bits, exchange, v)                                                 \
	RMW(bits, fetch_add, old + v)                                          \
	RMW(bits, fetch_sub, old - v)                                          \
	RMW(bits, fetch_or, old | v)                                           \
	RMW(bits, fetch_and, old & v)                                          \
	RMW(bits, fetch_xor, old ^ v)

SIZE(8)
SIZE(16)
SIZE(32)
SIZE(64)

void __tsan_atomic_thread_fence(int order)
{
	if (!model->exploring)
		return;
	point(NULL);
	if (order_at(PC, order) != order)
		return;
	trace_step("fence", NULL, "%s", order_names[order]);
	view_fence(order);
}

/* ---- plain accesses ---- */

static void plain(const void *addr, size_t size, enum access access, uintptr_t pc)
{
	if (model->exploring && !local(addr)) {
		point_local();
		model->pc = pc;
		memory_check(addr, size);
		race_check(addr, size, access);
	}
	if (access == ACCESS_WRITE)
		view_plain_store(addr, size);
}

#define PLAIN(size)                                                            \
	void __tsan_read##size(void *addr)                                     \
	{                                                                      \
		plain(addr, size, ACCESS_READ, PC);                            \
	}                                                                      \
	void __tsan_write##size(void *addr)                                    \
	{                                                                      \
		plain(addr, size, ACCESS_WRITE, PC);                           \
	}                                                                      \
	void __tsan_unaligned_read##size(void *addr)                           \
	{                                                                      \
		plain(addr, size, ACCESS_READ, PC);                            \
	}                                                                      \
	void __tsan_unaligned_write##size(void *addr)                          \
	{                                                                      \
		plain(addr, size, ACCESS_WRITE, PC);                           \
	}

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

void __tsan_read_range(void *addr, size_t size)
{
	plain(addr, size, ACCESS_READ, PC);
}

void __tsan_write_range(void *addr, size_t size)
{
	plain(addr, size, ACCESS_WRITE, PC);
}

void __tsan_init(void)
{
}
