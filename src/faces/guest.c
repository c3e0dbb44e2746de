/* SPDX-License-Identifier: MIT */
/* What all calls of guests need: places, timeouts, looks, signals. */
#include "faces/guest.h"

#define NSEC_A_SEC 1000000000

/* ---- memory ---- */

/* Are @size bytes from @at on inside? */
static bool in_range(const struct ufx_guest *g, uint64_t at, uint32_t size)
{
	uint64_t end = at + size;

	return end > at && (!g->size || end <= g->size);
}

int ufx_guest_read(const struct ufx_guest *g, uint64_t at, uint32_t size,
		   uint64_t *value)
{
	return in_range(g, at, size) ? g->ops->read(g->space, at, size, value) : -EFAULT;
}

/* Bit 0 of a guest's own key: words that it calls shared do not meet the others. */
static int own_shared_place(const struct ufx_guest *g, uint64_t at,
			    struct ufx_guest_place *place)
{
	uint32_t value;

	*place = (struct ufx_guest_place){ g->domain, at | 1 };
	return g->ops->shared_key ? 0 : g->ops->load(g->space, at, &value, false);
}

int ufx_guest_place(const struct ufx_guest *g, uint64_t at, bool shared, bool write,
		    struct ufx_guest_place *place)
{
	int ret = 0;

	if (at & 3)
		return -EINVAL;
	if (!in_range(g, at, 4))
		return -EFAULT;
	*place = (struct ufx_guest_place){ g->domain, at };
	if (!shared)
		return 0;
	if (g->ops->shared_key)
		ret = g->ops->shared_key(g->space, at, write, &place->key);
	if (!ret)
		return own_shared_place(g, at, place);
	if (g->shared)
		place->domain = g->shared;
	return ret < 0 ? ret : 0;
}

/* ---- timeouts ---- */

static int read_timeout(const struct ufx_guest *g, uint64_t at, struct timespec *timeout)
{
	uint64_t seconds, nanoseconds;
	int ret = ufx_guest_read(g, at, 8, &seconds);

	if (!ret)
		ret = ufx_guest_read(g, at + 8, 8, &nanoseconds);
	if (ret)
		return ret;
	*timeout = (struct timespec){ (time_t)seconds, (long)nanoseconds };
	return 0;
}

int ufx_guest_timeout(const struct ufx_guest *g, uint64_t at, struct timespec *timeout)
{
	int ret = g->ops->timeout ? g->ops->timeout(g->space, at, timeout) :
				    read_timeout(g, at, timeout);

	if (ret)
		return ret;
	if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= NSEC_A_SEC)
		return -EINVAL;
	return 0;
}

struct ufx_deadline ufx_guest_deadline(const struct ufx_guest *g,
				       const struct timespec *timeout, clockid_t clock,
				       bool relative)
{
	struct ufx_deadline deadline = { *timeout, clock };

	if (g->ops->deadline)
		g->ops->deadline(g->space, timeout, clock, relative, &deadline);
	else if (relative && timeout->tv_sec >= INT64_MAX / NSEC_A_SEC)
		deadline = ufx_deadline_in(INT64_MAX);
	else if (relative)
		deadline = ufx_deadline_in((int64_t)timeout->tv_sec * NSEC_A_SEC +
					   timeout->tv_nsec);
	return deadline;
}

/* ---- waits ---- */

int ufx_guest_look(const struct ufx_guest *g, uint64_t at, uint32_t expected)
{
	uint32_t value;

	if (g->ops->load(g->space, at, &value, false))
		return -EFAULT;
	return value == expected ? 0 : -EAGAIN;
}

/*
 * With the bucket locked, behind a full fence: whoever changes the word and then
 * wakes, or marks the thread and then interrupts, is seen here, or sees us.
 */
static bool look_locked(void *arg)
{
	struct ufx_guest_look *look = arg;
	const struct ufx_guest *g = look->thread->guest;
	uint32_t value;

	look->why = g->ops->load(g->space, look->at, &value, true);
	if (!look->why && value != look->expected)
		look->why = -EAGAIN;
	if (!look->why)
		look->why = __atomic_load_n(&look->thread->signal, __ATOMIC_ACQUIRE);
	return !look->why;
}

struct ufx_condition ufx_guest_condition(const struct ufx_guest_place *place,
					 uint32_t mask, struct ufx_guest_look *look)
{
	return (struct ufx_condition){ .key = place->key, .mask = mask,
				       .check = look_locked, .arg = look,
				       .owner = look->thread };
}

long ufx_guest_ending(int how, int why, uint64_t answer)
{
	switch (how) {
	case UFX_MISMATCH:
		return why;
	case UFX_TIMED_OUT:
		return -ETIMEDOUT;
	case UFX_INTERRUPTED:
		return (long)answer;
	case UFX_CANCELLED:
		return -ECANCELED;
	case UFX_FAULTED:
		return -EFAULT;
	default:
		return how; /* -errno */
	}
}

/* ---- signals ---- */

bool ufx_guest_signal(struct ufx_guest_thread *t, int error)
{
	const struct ufx_guest *g;
	long n;

	ufx_rule(t && t->guest && error < 0, "a thread, of a guest; an error below 0");
	if (!t || !t->guest || error >= 0)
		return false;
	g = t->guest;
	__atomic_store_n(&t->signal, error, __ATOMIC_RELEASE);
	n = ufx_domain_interrupt_owner(g->domain, t, (uint64_t)(int64_t)error);
	if (n <= 0 && g->shared && g->shared != g->domain)
		n = ufx_domain_interrupt_owner(g->shared, t, (uint64_t)(int64_t)error);
	return n > 0;
}

void ufx_guest_signal_taken(struct ufx_guest_thread *t)
{
	if (t)
		__atomic_store_n(&t->signal, 0, __ATOMIC_SEQ_CST);
}
