// SPDX-License-Identifier: MIT
/*
 * How many slots a domain has: by the number of threads and (pretended) CPUs,
 * by request, and what is refused.
 */
#include <ufutex/domain.h>

#include "host/cpu.h"
#include "host/memory.h"
#include "table/domain.h"

#include "hammer.h"

static struct ufx_domain *make(uint32_t slots, bool fixed)
{
	struct ufx_domain_options options = { .slots = slots, .fixed = fixed };
	struct ufx_capabilities caps;
	struct ufx_domain *d;

	ufx_caps(&caps);
	options.replace = caps.replace;
	if (ufx_domain_create(&d, &options))
		bail("no domain");
	return d;
}

/* ---- with threads ---- */

static void scales(void)
{
	static const struct {
		unsigned int cpus, threads;
		uint32_t slots;
	} rows[] = {
		{ 1, 1, 16 },	   { 1, 100, 16 },   { 2, 2, 16 },
		{ 4, 4, 16 },	   { 8, 3, 16 },     { 8, 5, 32 },
		{ 8, 8, 32 },	   { 8, 9, 32 },     { 8, 1000, 32 },
		{ 64, 7, 32 },	   { 64, 33, 256 },  { 64, 64, 256 },
		{ 64, 4096, 256 }, { 100, 100, 512 }, { 4096, 5000, 16384 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ufx_domain *d = make(0, false);

		ufx_cpus_pretend(rows[i].cpus);
		ufx_domain_scale(d, rows[i].threads);
		ufx_domain_touch(d, 64);
		is_int(ufx_domain_get_slots(d), rows[i].slots,
		       "%u threads, %u CPUs", rows[i].threads, rows[i].cpus);
		ufx_domain_destroy(d);
	}
	ufx_cpus_pretend(0);
}

static void grows_only(void)
{
	struct ufx_domain *d = make(0, false);
	unsigned int threads;
	uint32_t before = 0, now;
	int shrunk = 0;

	ufx_cpus_pretend(256);
	for (threads = 1; threads <= 300; threads++) {
		ufx_domain_scale(d, threads);
		ufx_domain_touch(d, 64);
		now = ufx_domain_get_slots(d);
		shrunk += now < before;
		before = now;
	}
	is_int(shrunk, 0, "with more threads it only grows");
	is_int(before, 1024, "up to four a CPU");
	ufx_domain_scale(d, 2);
	ufx_domain_touch(d, 64);
	is_int(ufx_domain_get_slots(d), 1024, "with fewer it stays");
	ufx_domain_set_slots(d, 4);
	ufx_domain_scale(d, 300);
	ufx_domain_touch(d, 64);
	is_int(ufx_domain_get_slots(d), 4, "what somebody has set stays");
	ufx_cpus_pretend(0);
	ufx_domain_destroy(d);
}

static void global_size(void)
{
	struct ufx_domain *d = make(0, false);

	ufx_cpus_pretend(3);
	is_int(ufx_domain_global_slots(), 1024, "3 CPUs: 256 each, rounded up");
	ufx_cpus_pretend(1u << 20);
	is_int(ufx_domain_global_slots(), 1 << 24, "never more than 2^24");
	ufx_cpus_pretend(1);
	is_int(ufx_domain_set_slots(d, 0), 0, "0 slots");
	is_int(d->table->mask, 255, "the global size for one CPU");
	is_int(ufx_domain_get_slots(d), 0, "are shown as 0");
	is_int(ufx_domain_set_slots(d, 16), -EBUSY, "never to be replaced again");
	is_int(ufx_domain_set_slots(d, 0), -EBUSY, "not by 0 either");
	ufx_domain_scale(d, 1000);
	is_int(d->table->mask, 255, "nor by more threads");
	ufx_cpus_pretend(0);
	ufx_domain_destroy(d);
}

/* ---- by request ---- */

static void requests(void)
{
	struct ufx_domain *d = make(0, false);
	uint32_t slots;

	for (slots = 2; slots <= 1u << 16; slots *= 2)
		if (ufx_domain_set_slots(d, slots) ||
		    ufx_domain_get_slots(d) != slots)
			break;
	is_int(slots, 1 << 17, "each power of two from 2 to 2^16");
	is_int(ufx_domain_set_slots(d, 1), -EINVAL, "not 1");
	is_int(ufx_domain_set_slots(d, 3), -EINVAL, "not 3");
	is_int(ufx_domain_set_slots(d, (1u << 24) + 1), -EINVAL, "not 2^24 + 1");
	is_int(ufx_domain_set_slots(d, 1u << 25), -ENOMEM, "2^25 is too much");
	is_int(ufx_domain_set_slots(d, 1u << 31), -ENOMEM, "2^31 too");
	is_int(ufx_domain_get_slots(d), 1 << 16, "the last good one stays");
	ufx_domain_destroy(d);
}

static void at_creation(void)
{
	struct ufx_domain_options wrong = { .slots = 12 };
	struct ufx_domain *d = make(64, false);

	ufx_domain_touch(d, 64);
	is_int(ufx_domain_get_slots(d), 64, "made with 64 slots");
	is_int(ufx_domain_set_slots(d, 32), 0, "it may be replaced");
	ufx_domain_destroy(d);
	d = make(128, true);
	ufx_domain_touch(d, 64);
	is_int(ufx_domain_get_slots(d), 128, "made with 128 slots, fixed");
	is_int(ufx_domain_set_slots(d, 32), -EBUSY, "it is not replaced");
	is_int(ufx_domain_destroy(d), 0, "it may be destroyed");
	is_int(ufx_domain_create(&d, &wrong), -EINVAL, "12 slots are refused");
	wrong.slots = 1;
	is_int(ufx_domain_create(&d, &wrong), -EINVAL, "1 slot is refused");
	wrong.slots = 1u << 25;
	is_int(ufx_domain_create(&d, &wrong), -EINVAL, "2^25 slots are refused");
	is_int(ufx_domain_create(&d, NULL), 0, "no options");
	ufx_domain_touch(d, 64);
	is_int(d->table->mask, 15, "16 slots");
	ufx_domain_destroy(d);
}

int main(void)
{
	scales();
	grows_only();
	global_size();
	requests();
	at_creation();
	return tap_end();
}
