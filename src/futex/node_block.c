/* SPDX-License-Identifier: MIT */
/* A thread that blocks on nodes. */
#include <errno.h>

#include "futex/node.h"
#include "futex/spin.h"
#include "futex/wait.h"
#include "host/clock.h"

#define LINES(n) ((n) * (unsigned int)(sizeof(struct ufx_node) / UFX_LINE))

struct ufx_deadline ufx_deadline_in(int64_t ns)
{
	struct ufx_deadline d = { .clock = CLOCK_MONOTONIC };
	int64_t seconds = ns / 1000000000, rest = ns % 1000000000;

	ufx_clock(CLOCK_MONOTONIC, &d.at);
	rest += d.at.tv_nsec;
	if (rest < 0) {
		rest += 1000000000;
		seconds--;
	} else if (rest >= 1000000000) {
		rest -= 1000000000;
		seconds++;
	}
	d.at.tv_nsec = rest;
	/* Of 64 bits neither overflows: nanoseconds are 292 years at most. */
	d.at.tv_sec += seconds;
	if (d.at.tv_sec < 0)
		d.at.tv_sec = 0;
	return d;
}

static bool any_ended(const struct ufx_node *nodes, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (ufx_node_ended(&nodes[i]))
			return true;
	return false;
}

/*
 * Spins on the nodes' own states: who wakes one meanwhile finds its thread's park
 * word awake, and need not enter the kernel.
 */
static void spin(struct ufx_thread *t, const struct ufx_node *nodes, unsigned int n)
{
	struct ufx_waitv_entry states[4];
	const bool never = false;

	if (n > sizeof(states) / sizeof(*states))
		return;
	ufx_spin_prepare(t);
	if (!t->cpus)
		return;
	for (unsigned int i = 0; i < n; i++)
		states[i] = ufx_park_entry(&nodes[i].line.state, UFX_WAITER_QUEUED);
	ufx_spin(t, states, n, &never);
}

/* Until one has ended: 0; or -ETIMEDOUT. */
static int sleep_until_ended(struct ufx_thread *t, const struct ufx_node *nodes,
			     unsigned int n, const struct ufx_deadline *deadline)
{
	while (!any_ended(nodes, n)) {
		int ret = 0;

		/* Asleep, then look: as sleep_once (block.c), which has the partner. */
		ufx_xchg(&t->park, UFX_PARK_ASLEEP);
		if (!any_ended(nodes, n))
			ret = ufx_park_alone(&t->park, deadline);
		ufx_xchg(&t->park, UFX_PARK_AWAKE);
		if (ret == -ETIMEDOUT)
			return ret;
	}
	return 0;
}

int ufx_node_block_by(struct ufx_node *n, const struct ufx_deadline *deadline,
		      uint64_t *answer, void (*left)(bool more, void *arg), void *arg)
{
	struct ufx_thread *t = ufx_thread_self();
	int how;

	ufx_rule(n && !n->parker, "a node with a parker does not block a thread");
	if (!n || !t || n->parker)
		return -EINVAL;
	if (n->line.park != &t->park && !ufx_node_ended(n)) /* another thread's */
		return -EINVAL;
	if (!any_ended(n, 1)) {
		spin(t, n, 1);
		sleep_until_ended(t, n, 1, deadline);
	}
	how = ufx_node_finish_by(n, answer, left, arg);
	return how == UFX_LEFT ? UFX_TIMED_OUT : how;
}

int ufx_node_block(struct ufx_node *n, const struct ufx_deadline *deadline,
		   uint64_t *answer)
{
	return ufx_node_block_by(n, deadline, answer, NULL, NULL);
}

/* What prepare said, as an ending, or still -errno. */
static int ending_of(int ret)
{
	switch (ret) {
	case -EAGAIN:
		return UFX_MISMATCH;
	case -EFAULT:
		return UFX_FAULTED;
	case -ECANCELED:
		return UFX_CANCELLED;
	default:
		return ret;
	}
}

/*
 * Finishes the first @n; of those that were ended the last one says how, but a wake
 * comes before all else: it counted us, and is lost on others.
 */
static int finish_all(struct ufx_node *nodes, unsigned int n, int how,
		      unsigned int *index, uint64_t *answer)
{
	bool ended = false, woken = false;

	for (unsigned int i = n; i-- > 0;) {
		uint64_t its = 0;
		int one = ufx_node_finish(&nodes[i], &its);

		if (one == UFX_LEFT || woken || (ended && one != UFX_WOKEN))
			continue;
		ended = true;
		woken = one == UFX_WOKEN;
		how = one;
		*index = i;
		*answer = its;
	}
	return how;
}

static int wait_on(struct ufx_thread *t, struct ufx_domain *d, struct ufx_node *nodes,
		   const struct ufx_condition *c, unsigned int n,
		   const struct ufx_deadline *deadline, unsigned int *index,
		   uint64_t *answer)
{
	for (unsigned int i = 0; i < n; i++) {
		int ret;

		nodes[i].prepared = 0;
		ret = ufx_node_prepare(d, &nodes[i], &c[i], NULL, NULL);
		if (ret) {
			*index = i;
			return finish_all(nodes, i, ending_of(ret), index, answer);
		}
	}
	spin(t, nodes, n);
	sleep_until_ended(t, nodes, n, deadline);
	return finish_all(nodes, n, UFX_TIMED_OUT, index, answer);
}

int ufx_domain_wait_any(struct ufx_domain *d, const struct ufx_condition *conditions,
			unsigned int n, const struct ufx_deadline *deadline,
			unsigned int *index, uint64_t *answer)
{
	struct ufx_thread *t;
	struct ufx_node *nodes;
	unsigned int which = 0;
	uint64_t its = 0;
	int how;

	ufx_rule(d && conditions && n && n <= UFX_WAIT_ANY_MAX,
		 "1 to 128 conditions; no argument is NULL");
	if (!d || !conditions || !n || n > UFX_WAIT_ANY_MAX)
		return -EINVAL;
	if (ufx_thread_inside)
		return -EINTR;
	t = ufx_thread_self();
	nodes = t ? ufx_thread_lines(t, LINES(n)) : NULL;
	if (!nodes)
		return -ENOMEM;
	how = wait_on(t, d, nodes, conditions, n, deadline, &which, &its);
	ufx_thread_lines_free(t, LINES(n));
	if (index)
		*index = which;
	if (answer)
		*answer = its;
	return how;
}

int ufx_domain_wait(struct ufx_domain *d, const struct ufx_condition *condition,
		    const struct ufx_deadline *deadline, uint64_t *answer)
{
	return ufx_domain_wait_any(d, condition, 1, deadline, NULL, answer);
}
