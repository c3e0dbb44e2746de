// SPDX-License-Identifier: MIT
/* What children of fork, vfork and clone, and the next program, see of it. */
#include "crowd.h"
#include "rows.h"

static uint32_t word;

/* A child of fork starts anew and does not touch its parent's. */
static void own_in_child(const struct subject *s)
{
	pid_t pid = tap_fork();

	if (pid == 0) {
		slots_unset(s, "in a child of fork");
		row(s, slots_set(s, 256), 0, "... SET_SLOTS 256 there");
		row(s, slots_get(s), 256, "... GET_SLOTS after it");
		row(s, s->futex(&word, FUTEX_WAIT_PRIVATE, 0, SOON, NULL, 0),
		    -ETIMEDOUT, "... WAIT there");
		row(s, s->futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0,
		    "... WAKE there finds none of the parent's");
		_exit(0);
	}
	tap_reap(pid, "child of fork");
}

static void forked(const struct subject *s)
{
	row(s, slots_set(s, 64), 0, "SET_SLOTS 64");
	own_in_child(s);
	row(s, slots_get(s), 64, "GET_SLOTS of the parent");
}

static void forked_zero(const struct subject *s)
{
	row(s, slots_set(s, 0), 0, "SET_SLOTS 0");
	own_in_child(s);
	row(s, slots_set(s, 16), -EBUSY, "SET_SLOTS 16 of the parent");
}

static void forked_with_waiters(const struct subject *s)
{
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &word, 3);
	row(s, slots_get(s), 16, "GET_SLOTS with threads");
	own_in_child(s);
	row(s, slots_get(s), 16, "GET_SLOTS of the parent");
	row(s, crowd_wake_one(&c, &word), 0, "the parent's waiters are there");
	row(s, crowd_close(&c), 2, "... all of them");
}

static int child_result;
static const struct subject *child_subject;

static int set_in_child(void *arg)
{
	(void)arg;
	child_result = (int)slots_set(child_subject, 64);
	return 0;
}

/* A clone that shares our memory, with a stack of its own. */
static pid_t sharing(int (*function)(void *), int flags)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t pid = clone(function, stack + sizeof(stack),
			  CLONE_VM | SIGCHLD | flags, NULL);

	if (pid < 0)
		bail("clone: %s", strerror(errno));
	return pid;
}

static void vforked(const struct subject *s)
{
	if (s->engine) {
		row_skip(s, "such children are served under the preload only",
			 "SET_SLOTS in a child of vfork");
		return;
	}
	child_subject = s;
	child_result = 1;
	tap_reap(sharing(set_in_child, CLONE_VFORK), "child of vfork");
	row(s, child_result, 0, "SET_SLOTS 64 in a child of vfork");
	row(s, slots_get(s), 64, "GET_SLOTS: the parent's has changed");
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static void cloned(const struct subject *s)
{
	if (s->engine) {
		row_skip(s, "a bare clone is not seen",
			 "GET_SLOTS after clone(CLONE_VM)");
		return;
	}
	tap_reap(sharing(nothing, CLONE_VFORK), "child of vfork");
	row(s, slots_get(s), 0, "GET_SLOTS after a child of vfork");
	/* Linux 6.18.33 and 7.0.10 made it so for more than threads. */
	if (!kernel_at_least(6, 18)) {
		row_skip(s, "depends on the kernel's version",
			 "GET_SLOTS after clone(CLONE_VM)");
		return;
	}
	tap_reap(sharing(nothing, 0), "clone");
	row(s, slots_get(s), 16, "GET_SLOTS after clone(CLONE_VM)");
}

static void executed(const struct subject *s)
{
	pid_t pid;

	row(s, slots_set(s, 64), 0, "SET_SLOTS 64");
	pid = tap_fork();
	if (pid == 0) {
		row(s, slots_set(s, 32), 0, "SET_SLOTS 32 in a child");
		slots_exec(s, "GET_SLOTS after execve");
		_exit(0);
	}
	tap_reap(pid, "next program");
	row(s, slots_get(s), 64, "GET_SLOTS of the parent");
}

static int next_program(void)
{
	struct subject s = slots_subject();

	slots_unset(&s, "after execve");
	row(&s, slots_set(&s, 16), 0, "... SET_SLOTS 16");
	row(&s, slots_get(&s), 16, "... GET_SLOTS after it");
	return tap_end();
}

static const struct slots_row rows[] = {
	{ "fork", forked },
	{ "fork after SET_SLOTS 0", forked_zero },
	{ "fork with waiters", forked_with_waiters },
	{ "vfork", vforked },
	{ "clone", cloned },
	{ "execve", executed },
};

int main(int argc, char **argv)
{
	(void)argv;
	if (argc == 2)
		return next_program();
	return slots_main(rows, sizeof(rows) / sizeof(rows[0]));
}
