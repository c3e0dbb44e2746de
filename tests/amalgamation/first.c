// SPDX-License-Identifier: MIT
/* Each function may be the first of all that is called: nothing ran before main. */
#define UFX_PREFIX one_
#include "ufutex.h"

#include "tap.h"

static uint32_t word;
static struct ufx_call call;
static int called;

static void on_call(struct ufx_call *c)
{
	(void)c;
	called++;
}

static void on_zero(struct ufx_ref *ref)
{
	ufx_ref_exit(ref);
}

static void on_release(struct ufx_object *object)
{
	(void)object;
}

static bool caps(void)
{
	struct ufx_capabilities c;

	return !ufx_caps(&c) && c.mode != UFX_MODE_NONE;
}

static bool get_state(void)
{
	return !ufx_grace_cond_sync(ufx_grace_get_state());
}

static bool start_poll(void)
{
	ufx_cookie cookie = ufx_grace_start_poll();

	return !ufx_grace_cond_sync(cookie) && ufx_grace_poll(cookie);
}

static bool poll(void)
{
	return !ufx_grace_poll((ufx_cookie){ 1 });
}

static bool synchronize(void)
{
	return !ufx_grace_synchronize();
}

static bool deferred(void)
{
	ufx_grace_call(&call, on_call);
	return !ufx_grace_barrier() && called == 1;
}

static bool hurried(void)
{
	ufx_grace_call_hurry(&call, on_call);
	return called == 1;
}

static bool barrier(void)
{
	return !ufx_grace_barrier();
}

static bool publish(void)
{
	void *at;

	return !ufx_grace_cond_sync(ufx_grace_publish(&at, &word)) && at == &word;
}

static bool ref(void)
{
	struct ufx_ref r;

	if (ufx_ref_init(&r, on_zero))
		return false;
	ufx_ref_get_inline(&r);
	ufx_ref_put_inline(&r);
	return !ufx_ref_kill(&r);
}

static bool object(void)
{
	struct ufx_object o;
	struct ufx_slot s;

	if (ufx_object_init(&o, UFX_SLOT_PUBLISH_FIRST, on_release) ||
	    ufx_slot_init(&s, UFX_SLOT_PUBLISH_FIRST, &o))
		return false;
	ufx_slot_put(&s, ufx_slot_get(&s));
	ufx_slot_exit(&s);
	return true;
}

static bool slot(void)
{
	struct ufx_slot s;
	bool good = !ufx_slot_init(&s, UFX_SLOT_WHEN_IDLE, NULL) && !ufx_slot_get(&s);

	ufx_slot_exit(&s);
	return good;
}

static bool domain(void)
{
	struct ufx_domain *d;

	return !ufx_domain_create(&d, NULL) && !ufx_domain_wake(d, 1, 1, UFX_ALL) &&
	       !ufx_domain_destroy(d);
}

static bool default_domain(void)
{
	return ufx_domain_default() && !ufx_domain_purge(ufx_domain_default(), 0, 9);
}

static bool wake(void)
{
	return !ufx_futex(&word, UFX_FUTEX_WAKE | UFX_FUTEX_PRIVATE, 1, NULL, NULL, 0);
}

static bool wait_mismatch(void)
{
	return ufx_futex(&word, UFX_FUTEX_WAIT | UFX_FUTEX_PRIVATE, 1, NULL, NULL, 0) == -EAGAIN;
}

static bool waitv(void)
{
	struct ufx_waitv_entry e = { 1, (uintptr_t)&word,
				     UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, 0 };

	return ufx_futex_waitv(&e, 1, 0, NULL, CLOCK_MONOTONIC) == -EAGAIN;
}

static bool futex2_wake(void)
{
	return !ufx_futex_wake(&word, 1, 1, UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE);
}

static bool unmapped(void)
{
	return ufx_futex((uint32_t *)4096, UFX_FUTEX_WAIT | UFX_FUTEX_PRIVATE, 0, NULL, NULL,
			 0) == -EFAULT;
}

static bool interrupt(void)
{
	return ufx_futex_interrupt(true);
}

static bool guard(void)
{
	ufx_faults_guard();
	return true;
}

static bool node(void)
{
	struct ufx_node n = { .domain = NULL };

	return ufx_node_finish(&n, NULL) == -EINVAL && !ufx_node_ended(&n);
}

static bool deadline(void)
{
	return ufx_deadline_in(0).clock == CLOCK_MONOTONIC;
}

static bool forget(void)
{
	ufx_section_forget();
	return true;
}

#define EACH(X)                                                                \
	X(caps) X(get_state) X(start_poll) X(poll) X(synchronize) X(deferred)  \
	X(hurried) X(barrier) X(publish) X(ref) X(object) X(slot) X(domain)    \
	X(default_domain) X(wake) X(wait_mismatch) X(waitv) X(futex2_wake)     \
	X(unmapped) X(interrupt) X(guard) X(node) X(deadline) X(forget)

#define ENTRY(name) { #name, name },

static const struct {
	const char *name;
	bool (*does)(void);
} each[] = { EACH(ENTRY) };

int main(void)
{
	for (unsigned int i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		pid_t pid = tap_fork();

		if (!pid)
			_exit(!each[i].does());
		ok(tap_reap(pid, each[i].name), "%s may be the first", each[i].name);
	}
	return tap_end();
}
