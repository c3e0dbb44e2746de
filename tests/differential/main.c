// SPDX-License-Identifier: MIT
/*
 * Starts runners (this program again), one for each block of seeds with the
 * configuration of the engine that is its turn, and gathers what they report.
 * One that dies or hangs is a finding too.
 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include <ufutex/caps.h>

#include "program.h"
#include "report.h"

#define BLOCK 100       /* seeds that share a process */
#define SILENCE_MS 90000 /* longer than a shrink and a thread that is stuck */
#define FINDINGS 20     /* enough is enough */
#define PROGRESS_NS 10000000000
#define CONFIGURATIONS 16
#define SKIPPED 77      /* README: old kernels */

static struct options options;
static const char *self;
static FILE *json;
static int64_t start_ns, shown_ns;
static struct {
	uint64_t programs, steps, calls, sleeps, signals, expiries, late, processes;
} counts;
static uint64_t findings;

static struct {
	const char *refs, *replace;
} configurations[CONFIGURATIONS];
static unsigned int n_configurations;

/* ---- configurations ---- */

static bool find_configurations(void)
{
	static const char *const ways[] = { "moving", "at-zero" };
	struct ufx_capabilities caps;

	if (ufx_caps(&caps)) {
		fprintf(stderr, "differential: the engine does not start: %s\n",
			strerror(-caps.error));
		return false;
	}
	for (int mode = UFX_MODE_RSEQ; mode < UFX_MODE_COUNT; mode++) {
		const char *name = ufx_mode_name((enum ufx_mode)mode);

		if (options.refs ? strcmp(name, options.refs) != 0 :
				   caps.missing[mode] != NULL)
			continue;
		for (int way = 0; way < 2; way++) {
			if (options.replace && strcmp(ways[way], options.replace) != 0)
				continue;
			configurations[n_configurations].refs = name;
			configurations[n_configurations++].replace = ways[way];
		}
	}
	if (!n_configurations)
		fprintf(stderr, "differential: no such mode or way of replacing\n");
	return n_configurations > 0;
}

/* ---- findings ---- */

/* The command that shows the program of @seed again. */
static const char *replay(uint64_t seed)
{
	static char text[512];
	const char *fault = getenv("UFX_TEST_FAULT");
	bool set = fault && *fault;

	snprintf(text, sizeof(text), "%s%s%s%s --seed %llu --count 1 --show%s%s%s%s",
		 set ? "UFX_TEST_FAULT=" : "", set ? fault : "", set ? " " : "", self,
		 (unsigned long long)seed, options.refs ? " --refs " : "",
		 options.refs ? options.refs : "",
		 options.replace ? " --replace " : "",
		 options.replace ? options.replace : "");
	return text;
}

static void find(uint64_t seed, const char *what)
{
	findings++;
	printf("finding: seed %llu: %s\nreplay: %s\n\n", (unsigned long long)seed,
	       what, replay(seed));
	fflush(stdout);
	if (!json)
		return;
	fprintf(json, "{\"kind\":\"finding\",\"tool\":\"differential\",\"seed\":%llu,"
		      "\"what\":\"%s\",\"replay\":\"%s\"}\n",
		(unsigned long long)seed, what, replay(seed));
	fflush(json);
}

static double seconds(void)
{
	return (double)(now_ns() - start_ns) / 1e9;
}

static bool enough(void)
{
	return findings >= FINDINGS ||
	       (options.seconds > 0 && seconds() > options.seconds);
}

static void progress(uint64_t seed)
{
	if (now_ns() - shown_ns < PROGRESS_NS)
		return;
	shown_ns = now_ns();
	fprintf(stderr, "differential: %llu programs up to seed %llu, %.0f s, "
			"%llu findings\n",
		(unsigned long long)counts.programs, (unsigned long long)seed, seconds(),
		(unsigned long long)findings);
}

static void summary(void)
{
	const struct {
		const char *name;
		uint64_t count;
	} all[] = {
		{ "programs", counts.programs },   { "steps", counts.steps },
		{ "calls", counts.calls },	   { "sleeps", counts.sleeps },
		{ "signals", counts.signals },	   { "expiries", counts.expiries },
		{ "processes", counts.processes }, { "late", counts.late },
	};
	const size_t n = sizeof(all) / sizeof(all[0]);

	for (size_t i = 0; i < n; i++)
		printf("%llu %s, ", (unsigned long long)all[i].count, all[i].name);
	printf("%.1f s\n%llu findings\n", seconds(), (unsigned long long)findings);
	if (!json)
		return;
	fprintf(json, "{\"kind\":\"summary\",\"tool\":\"differential\","
		      "\"shard\":\"%u/%u\",\"seed\":%llu,\"seconds\":%.1f,"
		      "\"findings\":%llu,\"counts\":{",
		options.shard, options.shards, (unsigned long long)options.seed,
		seconds(), (unsigned long long)findings);
	for (size_t i = 0; i < n; i++)
		fprintf(json, "%s\"%s\":%llu", i ? "," : "", all[i].name,
			(unsigned long long)all[i].count);
	fputs("}}\n", json);
}

/* ---- runners ---- */

static void become_runner(uint64_t first, uint64_t count, int out)
{
	unsigned int i = (unsigned int)(first / BLOCK % n_configurations);
	char seed[24], number[24], shard[24], fd[16];
	char *args[] = { "differential", "--report-to", fd, "--seed", seed, "--count",
			 number, "--shard", shard, options.show ? "--show" : NULL,
			 NULL };

	snprintf(fd, sizeof(fd), "%d", out);
	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)first);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)count);
	/* Not a shard: which block it is. */
	snprintf(shard, sizeof(shard), "%u/%u",
		 (unsigned int)(first / BLOCK / n_configurations % 1000 + 1), 1000u);
	setenv("UFUTEX_REFS", configurations[i].refs, 1);
	setenv("UFUTEX_REPLACE", configurations[i].replace, 1);
	execv("/proc/self/exe", args);
	_exit(127);
}

/* Its end, in words; NULL: all is well. */
static const char *reap(pid_t pid)
{
	static char text[64];
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		return "the process hangs";
	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "the process dies by signal %d",
			 WTERMSIG(status));
	else if (WEXITSTATUS(status))
		snprintf(text, sizeof(text), "the process ends with status %d",
			 WEXITSTATUS(status));
	else
		return NULL;
	return text;
}

/* A program that its process did not live to show. */
static void find_death(uint64_t seed, const char *what)
{
	static const struct outcome none;
	static struct program p;

	generate(&p, seed);
	show(stdout, &p, &none, &none);
	find(seed, what);
}

static void take(const struct report *r)
{
	counts.programs++;
	counts.steps += r->steps;
	counts.calls += r->calls;
	counts.sleeps += r->sleeps;
	counts.signals += r->signals;
	counts.expiries += r->expiries;
	counts.late += r->late;
	if (r->what[0])
		find(r->seed, r->what);
	progress(r->seed);
}

static bool get_report(int in, struct report *r, bool *silent)
{
	struct pollfd p = { .fd = in, .events = POLLIN };
	int n;

	while ((n = poll(&p, 1, SILENCE_MS)) < 0 && errno == EINTR)
		;
	*silent = n == 0;
	return n > 0 && read(in, r, sizeof(*r)) == sizeof(*r);
}

/* Returns the seed to go on with. */
static uint64_t run_block(uint64_t first, uint64_t count)
{
	uint64_t next = first;
	struct report report = { .seed = 0 };
	const char *death;
	bool silent = false;
	int ends[2];
	pid_t pid;

	fflush(NULL);
	if (pipe(ends)) /* inherited: the runner writes to it */
		bail("no pipe");
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	pid = fork();
	if (pid < 0)
		bail("fork: %s", strerror(errno));
	if (pid == 0)
		become_runner(first, count, ends[1]);
	close(ends[1]);
	counts.processes++;
	while (!enough() && get_report(ends[0], &report, &silent)) {
		take(&report);
		next = report.seed + 1;
	}
	if (enough() || silent)
		kill(pid, SIGKILL);
	death = reap(pid);
	close(ends[0]);
	if (next < first + count && !enough() && !report.what[0])
		find_death(next++, silent ? "the process hangs" :
				   death ? death : "no report");
	return next;
}

/* As many seeds as go into one process. */
static uint64_t block_length(uint64_t first, uint64_t end)
{
	uint64_t next = first;

	do {
		if (seed_is_fresh(next))
			return next == first ? 1 : next - first;
		next++;
	} while (next < end && next % BLOCK);
	return next - first;
}

static void run_all(void)
{
	uint64_t first = options.seed + options.count * (options.shard - 1) / options.shards;
	uint64_t end = options.seed + options.count * options.shard / options.shards;

	start_ns = shown_ns = now_ns();
	while (first < end && !enough())
		first = run_block(first, block_length(first, end));
}

int main(int argc, char **argv)
{
	tap_timeout(0); /* what comes with tap.h */
	self = argv[0];
	if (!options_get(&options, argc, argv))
		return 2;
	if (options.runner)
		return runner_main(&options);
	if (kernel_lacks(KERNEL_WAITV)) {
		fprintf(stderr, "differential: %s\n", kernel_lacks(KERNEL_WAITV));
		return SKIPPED;
	}
	if (!find_configurations())
		return 2;
	if (options.json) {
		json = fopen(options.json, "w");
		if (!json) {
			fprintf(stderr, "differential: %s: %s\n", options.json,
				strerror(errno));
			return 2;
		}
	}
	run_all();
	summary();
	if (json && fclose(json))
		return 1;
	return findings > 0;
}
