// SPDX-License-Identifier: MIT
/*
 * R7: a pending callback keeps its container alive; teardown waits for neither
 * its own callback nor a stranger's.
 */
#include "table/domain.h"

#include <sys/mman.h>

#include "blocked.h"
#include "hammer.h"
#include "rule.h"
#include "things.h"

/* ---- the container outlives its callback ---- */

struct stranger {
	struct ufx_call call;
	int running, go;
};

static void linger(struct ufx_call *call)
{
	struct stranger *s = (struct stranger *)call;

	__atomic_store_n(&s->running, 1, __ATOMIC_RELEASE);
	wait_until(&s->go, 1);
}

static long drive(void *arg)
{
	struct stranger *s = arg;

	ufx_grace_call_hurry(&s->call, linger);
	return 0;
}

/* Whoever touches the slot after its exit crashes. */
static long take_down(void *arg)
{
	ufx_slot_exit(arg);
	mprotect(arg, 4096, PROT_NONE);
	return 0;
}

/*
 * Somebody else drives and lingers; so the replacement's callback stays in the
 * list while the slot is taken down.
 */
static void exit_while_pending(void)
{
	struct ufx_slot *slot = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct stranger s = { .running = 0 };
	struct blocked driver, exiter;

	ufx_slot_init(slot, UFX_SLOT_WHEN_IDLE, thing_new(UFX_SLOT_WHEN_IDLE));
	blocked_start(&driver, drive, &s, NULL);
	wait_until(&s.running, 1);
	is_int(ufx_slot_replace_later(slot, thing_new(UFX_SLOT_WHEN_IDLE)), 0,
	       "a replacement is asked for and waits for its callback");
	blocked_start(&exiter, take_down, slot, NULL);
	blocked_wait(&exiter); /* asleep, or done already */
	__atomic_store_n(&s.go, 1, __ATOMIC_RELEASE);
	is_int(blocked_join(&driver), 0, "the callbacks run");
	is_int(blocked_join(&exiter), 0, "the slot was there for its own");
	is_int(things_released, things_made, "both objects are released");
	munmap(slot, 4096);
}

/* ---- teardown does not wait for strangers ---- */

struct teardown {
	const char *what;
	void (*run)(void);
};

static void slot_goes(enum ufx_slot_kind kind)
{
	struct ufx_slot slot;

	ufx_slot_init(&slot, kind, thing_new(kind));
	ufx_slot_put(&slot, ufx_slot_get(&slot));
	ufx_slot_exit(&slot);
}

static void idle_slot_goes(void)
{
	slot_goes(UFX_SLOT_WHEN_IDLE);
}

static void publish_slot_goes(void)
{
	slot_goes(UFX_SLOT_PUBLISH_FIRST);
}

static void domain_goes(enum ufx_replace replace)
{
	struct ufx_domain_options options = { .replace = replace };
	struct ufx_domain *d;

	if (ufx_domain_create(&d, &options))
		bail("no domain");
	ufx_domain_touch(d, 4096);
	is_int(ufx_domain_destroy(d), 0, "the domain is destroyed");
}

static void moving_domain_goes(void)
{
	domain_goes(UFX_REPLACE_MOVING);
}

static void at_zero_domain_goes(void)
{
	domain_goes(UFX_REPLACE_AT_ZERO);
}

static const struct teardown teardowns[] = {
	{ "a slot that is replaced when idle", idle_slot_goes },
	{ "a slot that publishes first", publish_slot_goes },
	{ "a domain that moves", moving_domain_goes },
	{ "a domain that switches at zero", at_zero_domain_goes },
};

static long run_teardown(void *arg)
{
	((const struct teardown *)arg)->run();
	return 0;
}

/* The teardown ends although a stranger's callback does not. */
static void not_for_strangers(const struct teardown *t)
{
	struct stranger s = { .running = 0 };
	struct blocked driver, b;
	bool asleep;

	blocked_start(&driver, drive, &s, NULL);
	wait_until(&s.running, 1);
	blocked_start(&b, run_teardown, (void *)(uintptr_t)t, NULL);
	asleep = blocked_wait(&b);
	ok(!asleep, "%s goes while a stranger's callback runs", t->what);
	__atomic_store_n(&s.go, 1, __ATOMIC_RELEASE);
	blocked_join(&driver);
	blocked_join(&b);
}

/* ---- nor for its own ---- */

struct self {
	struct ufx_call call;
	const struct teardown *t;
};

static void run_from_call(struct ufx_call *call)
{
	((struct self *)call)->t->run();
}

static void from_callback(const struct teardown *t)
{
	struct self s = { .t = t };

	ufx_grace_call_hurry(&s.call, run_from_call);
	ok(1, "%s goes from within a callback", t->what);
}

int main(void)
{
	size_t i;

	rule_start();
	exit_while_pending();
	for (i = 0; i < sizeof(teardowns) / sizeof(teardowns[0]); i++) {
		not_for_strangers(&teardowns[i]);
		from_callback(&teardowns[i]);
	}
	return tap_end();
}
