// SPDX-License-Identifier: MIT
/*
 * The hash: words at regular distances must not collapse into few buckets,
 * whatever the distance, and neighbouring words must not share one.
 */
#include "table/domain.h"

#include "hammer.h"

#define BITS 10
#define BUCKETS (1u << BITS)

static struct ufx_domain *domain;

/* The fullest of BUCKETS buckets for @n keys. */
static uint32_t fullest(uint64_t base, uint64_t stride, uint32_t n)
{
	static uint32_t load[BUCKETS];
	uint32_t worst = 0;

	memset(load, 0, sizeof(load));
	for (uint32_t i = 0; i < n; i++) {
		uint64_t hash = ufx_domain_hash(domain, base + i * stride);
		uint32_t now = ++load[hash & (BUCKETS - 1)];

		worst = now > worst ? now : worst;
	}
	return worst;
}

/*
 * As many keys as buckets, thrown at random, fill the fullest with about 6;
 * 16 or more has a chance below one in 10^10.
 */
static void strides(const char *what, uint64_t base)
{
	uint32_t worst = 0, at = 0;
	uint64_t stride;
	int shift;

	for (shift = 2; shift <= 24; shift++) {
		for (stride = 1; stride <= 7; stride += 2) {
			uint32_t load = fullest(base, stride << shift, BUCKETS);

			if (load > worst) {
				worst = load;
				at = (uint32_t)(stride << shift);
			}
		}
	}
	ok(worst <= 15, "%s: strides from 4 to 7 * 2^24: at most %u a bucket "
	   "(stride %u)", what, worst, at);
}

/* Keys that differ in one bit only must be spread as well. */
static void single_bits(void)
{
	uint32_t moved = 0;

	for (int bit = 2; bit < 47; bit++) {
		uint64_t a = ufx_domain_hash(domain, 0x7f1234560000);
		uint64_t b = ufx_domain_hash(domain, 0x7f1234560000 ^
							     (1ull << bit));

		moved += ((a ^ b) & (BUCKETS - 1)) != 0;
	}
	ok(moved >= 43, "a change of one bit changes the bucket: %u of 45", moved);
}

static void many(void)
{
	struct ufx_domain *other;
	uint64_t key = 0x7f1234560000;
	int differ = 0, same = 0;

	for (int i = 0; i < 16; i++) {
		uint64_t hash;

		if (ufx_domain_create(&other, NULL))
			bail("no domain");
		ufx_domain_touch(other, key);
		hash = ufx_domain_hash(other, key);
		differ += hash != ufx_domain_hash(domain, key);
		ufx_domain_set_slots(other, 64);
		same += hash == ufx_domain_hash(other, key);
		ufx_domain_destroy(other);
	}
	is_int(differ, 16, "each domain hashes in its own way");
	is_int(same, 16, "and keeps to it in its next table");
}

int main(void)
{
	uint32_t worst = 0;

	/* Its secret is drawn at random: look at several. */
	for (int i = 0; i < 20; i++) {
		if (ufx_domain_create(&domain, NULL))
			bail("no domain");
		ufx_domain_touch(domain, 64);
		strides("heap", 0x555555550000);
		strides("stacks", 0x7ffff7a00000);
		single_bits();
		worst = fullest(0x7f0000000000, 64, 16 * BUCKETS);
		ok(worst <= 48, "16 keys a bucket: at most %u in one", worst);
		ufx_domain_destroy(domain);
	}
	if (ufx_domain_create(&domain, NULL))
		bail("no domain");
	ufx_domain_touch(domain, 64);
	many();
	return tap_end();
}
