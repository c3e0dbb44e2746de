// SPDX-License-Identifier: MIT
/* All of a sweep: see sweep.h. */
#include "sweep.h"

#include "host/setting.h"
#include "tap.h"

#ifdef __x86_64__

static void ignore_ref(struct ufx_ref *r)
{
	(void)r;
}

static void start(void)
{
	ufx_object_init(&sweep_object, UFX_SLOT_PUBLISH_FIRST, NULL);
	if (ufx_ref_init(&sweep_ref, ignore_ref) ||
	    ufx_slot_init(&sweep_slot, UFX_SLOT_PUBLISH_FIRST, &sweep_object))
		bail("nothing to count");
	blocked_start(&bell.thread, sleep_on_own, &bell, NULL);
	blocked_start(&first.thread, sleep_on_own, &first, NULL);
	asleep(&first);
}

static void end(void)
{
	asleep(&bell);
	bell.stop = 1;
	is_int(sweep_wake(&bell.word, 1), 1, "the bell sleeps still");
	blocked_join(&bell.thread);
}

int sweep(const struct sweep_plan *plan)
{
	const char *asked = getenv("SWEEP_EVERY"), *why;
	unsigned int every = asked ? (unsigned int)atoi(asked) : plan->every;

	ufx_spin_set(0); /* what is executed must not depend on time */
	if (!every)
		bail("SWEEP_EVERY=%s: not a number from 1 on", asked);
	if (plan->way)
		setenv("UFUTEX_REPLACE", plan->way, 1);
	why = trap_missing();
	if (why) {
		skip(why, "handlers at each instruction");
		return tap_end();
	}
	tap_timeout(asked ? 7200 : 280);
	start();
	for (size_t i = 0; i < SWEEP_OPERATIONS; i++)
		for (size_t j = 0; j < SWEEP_HANDLERS; j++)
			if (plan->handlers & (1u << j))
				sweep_one(&sweep_operations[i], &sweep_handlers[j],
					  every);
	sweep_wake_of_own_wait(every);
	sweep_same_word(every);
	end();
	return tap_end();
}

#else

int sweep(const struct sweep_plan *plan)
{
	(void)plan;
	skip(trap_missing(), "handlers at each instruction");
	return tap_end();
}

#endif
