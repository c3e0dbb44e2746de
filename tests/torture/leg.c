// SPDX-License-Identifier: MIT
/* One part of a run: a process with its mode, its seed, all activities. */
#include <stdio.h>
#include <stdlib.h>

#include <ufutex/caps.h>

#include "fault_name.h"
#include "torture.h"

static const struct activity *const activities[] = {
	&semaphores, &bits, &conditions, &cold, &resizes, &own_domains, &signals,
	&handler_forks, &affinity, &churn, &clones, &vforks, &unregistered, &forks,
	&callbacks, &objects, &refs, &read_ages, &table_ages,
};

#define ACTIVITIES (sizeof(activities) / sizeof(activities[0]))

static struct worker *born[WORKERS];
static unsigned int births;
static bool on[ACTIVITIES];

static void choose(void)
{
	size_t i;

	for (i = 0; i < ACTIVITIES; i++)
		on[i] = (!options.only || option_lists(options.only, activities[i]->name)) &&
			!option_lists(options.without, activities[i]->name);
}

/* Seeds choose how long the windows are that a build for tests can widen. */
static void set_up(uint64_t seed)
{
#ifdef UFX_FAULTS
	static const uint64_t delays[] = { 0, 0, 0, 10, 100, 1000 };
	uint64_t dice = seed * 0x9e3779b97f4a7c15u >> 32;

	ufx_test_delay = delays[dice % 6];
	ufx_section_delay = delays[dice / 6 % 6];
	if (options.fault)
		ufx_fault_chosen = fault_named(options.fault);
#endif
	(void)seed;
	crash_install();
	spaces_open();
	if (!options.fault) /* there tables are unmapped when they are freed */
		tables_poison();
	handlers_install();
	options.seed = seed;
}

static void start_all(void)
{
	unsigned int cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), threads, n;
	size_t i;

	threads = options.threads ? options.threads : 30 * cpus;
	if (threads > WORKERS / 4)
		threads = WORKERS / 4;
	for (i = 0; i < ACTIVITIES; i++)
		if (activities[i]->start) /* others may use what it has */
			activities[i]->start();
	for (i = 0; i < ACTIVITIES; i++) {
		n = activities[i]->weight * threads / 60;
		for (n = n || !activities[i]->weight ? n : 1; on[i] && n; n--) {
			born[births] = worker_start(activities[i], NULL);
			if (!born[births])
				finding("no thread can be made");
			births++;
		}
	}
}

static bool all_ended(void)
{
	unsigned int i;

	for (i = 0; i < births; i++)
		if (__atomic_load_n(&born[i]->state, __ATOMIC_ACQUIRE) != WORKER_ENDED)
			return false;
	return true;
}

/* Tells them, waits until those that are left wait rightly, lets those go. */
static void stop_all(void)
{
	int quiet = 0;
	size_t i;

	__atomic_store_n(&stopping, 1, __ATOMIC_SEQ_CST);
	while (quiet < 3 && !all_ended()) {
		nap_us(20000);
		quiet = watchdog_quiet() ? quiet + 1 : 0;
	}
	for (i = 0; i < ACTIVITIES; i++)
		if (activities[i]->stop) /* others may wait for what it has */
			activities[i]->stop();
	while (!all_ended())
		nap_us(5000);
	while (births)
		worker_join(born[--births]);
}

static void make_up_accounts(void)
{
	struct ufx_capabilities caps;
	size_t i;

	for (i = 0; i < ACTIVITIES; i++)
		if (activities[i]->check)
			activities[i]->check();
	ufx_caps(&caps);
	total_add(COUNT_grace_periods, caps.grace_periods);
	total_add(COUNT_fallback_reads, caps.aborts);
	if (caps.grace_failures)
		finding("%ju grace periods were refused", (uintmax_t)caps.grace_failures);
	for (i = 0; i < COUNT_END; i++)
		totals->counts[i] += total((enum count)i);
}

void leg_run(uint64_t seed, double seconds)
{
	sigset_t ours;
	pthread_t dog;
	int64_t end;

	/* Not for the main thread and the watchdog; workers get it unblocked. */
	sigemptyset(&ours);
	choose();
	set_up(seed);
	start_all();
	sigaddset(&ours, SIGUSR1);
	sigaddset(&ours, SIGUSR2);
	sigaddset(&ours, SIGURG);
	pthread_sigmask(SIG_BLOCK, &ours, NULL);
	if (pthread_create(&dog, NULL, watchdog, NULL))
		finding("no watchdog");
	end = now_ms() + (int64_t)(seconds * 1000);
	while (now_ms() < end)
		nap_us(20000);
	stop_all();
	make_up_accounts();
	_exit(0);
}
