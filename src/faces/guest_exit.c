/* SPDX-License-Identifier: MIT */
/* What Linux does to a guest's memory when a thread of its ends. */
#include "faces/guest.h"

#define WAITERS 0x80000000u
#define OWNER_DIED 0x40000000u
#define TID_MASK 0x3fffffffu

/* Always as shared words: the kernel does not know better. */
static long wake_one(const struct ufx_guest *g, uint64_t at)
{
	struct ufx_guest_place place;
	int ret = ufx_guest_place(g, at, true, true, &place);

	return ret ? ret : ufx_domain_wake(place.domain, place.key, 1, UFX_ALL);
}

long ufx_guest_clear_tid(const struct ufx_guest *g, uint64_t at)
{
	struct ufx_guest_place place;
	uint32_t value;
	int ret;

	ufx_rule(g != NULL, "no argument is NULL");
	if (!g)
		return -EINVAL;
	ret = ufx_guest_place(g, at, false, true, &place); /* aligned, in range? */
	if (!ret)
		ret = g->ops->load(g->space, at, &value, false);
	while (!ret)
		ret = g->ops->cas(g->space, at, &value, 0, false);
	return ret < 0 ? ret : wake_one(g, at);
}

/* ---- robust lists ---- */

struct walk {
	const struct ufx_guest *guest;
	uint32_t tid;
	uint64_t offset; /* from an entry to its lock's word */
	long given_up;
};

/*
 * Gives up the lock at @at, if the thread holds it. @pending: the thread was about to
 * take or release it. False: it cannot be reached.
 */
static bool give_up(struct walk *w, uint64_t at, bool pi, bool pending)
{
	const struct ufx_guest *g = w->guest;
	struct ufx_guest_place place;
	uint32_t value;
	int ret = ufx_guest_place(g, at, false, true, &place);

	if (!ret)
		ret = g->ops->load(g->space, at, &value, false);
	while (!ret && (value & TID_MASK) == w->tid)
		ret = g->ops->cas(g->space, at, &value, (value & WAITERS) | OWNER_DIED,
				  false);
	if (ret < 0)
		return false;
	w->given_up += ret;
	if (pi)
		return true;
	/*
	 * Released already, or taken by another since, but not yet woken for: the
	 * wake that it owes; and one that it was given, but could not use.
	 */
	if (ret ? value & WAITERS : pending && (!(value & TID_MASK) || !(value & WAITERS)))
		wake_one(g, at);
	return true;
}

/* An entry's bit 0 says that its lock inherits priorities. */
static bool give_up_entry(struct walk *w, uint64_t entry, bool pending)
{
	return give_up(w, (entry & ~(uint64_t)1) + w->offset, entry & 1, pending);
}

static void walk_list(struct walk *w, uint64_t head, uint64_t entry, uint64_t pending)
{
	for (int left = UFX_GUEST_ROBUST_LIMIT; (entry & ~(uint64_t)1) != head && left; left--) {
		uint64_t next;
		/* First, as the lock is another's once it has been given up. */
		int ret = ufx_guest_read(w->guest, entry & ~(uint64_t)1, 8, &next);

		if ((entry & ~(uint64_t)1) != (pending & ~(uint64_t)1) &&
		    !give_up_entry(w, entry, false))
			return;
		if (ret)
			return;
		entry = next;
	}
}

long ufx_guest_robust_exit(const struct ufx_guest *g, uint64_t head, uint32_t tid)
{
	struct walk w = { .guest = g, .tid = tid };
	uint64_t first, pending;

	ufx_rule(g && tid && tid <= TID_MASK, "a guest; a thread of 30 bits, not 0");
	if (!g || !tid || tid > TID_MASK)
		return -EINVAL;
	if (!head || ufx_guest_read(g, head, 8, &first) ||
	    ufx_guest_read(g, head + 8, 8, &w.offset) ||
	    ufx_guest_read(g, head + 16, 8, &pending))
		return 0;
	walk_list(&w, head, first, pending);
	if (pending & ~(uint64_t)1)
		give_up_entry(&w, pending, true);
	return w.given_up;
}
