/* SPDX-License-Identifier: MIT */
/*
 * WebAssembly threads: memory.atomic.wait32, memory.atomic.wait64 and
 * memory.atomic.notify, for engines. A small face over ufutex/wait.h and wake.h.
 *
 *	struct ufx_wasm_memory memory;
 *
 *	err = ufx_wasm_memory_create(&memory, base, bytes, true, NULL);
 *	...
 *	how = ufx_wasm_wait32(&memory, &agent, address, expected, timeout);
 *	if (how < 0)
 *		...; a trap, or the host has ended the wait
 *	push_i32(how);
 *
 * Addresses are the guest's: effective ones (operand plus offset, not wrapped),
 * from 0, up to 64 bits. Each memory has a domain of its own, so a notify in one never
 * finds a waiter of another, wherever they are mapped. Instances that share a
 * memory share its struct ufx_wasm_memory.
 *
 * A wait of 32 bits and one of 64 on one address stand in one queue, first in, first
 * out; notify counts exactly, and no wait ends by accident. UFX_WASM_OK says that a
 * notify counted this very wait.
 *
 * Memory order: the loads of the words and notify's look at the queue are sequentially
 * consistent, as the specification has them.
 *
 * Signal handlers: notify may be called from one (ufutex/wake.h has how it counts
 * there); nothing else.
 */
#ifndef UFUTEX_WASM_H
#define UFUTEX_WASM_H

#include <errno.h>

#include <ufutex/domain.h>
#include <ufutex/wait.h>
#include <ufutex/wake.h>

UFX_BEGIN

/* What a wait returns: what the guest gets, or why it gets nothing. */
enum ufx_wasm_result {
	UFX_WASM_OK = 0,        /* notified */
	UFX_WASM_NOT_EQUAL = 1, /* the word is not the expected one */
	UFX_WASM_TIMED_OUT = 2,
	/* The host's doing; not for the guest. */
	UFX_WASM_INTERRUPTED = -1, /* ufx_wasm_reason says why */
	UFX_WASM_GONE = -2,        /* the memory has shrunk, or is closed */
	UFX_WASM_FAILED = -3,      /* no memory; or in a signal handler; or a NULL */
	/* Traps. */
	UFX_WASM_OUT_OF_BOUNDS = -4,
	UFX_WASM_MISALIGNED = -5,
	UFX_WASM_UNSHARED = -6, /* a wait on a memory that is not shared */
};

/*
 * A linear memory. The host fills it by ufx_wasm_memory_create and may set @load
 * before anybody else sees it.
 */
struct ufx_wasm_memory {
	struct ufx_domain *domain; /* NULL: not shared */
	unsigned char *base;       /* of address 0; stays */
	uint64_t size;             /* bytes that are mapped and the guest's, by now */
	/*
	 * Loads a word of 4 or 8 bytes, where a plain load does not give what the
	 * guest would get: a big-endian host whose memory lies the other way round, an
	 * engine that does atomic operations under a lock (which is held briefly, and
	 * never around a notify). Bounds and alignment have been checked. Called
	 * without locks, and then with the lock of the address's queue held: what a
	 * check of struct ufx_condition may not do it may not either. NULL: an atomic
	 * load of bytes in the guest's order, the least first.
	 */
	uint64_t (*load)(const struct ufx_wasm_memory *memory, uint64_t address,
			 uint32_t size);
};

/* Agents that are interrupted together. Zeroed. */
struct ufx_wasm_instance {
	uint64_t reason; /* 0: none */
};

/*
 * A thread of the guest, as far as it may be interrupted; it waits on one thing at a
 * time. Zeroed but for @instance. Must outlive its wait, and who interrupts it.
 */
struct ufx_wasm_agent {
	struct ufx_wasm_instance *instance; /* or NULL */
	uint64_t reason;                    /* 0: none */
	uint64_t at; /* the library's: the address it waits at */
};

/* ---- memories ---------------------------------------------------------- */

/*
 * @size bytes at @base, which is aligned to 8. What is not @shared has no domain. @options (of
 * the domain; may be NULL) are taken with fifo set. 0, or the error of
 * ufx_domain_create.
 */
static inline int ufx_wasm_memory_create(struct ufx_wasm_memory *m, void *base,
					 uint64_t size, bool shared,
					 const struct ufx_domain_options *options)
{
	struct ufx_domain_options o;

	if (!m || (uintptr_t)base & 7)
		return -EINVAL;
	__builtin_memset(&o, 0, sizeof(o));
	if (options)
		o = *options;
	o.fifo = true;
	m->domain = NULL;
	m->base = (unsigned char *)base;
	m->size = size;
	m->load = NULL;
	return shared ? ufx_domain_create(&m->domain, &o) : 0;
}

/* memory.grow: @size bytes are mapped by now. Never less than before. */
static inline void ufx_wasm_memory_grow(struct ufx_wasm_memory *m, uint64_t size)
{
	__atomic_store_n(&m->size, size, __ATOMIC_SEQ_CST);
}

/*
 * Only @size bytes are left. Waits behind that end with UFX_WASM_GONE, later ones are
 * out of bounds. A wait that began before this may still load its word: unmap it as
 * soon as no agent can be in an ordinary access to it either. Looks at the whole
 * domain. Returns how many were ended.
 */
static inline long ufx_wasm_memory_shrink(struct ufx_wasm_memory *m, uint64_t size)
{
	uint64_t before;

	if (!m)
		return -EINVAL;
	before = __atomic_exchange_n(&m->size, size, __ATOMIC_SEQ_CST);
	if (!m->domain || before <= size)
		return 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ufx_domain_purge(m->domain, size, before - size);
}

/*
 * Ends all waits with UFX_WASM_GONE, and all later ones, for good: the memory is going to be
 * freed. Returns how many were ended.
 */
static inline long ufx_wasm_memory_close(struct ufx_wasm_memory *m)
{
	if (!m)
		return -EINVAL;
	return m->domain ? ufx_domain_cancel(m->domain) : 0;
}

/* Frees the domain. No agent may use it any more. -EBUSY: somebody waits. */
static inline int ufx_wasm_memory_destroy(struct ufx_wasm_memory *m)
{
	int ret;

	if (!m)
		return -EINVAL;
	ret = m->domain ? ufx_domain_destroy(m->domain) : 0;
	if (!ret)
		m->domain = NULL;
	return ret;
}

/* ---- what is common ----------------------------------------------------- */

/* 0, or the trap of an access to @size bytes at @address. */
static inline int ufx_wasm_trap_at(const struct ufx_wasm_memory *m, uint64_t address,
				   uint32_t size)
{
	uint64_t end = __atomic_load_n(&m->size, __ATOMIC_SEQ_CST);

	if (__builtin_expect(end < size || address > end - size, 0))
		return UFX_WASM_OUT_OF_BOUNDS;
	return __builtin_expect(address & (size - 1), 0) ? UFX_WASM_MISALIGNED : 0;
}

/* What the specification's tests call it; NULL if @result is no trap. */
static inline const char *ufx_wasm_trap_text(int64_t result)
{
	switch (result) {
	case UFX_WASM_OUT_OF_BOUNDS:
		return "out of bounds memory access";
	case UFX_WASM_MISALIGNED:
		return "unaligned atomic";
	case UFX_WASM_UNSHARED:
		return "expected shared memory";
	default:
		return NULL;
	}
}

/* A number as it lies in the guest's memory, and back. */
static inline uint64_t ufx_wasm_lies(uint64_t value, uint32_t size)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return size == 8 ? __builtin_bswap64(value) : __builtin_bswap32((uint32_t)value);
#else
	(void)size;
	return value;
#endif
}

static inline uint64_t ufx_wasm_load(const struct ufx_wasm_memory *m, uint64_t address,
				     uint32_t size)
{
	const void *word = m->base + address;

	if (__builtin_expect(m->load != NULL, 0))
		return m->load(m, address, size);
	if (size == 8)
		return ufx_wasm_lies(__atomic_load_n((const uint64_t *)word,
						     __ATOMIC_SEQ_CST), 8);
	return ufx_wasm_lies(__atomic_load_n((const uint32_t *)word, __ATOMIC_SEQ_CST), 4);
}

/* ---- waiting ------------------------------------------------------------- */

/* The interrupt that stands: an agent's own, else its instance's; 0: none. */
static inline uint64_t ufx_wasm_reason(const struct ufx_wasm_agent *agent)
{
	uint64_t reason = __atomic_load_n(&agent->reason, __ATOMIC_SEQ_CST);

	if (!reason && agent->instance)
		reason = __atomic_load_n(&agent->instance->reason, __ATOMIC_SEQ_CST);
	return reason;
}

/* A wait, for ufx_wasm_check. */
struct ufx_wasm_wait {
	const struct ufx_wasm_memory *memory;
	const struct ufx_wasm_agent *agent;
	uint64_t address, expected;
	uint32_t size;
	int result; /* of a check that says no */
};

/*
 * With the queue's lock held: all that may change by those who wake afterwards. An
 * interrupt sets its reason and then looks for us; so we are found, or find it here.
 */
static inline bool ufx_wasm_check(void *arg)
{
	struct ufx_wasm_wait *w = (struct ufx_wasm_wait *)arg;

	w->result = ufx_wasm_trap_at(w->memory, w->address, w->size);
	if (w->result)
		return false;
	w->result = UFX_WASM_NOT_EQUAL;
	if (ufx_wasm_load(w->memory, w->address, w->size) != w->expected)
		return false;
	w->result = UFX_WASM_INTERRUPTED;
	return !w->agent || !ufx_wasm_reason(w->agent);
}

static inline int ufx_wasm_result_of(int how, uint64_t answer,
				     const struct ufx_wasm_wait *w)
{
	switch (how) {
	case UFX_WOKEN: /* by a notify, without an answer; or ufx_wasm_interrupt */
		return answer ? UFX_WASM_INTERRUPTED : UFX_WASM_OK;
	case UFX_MISMATCH:
		return w->result;
	case UFX_TIMED_OUT:
		return UFX_WASM_TIMED_OUT;
	case UFX_INTERRUPTED:
		return UFX_WASM_INTERRUPTED;
	case UFX_CANCELLED:
		return UFX_WASM_GONE;
	default:
		return UFX_WASM_FAILED;
	}
}

/* The word was as expected: queues, if it still is, and blocks. */
static inline int ufx_wasm_block(struct ufx_wasm_wait *w, struct ufx_wasm_agent *agent,
				 int64_t ns)
{
	struct ufx_condition c;
	struct ufx_deadline deadline;
	uint64_t answer = 0;
	int how;

	__builtin_memset(&c, 0, sizeof(c));
	c.key = w->address;
	c.check = ufx_wasm_check;
	c.arg = w;
	if (agent) {
		c.token = (uintptr_t)agent;
		c.owner = agent->instance;
		__atomic_store_n(&agent->at, w->address + 1, __ATOMIC_SEQ_CST);
	}
	if (ns >= 0)
		deadline = ufx_deadline_in(ns);
	how = ufx_domain_wait(w->memory->domain, &c, ns >= 0 ? &deadline : NULL, &answer);
	if (agent)
		__atomic_store_n(&agent->at, 0, __ATOMIC_SEQ_CST);
	return ufx_wasm_result_of(how, answer, w);
}

/* @size: 4 or 8. See below. */
static inline int ufx_wasm_wait(const struct ufx_wasm_memory *m,
				struct ufx_wasm_agent *agent, uint64_t address,
				uint64_t expected, uint32_t size, int64_t ns)
{
	struct ufx_wasm_wait w;
	int trap;

	if (__builtin_expect(!m, 0))
		return UFX_WASM_FAILED;
	trap = ufx_wasm_trap_at(m, address, size);
	if (__builtin_expect(trap, 0))
		return trap;
	if (__builtin_expect(!m->domain, 0))
		return UFX_WASM_UNSHARED;
	/* Also so that no page is missing when the lock is held. */
	if (ufx_wasm_load(m, address, size) != expected)
		return UFX_WASM_NOT_EQUAL;
	if (ns == 0)
		return UFX_WASM_TIMED_OUT;
	w.memory = m;
	w.agent = agent;
	w.address = address;
	w.expected = expected;
	w.size = size;
	w.result = 0;
	return ufx_wasm_block(&w, agent, ns);
}

/*
 * memory.atomic.wait32 and wait64: blocks the calling thread while the word at
 * @address is @expected, until it is notified or @ns nanoseconds from now have
 * passed; for ever if @ns is negative. @agent: for ufx_wasm_interrupt; may be NULL.
 * Returns an enum ufx_wasm_result. Looked for in this order: out of bounds, misaligned,
 * unshared, not equal, time out.
 */
static inline int ufx_wasm_wait32(const struct ufx_wasm_memory *m,
				  struct ufx_wasm_agent *agent, uint64_t address,
				  uint32_t expected, int64_t ns)
{
	return ufx_wasm_wait(m, agent, address, expected, 4, ns);
}

static inline int ufx_wasm_wait64(const struct ufx_wasm_memory *m,
				  struct ufx_wasm_agent *agent, uint64_t address,
				  uint64_t expected, int64_t ns)
{
	return ufx_wasm_wait(m, agent, address, expected, 8, ns);
}

/*
 * memory.atomic.notify: ends up to @count waits at @address, first come first.
 * Returns how many (on a memory that is not shared 0), or a trap: out of bounds of 4
 * bytes, misaligned to 4; UFX_WASM_FAILED.
 */
static inline int64_t ufx_wasm_notify(const struct ufx_wasm_memory *m, uint64_t address,
				      uint32_t count)
{
	int trap;

	if (__builtin_expect(!m, 0))
		return UFX_WASM_FAILED;
	trap = ufx_wasm_trap_at(m, address, 4);
	if (__builtin_expect(trap, 0))
		return trap;
	return m->domain ? ufx_domain_wake(m->domain, address, count, UFX_ALL) : 0;
}

/* ---- interrupts ------------------------------------------------------------ */

/*
 * For ufx_wasm_interrupt: @arg is the agent. If it has found the reason by itself
 * and gone on, this is another wait, and no business of ours.
 */
static inline enum ufx_verdict ufx_wasm_is_agent(const struct ufx_seen *seen,
						 uint64_t *token, void *arg)
{
	const struct ufx_wasm_agent *agent = (const struct ufx_wasm_agent *)arg;

	(void)token;
	if (seen->token != (uintptr_t)agent)
		return UFX_SKIP;
	return __atomic_load_n(&agent->reason, __ATOMIC_SEQ_CST) ? UFX_TAKE : UFX_STOP;
}

/*
 * Ends @agent's wait on @m, if there is one, with UFX_WASM_INTERRUPTED, and so every later
 * one that would block, on any memory, until ufx_wasm_resume: an agent that is on its
 * way to wait is not missed. @reason: not 0; the last one counts. No notify is lost: one
 * that counted this wait before stands. Where an agent uses several memories this is
 * called for each. Returns 1 if a wait was ended, else 0; -EINVAL; -EAGAIN (a
 * signal handler).
 */
static inline long ufx_wasm_interrupt(const struct ufx_wasm_memory *m,
				      struct ufx_wasm_agent *agent, uint64_t reason)
{
	struct ufx_waker waker;
	uint64_t at;

	if (!m || !agent || !reason)
		return -EINVAL;
	__atomic_store_n(&agent->reason, reason, __ATOMIC_SEQ_CST);
	at = __atomic_load_n(&agent->at, __ATOMIC_SEQ_CST);
	if (!at || !m->domain)
		return 0;
	__builtin_memset(&waker, 0, sizeof(waker));
	waker.n = 1;
	waker.token = 1;
	waker.each = ufx_wasm_is_agent;
	waker.arg = agent;
	return ufx_domain_wake_by(m->domain, at - 1, &waker);
}

/*
 * The same for all agents of @instance, until ufx_wasm_resume_all. Looks at the whole domain.
 * Returns how many waits it ended.
 */
static inline long ufx_wasm_interrupt_all(const struct ufx_wasm_memory *m,
					  struct ufx_wasm_instance *instance,
					  uint64_t reason)
{
	if (!m || !instance || !reason)
		return -EINVAL;
	__atomic_store_n(&instance->reason, reason, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return m->domain ? ufx_domain_interrupt_owner(m->domain, instance, reason) : 0;
}

/*
 * The interrupt is over: @agent may wait again. For the agent's own thread. Returns the
 * reason; 0: there was none.
 */
static inline uint64_t ufx_wasm_resume(struct ufx_wasm_agent *agent)
{
	return __atomic_exchange_n(&agent->reason, 0, __ATOMIC_SEQ_CST);
}

/* The same of an instance; not before ufx_wasm_interrupt_all has returned. */
static inline uint64_t ufx_wasm_resume_all(struct ufx_wasm_instance *instance)
{
	return __atomic_exchange_n(&instance->reason, 0, __ATOMIC_SEQ_CST);
}

UFX_END

#endif
