/* SPDX-License-Identifier: MIT */
/*
 * A guest's memory for tests: pages of 4 KiB at guest addresses from BASE on, each
 * absent, present, read-only, away (to be brought in without a lock), or the
 * piece of memory that all guests share.
 */
#ifndef TESTS_GUEST_MEMORY_H
#define TESTS_GUEST_MEMORY_H

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <ufutex/domain.h>
#include <ufutex/guest.h>

#define PAGE 4096u
#define PAGES 64u
#define BASE 0x40000000u
#define LIMIT (BASE + PAGES * PAGE)
/* An address in page @n. */
#define AT(n, offset) (BASE + (n) * PAGE + (offset))

enum page_state { PRESENT, ABSENT, READ_ONLY, AWAY, SHARED };

struct memory {
	uint8_t bytes[PAGES * PAGE] __attribute__((aligned(4096)));
	uint8_t state[PAGES];
	int brought_in, refused; /* of pages that were away */
	bool flees;              /* the next one that is brought in goes away once more */
	/* Others run between a look without the lock and what follows; pages go away. */
	bool dawdles;
	unsigned int looks;
};

static uint8_t memory_shared[PAGE] __attribute__((aligned(4096)));

/* NULL if it cannot be reached; *@error says why. */
static inline void *memory_at(struct memory *m, uint64_t at, bool write, bool locked,
			      int *error)
{
	uint64_t page = (at - BASE) / PAGE;
	uint8_t state;

	*error = -EFAULT;
	if (at < BASE || page >= PAGES)
		return NULL;
	state = __atomic_load_n(&m->state[page], __ATOMIC_RELAXED);
	if (state == ABSENT || (write && state == READ_ONLY))
		return NULL;
	if (state == SHARED)
		return &memory_shared[at % PAGE];
	if (state == AWAY) {
		if (locked) {
			*error = -EBUSY;
			__atomic_fetch_add(&m->refused, 1, __ATOMIC_RELAXED);
			return NULL;
		}
		__atomic_fetch_add(&m->brought_in, 1, __ATOMIC_RELAXED);
		if (m->flees)
			m->flees = false;
		else
			__atomic_store_n(&m->state[page], PRESENT, __ATOMIC_RELAXED);
	}
	return &m->bytes[at - BASE];
}

static inline void memory_dawdle(struct memory *m, uint64_t at)
{
	if (__atomic_fetch_add(&m->looks, 1, __ATOMIC_RELAXED) % 16 == 0)
		__atomic_store_n(&m->state[(at - BASE) / PAGE], AWAY, __ATOMIC_RELAXED);
	else
		sched_yield();
}

static inline int memory_load(void *space, uint64_t at, uint32_t *value, bool locked)
{
	int error;
	uint32_t *word = memory_at(space, at, false, locked, &error);

	if (!word)
		return error;
	*value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	if (((struct memory *)space)->dawdles && !locked)
		memory_dawdle(space, at);
	return 0;
}

static inline int memory_cas(void *space, uint64_t at, uint32_t *expected,
			     uint32_t desired, bool locked)
{
	int error;
	uint32_t *word = memory_at(space, at, true, locked, &error);

	if (!word)
		return error;
	return __atomic_compare_exchange_n(word, expected, desired, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Byte by byte, little endian: it may lie across pages. */
static inline int memory_read(void *space, uint64_t at, uint32_t size, uint64_t *value)
{
	*value = 0;
	for (uint32_t i = 0; i < size; i++) {
		int error;
		uint8_t *byte = memory_at(space, at + i, false, false, &error);

		if (!byte)
			return error;
		*value |= (uint64_t)*byte << (8 * i);
	}
	return 0;
}

static inline int memory_shared_key(void *space, uint64_t at, bool write, uint64_t *key)
{
	int error;
	void *host = memory_at(space, at, write, false, &error);

	if (!host)
		return error;
	if (((struct memory *)space)->state[(at - BASE) / PAGE] != SHARED)
		return 0;
	*key = (uintptr_t)host;
	return 1;
}

static inline void memory_write(struct memory *m, uint64_t at, uint32_t size,
				uint64_t value)
{
	for (uint32_t i = 0; i < size; i++) {
		int error;
		uint8_t *byte = memory_at(m, at + i, false, false, &error);

		*byte = (uint8_t)(value >> (8 * i));
	}
}

static inline uint32_t *memory_word(struct memory *m, uint64_t at)
{
	int error;

	return memory_at(m, at, false, false, &error);
}

static const struct ufx_guest_ops memory_ops = {
	.load = memory_load,
	.cas = memory_cas,
	.read = memory_read,
	.shared_key = memory_shared_key,
};

#endif
