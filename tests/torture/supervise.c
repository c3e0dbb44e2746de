// SPDX-License-Identifier: MIT
/*
 * A run is cut into parts, each a process of its own: the mode is chosen when
 * one starts, and one that crashes or hangs is seen from here.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <ufutex/caps.h>

#include "torture.h"

#define UNREGISTERED "unregistered"

static const char *const ways[] = { "moving", "at-zero" };
static const char *modes[8];
static unsigned int n_modes, findings;
static FILE *json;
static char **arguments;
static int64_t begun;

/* ---- what there is ---- */

static void look_for_modes(void)
{
	struct ufx_capabilities caps;
	int mode;

	ufx_caps(&caps);
	if (!options.refs) {
		modes[n_modes++] = "";
		return;
	}
	if (strcmp(options.refs, "all")) {
		modes[n_modes++] = options.refs;
		return;
	}
	for (mode = UFX_MODE_RSEQ; mode < UFX_MODE_COUNT; mode++) {
		if (caps.missing[mode])
			printf("# mode %s cannot be had: %s\n",
			       ufx_mode_name((enum ufx_mode)mode), caps.missing[mode]);
		else
			modes[n_modes++] = ufx_mode_name((enum ufx_mode)mode);
	}
	modes[n_modes++] = UNREGISTERED;
}

/* The @seed-th of the ways to run. */
static const char *mode_of(uint64_t seed)
{
	return modes[seed % n_modes];
}

static const char *way_of(uint64_t seed)
{
	if (!options.replace)
		return "moving";
	if (strcmp(options.replace, "all"))
		return options.replace;
	return ways[seed / n_modes % 2];
}

/* The build too, after all modes and ways of the one. */
static const char *program_of(uint64_t seed)
{
	static char path[PATH_MAX + 16];
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	path[n > 0 ? n : 0] = '\0';
	if (options.both && seed / n_modes / 2 % 2)
		strcat(path, "-poisoned");
	return path;
}

/* ---- one part ---- */

static void environment(uint64_t seed, double seconds, int fd)
{
	const char *mode = mode_of(seed);
	char text[64];

	snprintf(text, sizeof(text), "%ju %.3f %d", (uintmax_t)seed, seconds, fd);
	setenv("TORTURE_LEG", text, 1);
	setenv("UFUTEX_REPLACE", way_of(seed), 1);
	if (!strcmp(mode, UNREGISTERED))
		setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1);
	else if (*mode)
		setenv("UFUTEX_REFS", mode, 1);
}

static pid_t start(uint64_t seed, double seconds, int fd)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	environment(seed, seconds, fd);
	execv(program_of(seed), arguments);
	_exit(127);
}

/* Ends when it should, or is asked to show itself, or is ended. */
static int wait_for(pid_t pid, double seconds)
{
	int64_t end = now_ms() + (int64_t)(seconds * 1000) + 8000 * options.patience + 20000;
	int status, sig = SIGTERM;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		nap_us(10000);
		if (options.hold || now_ms() < end)
			continue;
		snprintf(totals->found, sizeof(totals->found), "it does not end");
		kill(pid, sig);
		sig = SIGKILL;
		end = now_ms() + 5000;
	}
	return status;
}

static void tell(uint64_t seed, double seconds, int status)
{
	char *c, mode[64] = "";

	if (WIFSIGNALED(status) && !totals->found[0])
		snprintf(totals->found, sizeof(totals->found), "dies by signal %d",
			 WTERMSIG(status));
	else if (!totals->found[0])
		snprintf(totals->found, sizeof(totals->found), "ends with status %d",
			 WEXITSTATUS(status));
	for (c = totals->found; *c; c++) /* one line, within quotes */
		if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ')
			*c = '\'';
	if (*mode_of(seed))
		snprintf(mode, sizeof(mode), " --refs %s", mode_of(seed));
	findings++;
	printf("FOUND seed %ju%s --replace %s: %s\n", (uintmax_t)seed, mode, way_of(seed),
	       totals->found);
	if (!json)
		return;
	fprintf(json, "{\"kind\":\"finding\",\"tool\":\"torture\",\"seed\":%ju,\"what\":\"%s\","
		"\"replay\":\"%s --seed %ju --seconds %g --leg %g%s --replace %s\"}\n",
		(uintmax_t)seed, totals->found, program_of(seed), (uintmax_t)seed, seconds,
		seconds, mode, way_of(seed));
	fflush(json);
}

static void one(uint64_t seed, double seconds, int fd)
{
	int status;

	totals->found[0] = '\0';
	fflush(stdout);
	status = wait_for(start(seed, seconds, fd), seconds);
	if (status)
		tell(seed, seconds, status);
}

/* ---- the end ---- */

static void summary(double seconds)
{
	int i;

	for (i = 0; !options.quiet && i < COUNT_END; i++)
		printf("%-20s %14ju\n", count_names[i], (uintmax_t)totals->counts[i]);
	printf("%u findings in %.0f s\n", findings, seconds);
	if (!json)
		return;
	fprintf(json, "{\"kind\":\"summary\",\"tool\":\"torture\",\"shard\":\"%u/%u\","
		"\"seed\":%ju,\"seconds\":%.1f,\"findings\":%u,\"counts\":{",
		options.shard, options.shards, (uintmax_t)options.seed, seconds, findings);
	for (i = 0; i < COUNT_END; i++)
		fprintf(json, "%s\"%s\":%ju", i ? "," : "", count_names[i],
			(uintmax_t)totals->counts[i]);
	fprintf(json, "}}\n");
	fclose(json);
}

static int share_totals(void)
{
	int fd = (int)syscall(SYS_memfd_create, "torture", 0);

	if (fd < 0 || ftruncate(fd, sizeof(*totals)))
		return -1;
	totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return totals == MAP_FAILED ? -1 : fd;
}

static void progress(double left)
{
	static int64_t last;

	if (now_ms() - last < 10000)
		return;
	last = now_ms();
	fprintf(stderr, "torture: %.0f s left, %ju steps, %u findings\n", left,
		(uintmax_t)totals->counts[COUNT_steps], findings);
}

int supervise(void)
{
	uint64_t seed = options.seed + options.shard - 1;
	unsigned int done;
	int fd = share_totals();
	double left;

	if (fd < 0) {
		perror("torture: no memory for the counts");
		return 1;
	}
	if (options.json && !(json = fopen(options.json, "a"))) {
		perror(options.json);
		return 1;
	}
	look_for_modes();
	begun = now_ms();
	for (done = 0;; done++, seed += options.shards) {
		left = options.seconds - (double)(now_ms() - begun) / 1000;
		/* A part much shorter than the others is not worth its start. */
		if (options.count ? done == options.count :
				    done && left < options.leg / 2)
			break;
		progress(left);
		one(seed, options.leg, fd);
		if (findings && options.fault)
			break;
	}
	summary((double)(now_ms() - begun) / 1000);
	return findings ? 1 : 0;
}

/* In the part's process: what the supervisor has said. */
static void leg(const char *text)
{
	uintmax_t seed;
	double seconds;
	int fd;

	if (sscanf(text, "%ju %lf %d", &seed, &seconds, &fd) != 3)
		exit(2);
	totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (totals == MAP_FAILED)
		exit(1);
	leg_run(seed, seconds);
}

int main(int argc, char **argv)
{
	const char *text = getenv("TORTURE_LEG");

	arguments = argv;
	options_read(argc, argv);
	if (text)
		leg(text);
	return supervise();
}
