/* SPDX-License-Identifier: MIT */
/*
 * Domains: address spaces of futex words.
 *
 * The process has a default one, which ufutex/futex.h uses. Others are
 * separate: a wake in one never finds a waiter of another, whatever their
 * addresses.
 *
 * Memory: 8 KiB a domain; 64 bytes a slot; 8 bytes a possible CPU for the
 * references of each table, out of arenas of 4 KiB a CPU for 504 of them; 4 KiB
 * more for replacing at zero. A table that was replaced gives its memory back,
 * but its addresses stay reserved for later tables of its size.
 *
 * A child of fork finds every domain empty, with a fresh table.
 */
#ifndef UFUTEX_DOMAIN_H
#define UFUTEX_DOMAIN_H

#include <ufutex/base.h>
#include <ufutex/caps.h>

UFX_BEGIN

struct ufx_domain;

struct ufx_domain_options {
	uint32_t slots; /* a power of two up to 2^24; 0: starts with 16, scales */
	bool fixed;     /* never replaced: operations take no pin */
	enum ufx_replace replace;
};

/* The process's own domain; NULL if the library cannot start (ufx_caps). */
UFX_API struct ufx_domain *ufx_domain_default(void);

/*
 * Makes a domain. @options may be NULL: resizable, 16 slots, moving.
 * Returns 0, -EINVAL (slots), -ENOMEM, or -EOPNOTSUPP (ufx_caps).
 */
UFX_API int ufx_domain_create(struct ufx_domain **domain,
			      const struct ufx_domain_options *options);

/*
 * Frees @domain. Nobody may use it any more. -EBUSY, and nothing is done, if
 * a waiter is queued.
 */
UFX_API int ufx_domain_destroy(struct ufx_domain *domain);

/* ufx_futex on @domain; here the private flag is implied and v1 only. */
UFX_API long ufx_domain_futex(struct ufx_domain *domain, uint32_t *uaddr, int op,
			      uint32_t val, const struct timespec *timeout,
			      uint32_t *uaddr2, uint32_t val3);

/*
 * Has words that are not mapped answered by -EFAULT (ufutex/futex.h has the
 * limits). ufx_futex does this by itself; without it ufx_domain_futex on a bad
 * word is an ordinary fault.
 */
UFX_API void ufx_faults_guard(void);

/*
 * Replaces the table by one of @slots: what PR_FUTEX_HASH_SET_SLOTS does, with
 * its errors: -EINVAL, -EBUSY (fixed), -ENOMEM (the old table stays in use).
 * Not from a signal handler.
 */
UFX_API int ufx_domain_set_slots(struct ufx_domain *domain, uint32_t slots);

/* The slots in force; 0 as PR_FUTEX_HASH_GET_SLOTS says. */
UFX_API uint32_t ufx_domain_get_slots(struct ufx_domain *domain);

struct ufx_domain_stats {
	uint64_t replacements; /* tables put in force, the first included */
	uint64_t requests;     /* replacements asked for */
	uint64_t retired;      /* old tables not yet freed */
	uint64_t moved;        /* waiters carried over to a new table */
};

UFX_API void ufx_domain_get_stats(struct ufx_domain *domain,
				  struct ufx_domain_stats *stats);

UFX_END

#endif
