// SPDX-License-Identifier: MIT
/*
 * Are the tests of the rules able to fail? Runs each with its fault put in: it
 * must fail, crash or hang. And without: it must pass.
 */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>

#include "hammer.h"
#include "rule.h"

#define ALL 0xfu
#define RSEQ 1u
#define MEMBARRIER 2u
#define FENCE 4u
#define SHARED 8u
#define MOVING 1u
#define AT_ZERO 2u
#define HANGS 4u

#define LIMIT_MS 25000
#define TRIES 10

struct fault {
	const char *program, *fault;
	unsigned int modes; /* in which the fault can be put in */
	unsigned int how;   /* ways, each a run of its own; may it hang? */
};

static const struct fault faults[] = {
	{ "r1_cookie", "COOKIE_EARLY", ALL, MOVING },
	{ "r2_barrier", "PLAIN_BARRIER", RSEQ, MOVING },
	{ "r2_barrier", "NO_BARRIER", RSEQ, MOVING },
	{ "r3_zero", "GET_FROM_ZERO", ALL, MOVING },
	{ "r3_zero", "UNPROTECTED_GET", ALL, MOVING },
	{ "r4_bias", "NO_BIAS", ALL, MOVING },
	{ "r4_bias", "FOLD_TWICE", ALL, MOVING },
	{ "r5_cpus", "ONE_CPU", RSEQ | MEMBARRIER | FENCE, MOVING },
	{ "r6_rearm", "NO_REARM", ALL, MOVING },
	{ "r7_keeper", "NO_KEEPER", ALL, MOVING },
	{ "r8_free", "FREE_EARLY", ALL, MOVING },
	{ "r8_free", "NO_BARRIER", RSEQ, MOVING },
	{ "r8_free", "PUT_FREES", ALL, MOVING },
	{ "r9_bound", "WAIT_FOR_PINS", RSEQ | FENCE, MOVING | HANGS },
	{ "r9_bound", "NO_SETTLE", ALL, MOVING },
	{ "r10_signals", "PUT_FREES", ALL, MOVING },
	{ "r11_handler", "NO_POSTING", RSEQ | SHARED, MOVING | HANGS },
	{ "r11_handler", "LOOK_BEFORE_CLEAR", RSEQ | FENCE, MOVING | HANGS },
	{ "r11_handler", "WAIT_INSIDE", RSEQ, MOVING | HANGS },
	{ "r11_handler", "REQUEUE_INSIDE", RSEQ, MOVING | HANGS },
	{ "readers", "NO_DRAIN", RSEQ | SHARED, MOVING },
	{ "readers", "NO_READERS_WAIT", MEMBARRIER | FENCE, MOVING },
	{ "wake_fence", "NO_WAKE_FENCE", RSEQ | MEMBARRIER, MOVING },
	{ "wake_fence", "COUNT_AFTER_LOAD", ALL, MOVING },
	{ "wake_bound", "WAKE_CHASES", RSEQ, MOVING | AT_ZERO },
	{ "moved_mark", "COUNT_BEFORE_MARK", ALL, MOVING | AT_ZERO },
};

static char folder[PATH_MAX];

struct outcome {
	bool failed;  /* a check did: the program was not left to its end */
	bool hangs;
	int status;   /* else, as of waitpid */
	int ms;
};

static pid_t start(const char *program, const char *fault, const char *mode,
		   const char *way, int output)
{
	char path[PATH_MAX + 64];
	pid_t pid = tap_fork();

	if (pid)
		return pid;
	snprintf(path, sizeof(path), "%s/rules-%s", folder, program);
	setenv("UFX_TEST_FAULT", fault, 1);
	setenv("UFUTEX_REFS", mode, 1);
	setenv("UFUTEX_REPLACE", way, 1);
	dup2(output, STDOUT_FILENO);
	alarm(0);
	execl(path, program, NULL);
	_exit(127);
}

/* Reads until the end of @input, a failed check, or LIMIT_MS have passed. */
static void read_checks(int input, int64_t end, struct outcome *o)
{
	struct pollfd p = { .fd = input, .events = POLLIN };
	char text[65536];
	size_t used = 0;

	while (!o->failed && used < sizeof(text) - 1) {
		int64_t left = end - clock_ms();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) == 0) {
			o->hangs = true;
			return;
		}
		n = read(input, text + used, sizeof(text) - 1 - used);
		if (n <= 0)
			return;
		used += (size_t)n;
		text[used] = '\0';
		o->failed = !strncmp(text, "not ok", 6) ||
			    strstr(text, "\nnot ok");
		o->hangs = strstr(text, "Bail out! timeout");
	}
}

static struct outcome run(const char *program, const char *fault,
			  const char *mode, const char *way)
{
	struct outcome o = { .failed = false };
	int64_t begin = clock_ms();
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		bail("no pipe");
	pid = start(program, fault, mode, way, ends[1]);
	close(ends[1]);
	read_checks(ends[0], begin + LIMIT_MS, &o);
	close(ends[0]);
	if (o.failed || o.hangs)
		kill(pid, SIGKILL);
	waitpid(pid, &o.status, 0);
	o.ms = (int)(clock_ms() - begin);
	if (WIFEXITED(o.status) && WEXITSTATUS(o.status) == 127)
		bail("rules-%s is not built beside this program", program);
	return o;
}

static bool crashed(const struct outcome *o)
{
	return WIFSIGNALED(o->status) && !o->failed && !o->hangs;
}

/*
 * Some faults show only in a race, which a run on a busy machine may miss: it
 * has several tries.
 */
static void one(const struct fault *f, const char *mode, const char *way)
{
	struct outcome o;
	bool found = false;

	for (int i = 0; i < TRIES && !found; i++) {
		o = run(f->program, f->fault, mode, way);
		found = o.failed || crashed(&o) || (o.hangs && f->how & HANGS);
		if (o.hangs)
			break; /* long enough */
	}
	ok(found, "%s finds %s (%s, %s)", f->program, f->fault, mode, way);
	if (crashed(&o))
		diag("  dies by signal %d after %d ms", WTERMSIG(o.status), o.ms);
	else
		diag("  %s after %d ms", o.failed ? "a check fails" :
		     o.hangs ? "hangs" : "passes", o.ms);
}

static void each_mode(const struct fault *f, const struct ufx_capabilities *caps)
{
	static const char *const ways[] = { "moving", "at-zero" };
	int mode, way;

	for (mode = UFX_MODE_RSEQ; mode < UFX_MODE_COUNT; mode++) {
		const char *name = ufx_mode_name((enum ufx_mode)mode);

		if (!(f->modes & 1u << (mode - UFX_MODE_RSEQ)))
			continue;
		if (caps->missing[mode]) {
			skip(caps->missing[mode], "%s finds %s (%s)", f->program,
			     f->fault, name);
			continue;
		}
		for (way = 0; way < 2; way++)
			if (f->how & 1u << way)
				one(f, name, ways[way]);
	}
}

/* The programs pass by themselves; each is tested in all modes elsewhere. */
static void all_pass(void)
{
	const char *last = "";
	struct outcome o;
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (!strcmp(faults[i].program, last))
			continue;
		last = faults[i].program;
		o = run(last, "", "", "");
		is_int(o.status, 0, "%s passes without a fault", last);
	}
}

int main(void)
{
	struct ufx_capabilities caps = rule_start();
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	size_t i;

	if (n < 0)
		bail("no /proc/self/exe");
	path[n] = '\0';
	snprintf(folder, sizeof(folder), "%s", dirname(path));
	tap_timeout(280);
	all_pass();
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		each_mode(&faults[i], &caps);
	return tap_end();
}
