/* SPDX-License-Identifier: MIT */
/*
 * Replacing a domain's table, in one of two ways, with the same pin:
 *
 *  moving   (moving.c) publish first; then each old bucket is locked, marked,
 *           and its waiters moved, by the replacer or by whoever needs it
 *           first. Counters belong to the table; the old one is freed when its
 *           last pin has gone.
 *  at zero  (at_zero.c) the kernel's: the new table waits until the old one's
 *           pins have all gone; the next operation moves everything and
 *           switches. Counters belong to the domain.
 */
#ifndef UFX_TABLE_REPLACE_H
#define UFX_TABLE_REPLACE_H

#include "table/domain.h"

#define UFX_REPLACE_FORKED 1

struct ufx_replace_ops {
	/*
	 * Publishes a domain's first table. The domain is locked. 0 or -ENOMEM,
	 * the table is still the caller's.
	 */
	int (*first)(struct ufx_domain *d, struct ufx_table *t);
	/*
	 * Replaces the table by @next, which is taken over, also on error. The
	 * domain is locked and is unlocked on return. With @wait, returns when
	 * @next, or what beat it, is in force. 0; -errno: the old one stays;
	 * UFX_REPLACE_FORKED: a handler forked meanwhile, and in this child the
	 * domain is empty.
	 */
	int (*replace)(struct ufx_domain *d, struct ufx_table *next, bool wait);
	/* A pin failed because the count was zero. */
	void (*pin_failed)(struct ufx_domain *d);
	/* An unpin took @t's count to zero. Signal-safe; frees nothing. */
	void (*drained)(struct ufx_domain *d, struct ufx_table *t);
	/* Frees what is left of replacements of a domain that nobody uses. */
	void (*finish)(struct ufx_domain *d);
};

extern const struct ufx_replace_ops ufx_replace_moving, ufx_replace_at_zero;

static inline const struct ufx_replace_ops *ufx_replace_of(struct ufx_domain *d)
{
	return ufx_domain_config(d)->options.replace == UFX_REPLACE_AT_ZERO ?
		       &ufx_replace_at_zero :
		       &ufx_replace_moving;
}

static inline void ufx_replace_pin_failed(struct ufx_domain *d)
{
	ufx_replace_of(d)->pin_failed(d);
}

static inline void ufx_replace_drained(struct ufx_domain *d, struct ufx_table *t)
{
	ufx_replace_of(d)->drained(d, t);
}

/* Numbers @t as the newest, and says that it has been asked for. */
void ufx_replace_number(struct ufx_domain *d, struct ufx_table *t);

#endif
