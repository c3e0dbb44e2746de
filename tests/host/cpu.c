// SPDX-License-Identifier: MIT
/* How many CPUs there may be: it must be more than any number that we run on. */
#include "host/cpu.h"

#include <sched.h>

#include "tap.h"

/* The last number of a list such as "0-3,8-11", here read in another way. */
static int last_of(const char *path)
{
	char text[256] = "", *p;
	FILE *file = fopen(path, "r");
	int last = -1;

	if (!file || !fgets(text, sizeof(text), file))
		text[0] = '\0';
	if (file)
		fclose(file);
	p = strrchr(text, ',');
	p = p ? p + 1 : text;
	if (strchr(p, '-'))
		p = strchr(p, '-') + 1;
	if (*p)
		sscanf(p, "%d", &last);
	return last;
}

static void possible(void)
{
	int last = last_of("/sys/devices/system/cpu/possible");
	unsigned int n = ufx_cpus_possible();

	ok(n >= 1, "%u CPUs are possible", n);
	if (last < 0)
		skip("/sys is not there", "as the kernel says");
	else
		is_int(n, last + 1, "as the kernel says");
	is_int(ufx_cpus_possible(), n, "it does not change");
	ok(ufx_cpus_online() >= 1 && ufx_cpus_online() <= n, "%u are online",
	   ufx_cpus_online());
}

/* Runs on each CPU that it may: none has a number that is too high. */
static void each_one(void)
{
	cpu_set_t all, one;
	int cpu, worst = 0;

	if (sched_getaffinity(0, sizeof(all), &all)) {
		skip("no affinity here", "each CPU");
		return;
	}
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET((size_t)cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET((size_t)cpu, &one);
		if (!sched_setaffinity(0, sizeof(one), &one) && cpu > worst)
			worst = cpu;
	}
	ok((unsigned int)worst < ufx_cpus_possible(),
	   "the highest that we run on is %d", worst);
	sched_setaffinity(0, sizeof(all), &all);
}

static void pretended(void)
{
	unsigned int online = ufx_cpus_online();

	ufx_cpus_pretend(48);
	is_int(ufx_cpus_online(), 48, "48 pretended");
	is_int(ufx_cpus_for_sizing(), 48, "for sizes too");
	ok(ufx_cpus_possible() < 48 || online >= 48, "cells are for real ones");
	ufx_cpus_pretend(0);
	is_int(ufx_cpus_online(), online, "the truth again");
}

int main(void)
{
	possible();
	each_one();
	pretended();
	return tap_end();
}
