/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "grace/mode.h"
#include "grace/reader.h"
#include "host/fault.h"
#include "host/lock.h"
#include "host/memory.h"

#define DEPTH_MASK ((uint64_t)0xffff)
#define ENTERED ((uint64_t)0x10000)

/*
 * Wiped by fork: whoever was in a bank is not there in the child. The high
 * half of a bank's word is its era: not zero once somebody has entered, and
 * another one in the child. Count and era change in one step, so a reader whose
 * handler forks, at whatever instruction, is counted off where it was counted.
 */
struct banks {
	uint32_t active;
	uint64_t readers[2] __attribute__((aligned(64)));
	uint64_t aborts;
};

static struct banks *banks;
static uint32_t eras; /* given out so far; a fork child counts on */

int ufx_readers_start(void)
{
	banks = ufx_pages_alloc_wiped(4096);
	return banks ? 0 : -ENOMEM;
}

void ufx_read_count_abort(void)
{
	ufx_add_relaxed(&banks->aborts, 1);
}

uint64_t ufx_read_aborts(void)
{
	return ufx_load(&banks->aborts);
}

static struct ufx_read bank_enter(void)
{
	struct ufx_read read = { NULL, ufx_load(&banks->active) & 1, 0 };
	uint64_t *readers = &banks->readers[read.bank];
	uint64_t word = ufx_load(readers), next;

	/*
	 * A full fence between "counted" and the loads of the section. Partner:
	 * that of lead() between publications and ufx_banks_drain's look at the
	 * count. Either it sees us counted, or we see what was published, even if
	 * we read @active long ago.
	 */
	do {
		next = word + 1;
		if (!word) /* the first here since the start, or since a fork */
			next += (uint64_t)(ufx_fetch_add(&eras, 1) + 1) << 32;
	} while (!ufx_cas(readers, &word, next));
	ufx_fence_after_rmw();
	read.era = (uint32_t)(next >> 32);
	return read;
}

static bool marks_threads(void)
{
	return ufx_mode->mode == UFX_MODE_MEMBARRIER ||
	       ufx_mode->mode == UFX_MODE_FENCE;
}

struct ufx_read ufx_read_begin(void)
{
	struct ufx_thread *t = marks_threads() ? ufx_thread_self() : NULL;
	struct ufx_read read = { t, 0, 0 };
	uint64_t mark;

	/* A handler that waits amid a read side would hold up every period. */
	ufx_enter_inside();
	if (!t)
		return bank_enter();
	mark = ufx_load(&t->reader);
	if (!(mark & DEPTH_MASK))
		mark += ENTERED;
	/* Release: who sees that we came back also sees that we had left. */
	ufx_store_release(&t->reader, mark + 1);
	/* Partner: the barrier of the mode, before ufx_readers_wait. */
	if (ufx_mode->mode == UFX_MODE_MEMBARRIER)
		ufx_compiler_barrier();
	else
		ufx_fence();
	return read;
}

static void bank_leave(uint64_t *readers, uint32_t era)
{
	uint64_t word = ufx_load(readers);

	/* Another era: a handler forked, and the counts are wiped. */
	while (word >> 32 == era && !ufx_cas(readers, &word, word - 1))
		;
}

static void leave(struct ufx_read read)
{
	uint64_t mark;

	if (!read.thread) {
		bank_leave(&banks->readers[read.bank], read.era);
		return;
	}
	mark = ufx_load(&read.thread->reader);
	if (mark & DEPTH_MASK)
		ufx_store_release(&read.thread->reader, mark - 1);
}

void ufx_read_end(struct ufx_read read)
{
	leave(read);
	ufx_leave_inside();
}

/* Acquire: what a reader did before it left happens before our return. */
void ufx_readers_wait(void)
{
	for (struct ufx_thread *t = ufx_thread_first(); t; t = t->next) {
		uint64_t seen = ufx_load_acquire(&t->reader), now = seen;
		unsigned int round = 0;

		/* A changed number of entries: it left, and came back later. */
		while ((now & DEPTH_MASK) &&
		       (now & ~DEPTH_MASK) == (seen & ~DEPTH_MASK)) {
			ufx_relax(&round);
			now = ufx_load_acquire(&t->reader);
		}
	}
}

static void bank_wait(uint32_t bank)
{
	unsigned int round = 0;

	while ((uint32_t)ufx_load_acquire(&banks->readers[bank]))
		ufx_relax(&round);
}

void ufx_banks_drain(void)
{
	uint32_t old = ufx_load(&banks->active) & 1;

	/* Stragglers that chose the other bank before the last flip. */
	if (!UFX_FAULT(NO_STRAGGLERS))
		bank_wait(!old);
	ufx_store(&banks->active, !old);
	ufx_fence(); /* the flip before the look: later readers go elsewhere */
	bank_wait(old);
}
