/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "host/atomic.h"
#include "host/confine.h"
#include "host/guard.h"
#include "host/lock.h"
#include "host/note.h"
#include "host/park.h"
#include "host/syscall.h"

static bool has_waitv;

void ufx_park_start(void)
{
	/* No words: -EINVAL from a kernel that knows the call. */
	has_waitv = ufx_syscall(UFX_NR_futex_waitv, 0, 0, 0, 0, 0, 0) == -EINVAL;
}

bool ufx_park_has_waitv(void)
{
	return ufx_load(&has_waitv) && !ufx_is_confined();
}

int ufx_park_alone(const uint32_t *park, const struct ufx_deadline *deadline)
{
	int op = UFX_FUTEX_WAIT_BITSET | UFX_FUTEX_PRIVATE;

	if (deadline && deadline->clock == CLOCK_REALTIME)
		op |= UFX_FUTEX_CLOCK_REALTIME;
	return (int)ufx_syscall(SYS_futex, (long)park, op, UFX_PARK_ASLEEP,
				deadline ? (long)&deadline->at : 0, 0, -1);
}

/* The next look at the words, or the deadline if that is sooner. */
static struct ufx_deadline next_look(const struct ufx_deadline *deadline)
{
	struct ufx_deadline look;

	look.clock = deadline ? deadline->clock : CLOCK_MONOTONIC;
	clock_gettime(look.clock, &look.at);
	look.at.tv_nsec += 100000000;
	if (look.at.tv_nsec >= 1000000000) {
		look.at.tv_nsec -= 1000000000;
		look.at.tv_sec++;
	}
	if (deadline && (deadline->at.tv_sec < look.at.tv_sec ||
			 (deadline->at.tv_sec == look.at.tv_sec &&
			  deadline->at.tv_nsec < look.at.tv_nsec)))
		return *deadline;
	return look;
}

static int look_at(const struct ufx_waitv_entry *words, unsigned int n)
{
	for (unsigned int i = 1; i < n; i++) {
		uint32_t value;

		if (ufx_guarded_load((uint32_t *)(uintptr_t)words[i].uaddr, &value))
			return -EFAULT;
		if (value != words[i].val)
			return -EAGAIN;
	}
	return 0;
}

/*
 * Without futex_waitv: a handler with SA_RESTART that changes the word must
 * not leave us asleep, hence the looks; it ends the wait with -EINTR.
 */
static int park_and_look(const struct ufx_waitv_entry *words, unsigned int n,
			 const struct ufx_deadline *deadline)
{
	const uint32_t *park = (const uint32_t *)(uintptr_t)words[0].uaddr;

	for (;;) {
		struct ufx_deadline look = next_look(deadline);
		int ret = look_at(words, n);

		if (ret)
			return ret;
		ret = ufx_park_alone(park, &look);
		if (ret != -ETIMEDOUT)
			return ret;
		if (deadline && look.at.tv_sec == deadline->at.tv_sec &&
		    look.at.tv_nsec == deadline->at.tv_nsec)
			return -ETIMEDOUT;
	}
}

int ufx_park_words(const struct ufx_waitv_entry *words, unsigned int n,
		   const struct ufx_deadline *deadline)
{
	long ret;

	if (!ufx_park_has_waitv())
		return park_and_look(words, n, deadline);
	ret = ufx_syscall(UFX_NR_futex_waitv, (long)words, n, 0,
			  deadline ? (long)&deadline->at : 0,
			  deadline ? deadline->clock : CLOCK_MONOTONIC, 0);
	if (ret == -ENOSYS || ret == -EPERM) { /* a filter since the start */
		ufx_store(&has_waitv, false);
		return park_and_look(words, n, deadline);
	}
	return (int)ret;
}

void ufx_unpark(uint32_t *park)
{
	/*
	 * Partner: sleep_once (futex/block.c), which exchanges ASLEEP in and then
	 * looks whether its waiter is woken; we said so before. Whichever exchange
	 * is second sees the other side.
	 */
	if (ufx_xchg(park, UFX_PARK_AWAKE) != UFX_PARK_AWAKE)
		ufx_word_wake(park, 1);
}

unsigned int ufx_unpark_all(uint32_t *const *parks, const uint8_t *here, unsigned int n,
			    uint32_t *lobby)
{
	unsigned int watching = 0;
	long gathered = 0;

	for (unsigned int i = 0; i < n; i++) {
		uint32_t was = ufx_xchg(parks[i], UFX_PARK_AWAKE); /* ufx_unpark */
		long moved;

		if (was == UFX_PARK_AWAKE)
			continue;
		if (was == UFX_PARK_WATCHING && here[i]) {
			watching++;
			continue;
		}
		/* 0: on its way to sleep, where it finds its word awake. */
		moved = ufx_syscall(SYS_futex, (long)parks[i],
				    UFX_FUTEX_REQUEUE | UFX_FUTEX_PRIVATE, 0, 1,
				    (long)lobby, 0);
		if (moved < 0)
			ufx_word_wake(parks[i], 1);
		else
			gathered += moved;
	}
	if (gathered)
		ufx_word_wake(lobby, (int)gathered);
	return watching;
}
