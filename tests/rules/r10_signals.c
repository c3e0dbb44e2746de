// SPDX-License-Identifier: MIT
/*
 * R10: get and put are safe in signal handlers, allocate nothing, and enter no
 * kernel. The work that a last put leaves is done by others.
 */
#include "host/syscall.h"
#include "ref/counted.h"

#include <linux/seccomp.h>
#include <sys/mman.h>

#include "hammer.h"
#include "rule.h"
#include "things.h"

/* ---- no allocation ---- */

static __thread int counting;
static int allocations;

#if !RULE_SANITIZED
extern void *__libc_malloc(size_t size);

void *malloc(size_t size)
{
	if (counting)
		__atomic_fetch_add(&allocations, 1, __ATOMIC_SEQ_CST);
	return __libc_malloc(size);
}
#endif

/* ---- what is counted ---- */

static struct ufx_ref ref;
static struct ufx_slot slots[2]; /* one of each kind */
static int ref_released, late;

static void count_release(struct ufx_ref *r)
{
	(void)r;
	__atomic_fetch_add(&ref_released, 1, __ATOMIC_SEQ_CST);
}

static void get_and_put(void)
{
	int i;

	counting++;
	ufx_ref_get(&ref);
	ufx_ref_get_inline(&ref);
	if (!ufx_ref_tryget(&ref))
		__atomic_fetch_add(&late, 1, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++) {
		struct ufx_object *a = ufx_slot_get(&slots[i]);
		struct ufx_object *b = ufx_slot_get_inline(&slots[i]);

		/* NULL: a replacement of this very thread is interrupted. */
		if ((a && !thing_alive(a)) || (b && !thing_alive(b)))
			__atomic_fetch_add(&late, 1, __ATOMIC_RELAXED);
		if (b)
			ufx_slot_put_inline(&slots[i], b);
		if (a)
			ufx_slot_put(&slots[i], a);
	}
	ufx_ref_put(&ref);
	ufx_ref_put_inline(&ref);
	ufx_ref_put(&ref);
	counting--;
}

static void start(void)
{
	int i;

	ufx_ref_init(&ref, count_release);
	for (i = 0; i < 2; i++)
		ufx_slot_init(&slots[i], (enum ufx_slot_kind)i,
			      thing_new((enum ufx_slot_kind)i));
	get_and_put(); /* the first use of a thread may map its record */
}

/* ---- no system call ---- */

static void quietly(void)
{
	int status;
	pid_t pid;

	if (RULE_SANITIZED) {
		skip("a sanitizer makes calls of its own", "no system call");
		return;
	}
	pid = tap_fork();
	if (pid == 0) {
		start(); /* the child of a fork begins afresh */
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			_exit(77);
		for (int i = 0; i < 100000; i++)
			get_and_put();
		ufx_syscall(SYS_exit, late, 0, 0, 0, 0, 0);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip("no seccomp here", "no system call");
	else
		is_int(status, 0, "100,000 rounds make no system call");
}

/* ---- handlers over everything ---- */

static int handled;

static void handler(int sig)
{
	(void)sig;
	get_and_put();
	__atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED);
}

static void work(struct hammer *h)
{
	(void)h;
	get_and_put();
	if (h->rounds % 16 == 0)
		sched_yield();
}

static void replace_some(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		enum ufx_slot_kind kind = (enum ufx_slot_kind)i;
		struct ufx_object *object = thing_new(kind);
		int ret = -EBUSY;

		if (object && kind == UFX_SLOT_WHEN_IDLE)
			ret = ufx_slot_replace_later(&slots[i], object);
		else if (object)
			ret = ufx_slot_replace(&slots[i], object);
		if (object && ret)
			thing_unused(object);
	}
}

static void in_handlers(void)
{
	int64_t end = clock_ms() + 500;
	struct crew c = { 0 };
	timer_t timer;

	crew_add(&c, work, NULL);
	timer = signal_each(100000, handler);
	while (clock_ms() < end) {
		get_and_put();
		replace_some();
		ufx_ref_switch_to_atomic(&ref);
		get_and_put();
		ufx_ref_switch_to_percpu(&ref);
	}
	timer_delete(timer);
	crew_stop(&c);
	ok(handled > 0, "%d handlers over gets, puts and replacements", handled);
	is_int(late, 0, "none has used a released object");
	if (RULE_SANITIZED)
		skip("a sanitizer brings its own malloc", "no allocation");
	else
		is_int(allocations, 0, "no allocation");
}

/* ---- a put leaves the release to others ---- */

static void put_releases_nothing(void)
{
	struct ufx_slot *slot = &slots[UFX_SLOT_PUBLISH_FIRST];
	struct ufx_object *held = ufx_slot_get(slot);

	ufx_slot_replace(slot, thing_new(UFX_SLOT_PUBLISH_FIRST));
	ok(thing_alive(held), "an object that is held is not released");
	ufx_slot_put(slot, held);
	ok(thing_alive(held), "nor does its last put release it");
	ufx_slot_replace(slot, thing_new(UFX_SLOT_PUBLISH_FIRST));
	ok(!thing_alive(held), "the next replacement does");
}

static void the_end(void)
{
	int i;

	is_int(ufx_ref_kill(&ref), 0, "the ref is killed");
	is_int(ref_released, 1, "nothing is left of it: the counts are exact");
	ufx_ref_exit(&ref);
	for (i = 0; i < 2; i++)
		ufx_slot_exit(&slots[i]);
	ufx_grace_barrier(); /* what was replaced before */
	is_int(things_released, things_made, "all objects are released");
	is_int(things_twice, 0, "once");
}

int main(void)
{
	rule_start();
	quietly();
	start();
	in_handlers();
	put_releases_nothing();
	the_end();
	return tap_end();
}
