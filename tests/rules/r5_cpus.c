// SPDX-License-Identifier: MIT
/*
 * R5: counts are summed modulo 2^64 over all possible CPUs: a get on one and
 * its put on another is normal. In modes without CPUs threads take their part.
 */
#include <ufutex/ref.h>

#include "blocked.h"
#include "rule.h"

static int released;

static void count_release(struct ufx_ref *ref)
{
	(void)ref;
	released++;
}

struct job {
	struct ufx_ref *ref;
	int cpu; /* -1: any */
	int gets, puts;
};

static long work(void *arg)
{
	struct job *job = arg;
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	CPU_SET((size_t)(job->cpu < 0 ? 0 : job->cpu), &set);
	if (job->cpu >= 0 && sched_setaffinity(0, sizeof(set), &set))
		return -errno;
	for (i = 0; i < job->gets; i++)
		ufx_ref_get(job->ref);
	for (i = 0; i < job->puts; i++)
		ufx_ref_put(job->ref);
	return 0;
}

/* Both threads live at once, so that they count on different cells. */
static void get_here_put_there(int here, int there)
{
	struct ufx_ref ref;
	struct job get = { &ref, here, 1000, 0 }, put = { &ref, there, 0, 1000 };
	struct blocked a, b;
	int before = released;

	ufx_ref_init(&ref, count_release);
	blocked_start(&a, work, &get, NULL);
	is_int(blocked_join(&a), 0, "1000 gets on CPU %d", here);
	blocked_start(&b, work, &put, NULL);
	is_int(blocked_join(&b), 0, "1000 puts on CPU %d", there);
	ufx_ref_get(&ref);
	is_int(ufx_ref_kill(&ref), 0, "kill");
	is_int(released, before, "one reference is left");
	ufx_ref_put(&ref);
	is_int(released, before + 1, "the last put releases it");
	ufx_ref_exit(&ref);
}

/* Two CPUs that this process may run on; the same twice if there is one. */
static void two_cpus(int cpus[2])
{
	cpu_set_t set;
	int cpu, n = 0;

	cpus[0] = cpus[1] = -1;
	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, &set))
			cpus[n++ != 0] = cpu;
}

static struct ufx_ref threads_ref;

static long get_some(void *arg)
{
	(void)arg;
	ufx_ref_get_many(&threads_ref, 7);
	return 0;
}

/* The main thread counted first; this one counts elsewhere. */
static void other_thread(void)
{
	struct blocked b;
	int before = released;

	ufx_ref_init(&threads_ref, count_release);
	ufx_ref_get(&threads_ref);
	ufx_ref_put(&threads_ref);
	blocked_start(&b, get_some, NULL, NULL);
	blocked_join(&b);
	ufx_ref_put_many(&threads_ref, 6);
	is_int(ufx_ref_kill(&threads_ref), 0, "7 got by one thread, 6 put by another");
	is_int(released, before, "one is left");
	ufx_ref_put(&threads_ref);
	is_int(released, before + 1, "the last put releases it");
	ufx_ref_exit(&threads_ref);
}

int main(void)
{
	int cpus[2];

	rule_start();
	two_cpus(cpus);
	if (cpus[1] < 0)
		skip("only one CPU may be used", "get and put on different CPUs");
	else {
		get_here_put_there(cpus[0], cpus[1]);
		get_here_put_there(cpus[1], cpus[0]);
	}
	other_thread();
	return tap_end();
}
