// SPDX-License-Identifier: MIT
/* Handlers that are after the operation's own waiter or word. */
#include "sweep.h"

#include "hammer.h"

#ifdef __x86_64__

static const struct operation one_of_two = { "a wake of one of two", wake_first, 1,
					      1, 0, false, false };
static const struct handler wakes_other = { "wakes the other", ring_first, true, false };

static uint32_t rings_of_both(void)
{
	return rings(&first) + rings(&second);
}

static bool both_come_to(uint32_t due)
{
	int64_t end = clock_ms() + SOON_MS;

	while (rings_of_both() < due && clock_ms() < end)
		sched_yield();
	return rings_of_both() == due;
}

/* One wake by the operation, one by the handler. True if that was reached. */
static bool wake_both(struct tally *t, const struct trap_step *step)
{
	struct trap_seen seen;
	uint32_t due;

	asleep(&first);
	asleep(&second);
	sweep_seen.rung = 0;
	due = rings_of_both() + 1;
	if (trap_at(step, false, wake_first, ring_first, &seen) != 1)
		sweep_wrong(t, &one_of_two, &wakes_other, "it does not wake one");
	due += seen.acted;
	if (!both_come_to(due)) {
		diag("  %u wakes have arrived, %u are due; the handler's returned %ld",
		     rings_of_both(), due, sweep_seen.rung);
		sweep_wrong(t, &one_of_two, &wakes_other,
			    "not as many were woken as asked for");
		sweep_wake(&first.word, 2);
	}
	return seen.acted;
}

/* A wake of @first by the handler too: two sleep there, both are woken. */
void sweep_same_word(unsigned int every)
{
	unsigned int places = 0;
	struct tally t = { 0 };
	uint32_t before;

	blocked_start(&second.thread, sleep_on_first, &second, NULL);
	sweep_way = "undisturbed before";
	asleep(&first);
	asleep(&second);
	before = rings_of_both();
	trap_record(&sweep_trace, wake_first);
	if (!both_come_to(before + 1)) /* else it would be taken for a later one */
		bail("a wake that nothing disturbs does not arrive");
	for (unsigned int i = sweep_patchable(sweep_first(every)); i < sweep_trace.n;
	     i = sweep_patchable(i + every))
		places += wake_both(&t, &sweep_trace.steps[i]);
	is_int(t.wrong, 0, "two sleep, one is woken, the other by a handler at %u "
	       "places", places);
	ok(places > 0, "some were reached");
	asleep(&first);
	asleep(&second);
	second.stop = first.stop = 1;
	is_int(sweep_wake(&first.word, 3), 2, "both sleep still");
	blocked_join(&second.thread);
	blocked_join(&first.thread);
}

/* Nobody may sleep on what the handler has set, nor may its wake be lost. */
void sweep_wake_of_own_wait(unsigned int every)
{
	unsigned int by_wake = 0, by_value = 0, by_time = 0, others = 0, lost = 0;

	sweep_due = 0;
	times_out();
	trap_record(&sweep_trace, times_out);
	for (unsigned int i = sweep_patchable(sweep_first(every)); i < sweep_trace.n;
	     i = sweep_patchable(i + every)) {
		struct trap_seen seen;
		long ret;

		sweep_due = 0;
		sweep_seen.rung = 0;
		ret = trap_at(&sweep_trace.steps[i], false, times_out, set_and_wake, &seen);
		by_wake += ret == 0;
		by_value += ret == -EAGAIN;
		by_time += ret == -ETIMEDOUT;
		others += ret && ret != -EAGAIN && ret != -ETIMEDOUT;
		if (sweep_seen.rung == 1 && ret) {
			lost++;
			diag("at %#lx: woken, but it returns %ld", trap_where, ret);
		}
	}
	is_int(lost, 0, "a wait that a handler over it wakes is woken: %u, value "
	       "%u, time %u", by_wake, by_value, by_time);
	is_int(others, 0, "and returns nothing else");
	ok(by_value && by_time, "the sweep covers what is before it and after it");
	sweep_due = 0;
}

#endif
