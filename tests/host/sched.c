// SPDX-License-Identifier: MIT
/* Class, priority and CPUs of a thread, and the setting of spinning. */
#include "host/sched.h"

#include <sched.h>

#include "host/setting.h"
#include "tap.h"

#define S 1000000000ull

static const struct {
	const char *what;
	int policy, priority;
	uint32_t expected;
	bool normal;
} classes[] = {
	{ "batch", SCHED_BATCH, 0, 0, false },
	{ "other", SCHED_OTHER, 0, 0, true },
	{ "other, a child's is reset", SCHED_OTHER | SCHED_RESET_ON_FORK, 0, 0, true },
	{ "fifo 7", SCHED_FIFO, 7, 7, false },
	{ "round robin 99", SCHED_RR | SCHED_RESET_ON_FORK, 99, 99, false },
	{ "idle", SCHED_IDLE, 0, 0, false },
};

static void class_of_thread(void)
{
	for (unsigned int i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		struct sched_param p = { .sched_priority = (int)classes[i].priority };
		struct ufx_sched s;

		if (sched_setscheduler(0, classes[i].policy, &p)) {
			skip("not permitted", "%s", classes[i].what);
			continue;
		}
		s = ufx_sched_look();
		ok(s.priority == classes[i].expected && s.normal == classes[i].normal,
		   "%s: priority %u, %s", classes[i].what, s.priority,
		   s.normal ? "normal" : "not normal");
	}
	sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){ 0 });
}

static void run_on(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		bail("sched_setaffinity: %s", strerror(errno));
}

static void cpus_of_thread(void)
{
	int first = -1, last = -1;
	uint32_t count;
	cpu_set_t all;

	if (sched_getaffinity(0, sizeof(all), &all)) {
		skip("no affinity here", "CPUs");
		return;
	}
	count = (uint32_t)CPU_COUNT(&all);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, &all)) {
			first = first < 0 ? cpu : first;
			last = cpu;
		}
	run_on(first);
	is_int(ufx_sched_cpus(5 * S), 1, "bound to one CPU: one");
	if (count > 1) {
		run_on(last);
		is_int(ufx_sched_cpus(5 * S + 1), 2, "another thread was on another one");
		is_int(ufx_sched_cpus(6 * S + 2), 1, "but not in the last second");
		sched_setaffinity(0, sizeof(all), &all);
		is_int(ufx_sched_cpus(8 * S), count, "not bound: %u", count);
		run_on(first);
		is_int(ufx_sched_cpus(8 * S + S / 2), 2, "bound half a second ago");
		is_int(ufx_sched_cpus(9 * S + 1), 1, "bound a second ago");
	} else {
		skip("one CPU", "another thread was on another one");
	}
	sched_setaffinity(0, sizeof(all), &all);
	ufx_sched_pretend(48);
	is_int(ufx_sched_cpus(0), 48, "pretended");
	ufx_sched_pretend(0);
}

static const struct {
	const char *text;
	bool good;
	uint32_t ns;
} settings[] = {
	{ NULL, true, UFX_SPIN_AUTO }, { "", true, UFX_SPIN_AUTO },
	{ "auto", true, UFX_SPIN_AUTO }, { "off", true, 0 }, { "0", true, 0 },
	{ "1", true, 1 }, { "5000", true, 5000 }, { "1000000", true, 1000000 },
	{ "1000001", false, 0 }, { "99999999999999999999", false, 0 },
	{ "4294967297", false, 0 }, { "-1", false, 0 }, { "+5", false, 0 },
	{ " 5", false, 0 }, { "5 ", false, 0 }, { "5us", false, 0 },
	{ "0x10", false, 0 }, { "on", false, 0 }, { "Auto", false, 0 },
	{ "offf", false, 0 }, { "of", false, 0 }, { "autos", false, 0 },
};

static void parsing(void)
{
	for (unsigned int i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		const char *text = settings[i].text;
		uint32_t ns;
		bool good = ufx_spin_parse(text, &ns);

		ok(good == settings[i].good && (!good || ns == settings[i].ns),
		   "%s is %s", text ? text : "nothing", good ? "taken" : "bad");
	}
}

int main(void)
{
	class_of_thread();
	cpus_of_thread();
	parsing();
	return tap_end();
}
