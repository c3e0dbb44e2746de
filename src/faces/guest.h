/* SPDX-License-Identifier: MIT */
/* What the calls of guests (ufutex/guest.h) share. */
#ifndef UFX_FACES_GUEST_H
#define UFX_FACES_GUEST_H

#include <errno.h>

#include <ufutex/domain.h>
#include <ufutex/futex.h>
#include <ufutex/guest.h>
#include <ufutex/wake.h>

#include "host/rule.h"

/* Where a word is waited for. */
struct ufx_guest_place {
	struct ufx_domain *domain;
	uint64_t key;
};

/*
 * The place of the word at @at: alignment, range, then the mapping of a shared one.
 * 0, -EINVAL, -EFAULT.
 */
int ufx_guest_place(const struct ufx_guest *g, uint64_t at, bool shared, bool write,
		    struct ufx_guest_place *place);

/* A number of the guest's: 0 or -EFAULT. */
int ufx_guest_read(const struct ufx_guest *g, uint64_t at, uint32_t size,
		   uint64_t *value);

/* Reads and checks the timeout at @at: 0, -EFAULT, -EINVAL. */
int ufx_guest_timeout(const struct ufx_guest *g, uint64_t at, struct timespec *timeout);

/* The deadline that it means. */
struct ufx_deadline ufx_guest_deadline(const struct ufx_guest *g,
				       const struct timespec *timeout, clockid_t clock,
				       bool relative);

/* What a waiter looks for. */
struct ufx_guest_look {
	const struct ufx_guest_thread *thread;
	uint64_t at;
	uint32_t expected;
	int why; /* of ufx_guest_look_locked: -EAGAIN, -EFAULT, -EBUSY, a signal */
};

/* Without a lock, so that the page is there: 0, -EAGAIN, -EFAULT. */
int ufx_guest_look(const struct ufx_guest *g, uint64_t at, uint32_t expected);

/* The condition of a wait on @place; @look stays until it is over. */
struct ufx_condition ufx_guest_condition(const struct ufx_guest_place *place,
					 uint32_t mask, struct ufx_guest_look *look);

/* What a wait that ended with @how returns, if it is not woken. */
long ufx_guest_ending(int how, int why, uint64_t answer);

#endif
