/* SPDX-License-Identifier: MIT */
/*
 * Domains: address spaces of futex words.
 *
 * The process has a default one, which ufutex/futex.h uses. Others are
 * separate: a wake in one never finds a waiter of another, whatever their
 * addresses.
 *
 * Memory: half a KiB a domain, and its table from its first wait on: 1.2 KiB for
 * a fixed one of 16 slots; for others pages, 64 bytes a slot, and 8 bytes a
 * possible CPU for the table's references, out of arenas of 4 KiB a CPU for 504
 * of them; 4 KiB more for replacing at zero. A table that was replaced gives its
 * memory back, but its addresses stay reserved for later tables of its size.
 *
 * fork: the child has every domain, empty, with a fresh table from the first wait
 * on; the waits of other threads are gone there. Nothing has to be called for
 * that, but for domains with an allocator of their own (ufx_domain_forget).
 *
 * Not from signal handlers, but for ufx_domain_get, ufx_domain_put that is not the
 * last, and where a function says otherwise.
 */
#ifndef UFUTEX_DOMAIN_H
#define UFUTEX_DOMAIN_H

#include <ufutex/base.h>
#include <ufutex/caps.h>

UFX_BEGIN

struct ufx_domain;

/*
 * Memory for a domain and its tables. Both functions may be called by whoever
 * waits first or has a table replaced, with locks of the library held: they must
 * not call it. What restartable sequences read should stay mapped once it has
 * been released (ufutex/ref.h, struct ufx_object); a fixed domain has none.
 */
struct ufx_allocator {
	/* @size bytes, aligned to @alignment (a power of two up to 64); or NULL. */
	void *(*allocate)(size_t size, size_t alignment, void *arg);
	void (*release)(void *memory, size_t size, void *arg);
	void *arg;
};

/* Zero what is not used. */
struct ufx_domain_options {
	uint32_t slots; /* a power of two up to 2^24; 0: 16, scales with its waiters, up and down */
	bool fixed;     /* never replaced: operations take no pin */
	enum ufx_replace replace;
	bool fifo;      /* strictly first in, first out: no priorities */
	/*
	 * Of the hash, where results must be repeatable; else it is random. Who
	 * knows it can choose keys that share a bucket.
	 */
	bool has_secret;
	uint64_t secret[2];
	const struct ufx_allocator *allocator; /* copied; NULL: pages of the kernel's */
};

/* The process's own domain; NULL if the library cannot start (ufx_caps). */
UFX_API struct ufx_domain *ufx_domain_default(void);

/*
 * Makes a domain, with one reference. @options may be NULL: 16 slots, scales with
 * its waiters, moving. Returns 0, -EINVAL (slots), -ENOMEM, or -EOPNOTSUPP
 * (ufx_caps).
 */
UFX_API int ufx_domain_create(struct ufx_domain **domain,
			      const struct ufx_domain_options *options);

/*
 * Frees @domain. Nobody may use it any more. -EBUSY, and nothing is done, if
 * a waiter is queued, or there is a second reference (ufx_domain_get).
 */
UFX_API int ufx_domain_destroy(struct ufx_domain *domain);

/*
 * Ends all waits on @domain with UFX_CANCELLED (those of ufx_domain_futex with
 * -ECANCELED), and every later one at once, for good. Returns how many were
 * ended. Once their threads have left, it can be destroyed.
 */
UFX_API long ufx_domain_cancel(struct ufx_domain *domain);

/*
 * One more reference; the caller must hold one. And one less: the last one cancels
 * what is left, and frees the domain after a grace period, by whoever drives
 * deferred calls next (ufutex/grace.h). So who waits holds a reference of its own,
 * from before the wait until it is over.
 */
UFX_API void ufx_domain_get(struct ufx_domain *domain);
UFX_API void ufx_domain_put(struct ufx_domain *domain);

/*
 * Ends the waits on the @length keys from @first on with UFX_CANCELLED: memory that
 * goes away, and may come back as something else. Waits that come later are not
 * affected. Returns how many. Looks at every bucket.
 */
UFX_API long ufx_domain_purge(struct ufx_domain *domain, uint64_t first,
			      uint64_t length);

/*
 * In the child of a fork, before anything else is done with a domain that has an
 * allocator of its own: makes it as empty as the others are. No other thread may
 * have been in the library's critical sections on it at the fork.
 */
UFX_API void ufx_domain_forget(struct ufx_domain *domain);

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
