/* SPDX-License-Identifier: MIT */
/* prctl(PR_FUTEX_HASH) and what pthread_create does to the table. */
#include "served.h"

static void *nothing(void *arg)
{
	return arg;
}

static void thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, nothing, NULL))
		bail("no thread");
	pthread_join(t, NULL);
}

static long get(void)
{
	return prctl(PR_HASH, GET_SLOTS);
}

int main(int argc, char **argv)
{
	(void)argc;
	served(argv);
	is_int(get(), 0, "0 slots in a fresh process");
	call_futex(&test_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	is_int(get(), 0, "a call makes no difference");
	thread();
	is_int(get(), 16, "16 after one thread was made");
	thread();
	is_int(get(), 16, "16 after another");

	fails(prctl(PR_HASH, SET_SLOTS, 3, 0), EINVAL, "3 slots: EINVAL");
	fails(prctl(PR_HASH, SET_SLOTS, 64, 1), EINVAL, "fourth argument: EINVAL");
	fails(prctl(PR_HASH, 5), EINVAL, "op 5: EINVAL");
	fails(prctl(PR_HASH, SET_SLOTS, 1ul << 25, 0), ENOMEM, "2^25: ENOMEM");
	is_int(prctl(PR_HASH, SET_SLOTS, 64, 0), 0, "64 slots");
	is_int(get(), 64, "64 are in force");
	is_int(syscall(SYS_prctl, PR_HASH, GET_SLOTS), 64, "syscall says so too");
	ok(raw_prctl(PR_HASH, GET_SLOTS, 0) != 64, "the kernel knows nothing of it");
	thread();
	is_int(get(), 64, "a new thread leaves 64 in force");
	ok(engine_answers(), "calls are answered");

	is_int(prctl(PR_HASH, SET_SLOTS, 0, 0), 0, "0 slots");
	is_int(get(), 0, "0 are in force");
	fails(prctl(PR_HASH, SET_SLOTS, 16, 0), EBUSY, "16 after 0: EBUSY");
	ok(engine_answers(), "calls are answered");
	return tap_end();
}
