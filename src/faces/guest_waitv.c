/* SPDX-License-Identifier: MIT */
/* futex_waitv(2) of a guest. */
#include "faces/guest.h"

#define ENTRY_SIZE 24

/* An entry as the guest has it. */
struct entry {
	uint64_t val, uaddr, flags, reserved;
};

static int entry_get(const struct ufx_guest *g, uint64_t at, struct entry *e)
{
	int ret = ufx_guest_read(g, at, 8, &e->val);

	if (!ret)
		ret = ufx_guest_read(g, at + 8, 8, &e->uaddr);
	if (!ret)
		ret = ufx_guest_read(g, at + 16, 4, &e->flags);
	if (!ret)
		ret = ufx_guest_read(g, at + 20, 4, &e->reserved);
	if (ret)
		return ret;
	if (e->reserved || (e->flags & ~(uint64_t)UFX_FUTEX2_PRIVATE) != UFX_FUTEX2_U32 ||
	    e->val > UINT32_MAX)
		return -EINVAL;
	return 0;
}

/* All entries, then all places: the condition of each, and their one domain. */
static int get_all(struct ufx_guest_thread *t, uint64_t waiters, unsigned int nr,
		   struct ufx_guest_look *looks, struct ufx_condition *conditions,
		   struct ufx_domain **domain)
{
	bool shared[UFX_FUTEX_WAITV_MAX];

	for (unsigned int i = 0; i < nr; i++) {
		struct entry e;
		int ret = entry_get(t->guest, waiters + i * ENTRY_SIZE, &e);

		if (ret)
			return ret;
		looks[i] = (struct ufx_guest_look){ t, e.uaddr, (uint32_t)e.val, 0 };
		shared[i] = !(e.flags & UFX_FUTEX2_PRIVATE);
	}
	*domain = NULL;
	for (unsigned int i = 0; i < nr; i++) {
		struct ufx_guest_place place;
		int ret = ufx_guest_place(t->guest, looks[i].at, shared[i], false, &place);

		if (ret)
			return ret;
		if (*domain && *domain != place.domain)
			return -EINVAL;
		*domain = place.domain;
		conditions[i] = ufx_guest_condition(&place, UINT32_MAX, &looks[i]);
	}
	return 0;
}

static int look_at_all(const struct ufx_guest *g, const struct ufx_guest_look *looks,
		       unsigned int nr)
{
	int ret = 0;

	for (unsigned int i = 0; i < nr && !ret; i++)
		ret = ufx_guest_look(g, looks[i].at, looks[i].expected);
	return ret;
}

static long wait_on(struct ufx_guest_thread *t, uint64_t waiters, unsigned int nr,
		    const struct ufx_deadline *deadline)
{
	struct ufx_guest_look looks[nr];
	struct ufx_condition conditions[nr];
	struct ufx_domain *domain;
	unsigned int index = 0;
	uint64_t answer = 0;
	int how, ret = get_all(t, waiters, nr, looks, conditions, &domain);

	if (ret)
		return ret;
	do {
		ret = look_at_all(t->guest, looks, nr);
		if (ret)
			return ret;
		how = ufx_domain_wait_any(domain, conditions, nr, deadline, &index,
					  &answer);
	} while (how == UFX_MISMATCH && looks[index].why == -EBUSY);
	return how == UFX_WOKEN ? (long)index :
				  ufx_guest_ending(how, looks[index].why, answer);
}

long ufx_guest_waitv(struct ufx_guest_thread *t, uint64_t waiters, unsigned int nr,
		     unsigned int flags, uint64_t timeout, clockid_t clock)
{
	struct ufx_deadline deadline;
	struct timespec given;
	int ret;

	ufx_rule(t && t->guest, "a thread, of a guest");
	if (!t || !t->guest || flags || !nr || nr > UFX_FUTEX_WAITV_MAX || !waiters)
		return -EINVAL;
	if (!timeout)
		return wait_on(t, waiters, nr, NULL);
	if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
		return -EINVAL;
	ret = ufx_guest_timeout(t->guest, timeout, &given);
	if (ret)
		return ret;
	deadline = ufx_guest_deadline(t->guest, &given, clock, false);
	return wait_on(t, waiters, nr, &deadline);
}
