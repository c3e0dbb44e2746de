/* SPDX-License-Identifier: MIT */
/*
 * liburcu's memb flavour with its read side inlined, as its users get it who
 * define _LGPL_SOURCE. Only measured against; left out where it is not there.
 */
#ifdef UFX_BENCH_URCU

#define _LGPL_SOURCE
#include <urcu/urcu-memb.h>

#include "bench.h"

const char *const bench_urcu_missing = NULL;

void bench_urcu_enter(struct bench_worker *worker)
{
	(void)worker;
	urcu_memb_register_thread();
}

void bench_urcu_leave(struct bench_worker *worker)
{
	(void)worker;
	urcu_memb_unregister_thread();
}

void bench_urcu_loop(struct bench_worker *worker, void *arg, uint64_t n)
{
	(void)worker, (void)arg;
	while (n--) {
		urcu_memb_read_lock();
		urcu_memb_read_unlock();
	}
}

void bench_urcu_synchronize(void)
{
	urcu_memb_synchronize_rcu();
}

#else

#include "bench.h"

const char *const bench_urcu_missing = "not built in (liburcu-dev)";

void bench_urcu_enter(struct bench_worker *worker)
{
	(void)worker;
}

void bench_urcu_leave(struct bench_worker *worker)
{
	(void)worker;
}

void bench_urcu_loop(struct bench_worker *worker, void *arg, uint64_t n)
{
	(void)worker, (void)arg, (void)n;
}

void bench_urcu_synchronize(void)
{
}

#endif
