/* SPDX-License-Identifier: MIT */
/* ufutex check: what this machine offers, and whether it works. */
#include <stdio.h>
#include <string.h>

#include <ufutex/caps.h>

#include "cli/commands.h"
#include "cli/selftest.h"

static const char usage[] =
	"usage: ufutex check\n"
	"\n"
	"Prints which mode of counting references is in use, which others this machine\n"
	"offers or why it does not, and runs short tests of what the engine rests on.\n"
	"UFUTEX_REFS=rseq|membarrier|fence|shared chooses the mode to test.\n"
	"\n"
	"Exit status: 0 all is well; 1 a test failed, or the mode cannot be had; 2 bad\n"
	"usage.\n";

static const char *about(enum ufx_mode mode)
{
	switch (mode) {
	case UFX_MODE_RSEQ:
		return "restartable sequences, membarrier";
	case UFX_MODE_MEMBARRIER:
		return "a depth a thread, membarrier";
	case UFX_MODE_FENCE:
		return "a depth a thread, fences";
	case UFX_MODE_SHARED:
		return "one shared counter: a yardstick, slow";
	default:
		return "";
	}
}

static void print_modes(const struct ufx_capabilities *caps)
{
	for (int mode = UFX_MODE_NONE + 1; mode < UFX_MODE_COUNT; mode++) {
		const char *why = caps->missing[mode];

		printf("  %-12s%s%s\n", ufx_mode_name(mode), why ? "no: " : "yes, ",
		       why ? why : about(mode));
	}
}

static void print_caps(const struct ufx_capabilities *caps)
{
	printf("mode          %s\n", ufx_mode_name(caps->mode));
	printf("replacing     %s\n",
	       caps->replace == UFX_REPLACE_AT_ZERO ? "at-zero" : "moving");
	printf("possible CPUs %u\n", caps->cpus);
	printf("futex_waitv   %s\n",
	       caps->waitv ? "yes" :
			     "no: untimed waits look at their word again now and then");
	printf("wipe on fork  %s\n",
	       caps->wipe_on_fork ? "yes" : "no: fork handlers do it");
	printf("modes\n");
	print_modes(caps);
}

static bool run_selftests(void)
{
	char detail[UFX_DETAIL_SIZE];
	bool good = true;

	printf("tests\n");
	for (const struct ufx_selftest *t = ufx_selftests; t->name; t++) {
		static const char *const words[] = {
			[UFX_VERDICT_GOOD] = "good",
			[UFX_VERDICT_BAD] = "BAD",
			[UFX_VERDICT_NOT_HERE] = "not here",
		};
		enum ufx_verdict verdict = t->run(detail);

		printf("  %-40s%s (%s)\n", t->name, words[verdict], detail);
		fflush(stdout);
		good &= verdict != UFX_VERDICT_BAD;
	}
	return good;
}

/* Of this very process, so of the tests. */
static bool print_counts(void)
{
	struct ufx_capabilities caps;

	ufx_caps(&caps);
	printf("of which\n"
	       "  grace periods       %llu\n"
	       "  refused by kernel   %llu\n"
	       "  tables not freed    %llu\n"
	       "  sections given up   %llu\n",
	       (unsigned long long)caps.grace_periods,
	       (unsigned long long)caps.grace_failures,
	       (unsigned long long)caps.leaked_tables,
	       (unsigned long long)caps.aborts);
	return !caps.grace_failures;
}

int ufx_cmd_check(int argc, char **argv)
{
	struct ufx_capabilities caps;
	bool good;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc > 1)
		return ufx_cli_error("check", "unknown argument '%s'; try ufutex "
					      "check --help", argv[1]);
	good = !ufx_caps(&caps);
	print_caps(&caps);
	if (!good) {
		printf("%s\n", caps.mode == UFX_MODE_NONE ?
				       "the mode that UFUTEX_REFS asks for cannot be had" :
				       "UFUTEX_REPLACE is not a way of replacing");
		return 1;
	}
	good = run_selftests();
	good &= print_counts();
	printf("%s\n", good ? "all is well" : "NOT all is well");
	return good ? 0 : 1;
}
