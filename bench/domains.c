/* SPDX-License-Identifier: MIT */
/*
 * A thousand fixed domains of 16 slots, one for each of a thousand guests: what
 * a wake costs that finds nobody and a wait that finds another value, going from
 * one domain to the next each time; and their memory.
 *
 *   ufutex   the next of 1,000 domains
 *   one      the same domain each time: what is left is the caches'
 *   kernel   the calls
 */
#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ufutex/domain.h>
#include <ufutex/wait.h>
#include <ufutex/wake.h>

#include "bench.h"

#define DOMAINS 1000

static struct ufx_domain *domains[DOMAINS];
static uint32_t words[DOMAINS];

static void wake_each(struct bench_worker *worker, void *arg, uint64_t n)
{
	uint64_t step = *(const uint64_t *)arg;

	(void)worker;
	for (uint64_t i = 0; i < n; i++)
		ufx_domain_wake(domains[i * step % DOMAINS], (uintptr_t)&words[i % DOMAINS], 1,
				UFX_ALL);
}

static void wait_each(struct bench_worker *worker, void *arg, uint64_t n)
{
	uint64_t step = *(const uint64_t *)arg;

	(void)worker;
	for (uint64_t i = 0; i < n; i++) {
		uint32_t *word = &words[i % DOMAINS];
		struct ufx_condition other = { .key = (uintptr_t)word, .word = word,
					       .size = 4, .expected = 1 };

		ufx_domain_wait(domains[i * step % DOMAINS], &other, NULL, NULL);
	}
}

static void wake_kernel(struct bench_worker *worker, void *arg, uint64_t n)
{
	(void)worker;
	(void)arg;
	for (uint64_t i = 0; i < n; i++)
		syscall(SYS_futex, &words[i % DOMAINS], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void wait_kernel(struct bench_worker *worker, void *arg, uint64_t n)
{
	(void)worker;
	(void)arg;
	for (uint64_t i = 0; i < n; i++)
		syscall(SYS_futex, &words[i % DOMAINS], FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
}

static long resident(void)
{
	char text[128] = "";
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (f && fgets(text, sizeof(text), f))
		pages = strtol(text + strcspn(text, " "), NULL, 10);
	if (f)
		fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static void tell(void *handle)
{
	(void)handle;
}

/* Each with its table, which the first wait makes. */
static int make_domains(void)
{
	static const struct ufx_domain_options options = { .slots = 16, .fixed = true };
	static const struct ufx_parker parker = { tell };
	const struct ufx_condition any = { .key = 1 };
	struct ufx_node node = { .handle = NULL };
	int ret = 0;

	for (int i = 0; i < DOMAINS && !ret; i++) {
		ret = ufx_domain_create(&domains[i], &options);
		if (!ret)
			ret = ufx_node_prepare(domains[i], &node, &any, &parker, NULL);
		if (!ret)
			ufx_node_finish(&node, NULL);
	}
	return ret;
}

static int run_domains(struct bench_run *run)
{
	static uint64_t next = 1, same;
	long before = resident(), bytes;
	int ret = make_domains();

	if (ret)
		return ret;
	bytes = (resident() - before) / DOMAINS;
	for (int wait = 0; wait < 2; wait++) {
		const char *variant = wait ? "wait, mismatch" : "wake, nobody";

		bench_add(run, &(struct bench_subject){
				       .name = "ufutex", .variant = variant, .arg = &next,
				       .loop = wait ? wait_each : wake_each });
		bench_add(run, &(struct bench_subject){
				       .name = "one", .variant = variant, .arg = &same,
				       .loop = wait ? wait_each : wake_each });
		bench_add(run, &(struct bench_subject){
				       .name = "kernel", .variant = variant,
				       .loop = wait ? wait_kernel : wake_kernel });
	}
	ret = bench_measure(run);
	bench_field(run, "bytes_per_domain", json_integer(bytes));
	bench_note(run, "%ld bytes of memory for each of %d domains", bytes, DOMAINS);
	for (int i = 0; i < DOMAINS; i++)
		ufx_domain_destroy(domains[i]);
	return ret;
}

const struct bench bench_domains = {
	.name = "domains",
	.what = "a thousand small domains, one after the other",
	.operation = "a call",
	.seconds = 3,
	.threads = 1,
	.takes_threads = true,
	.against = (const char *const[]){ "one", "kernel", NULL },
	.run = run_domains,
};
