/* SPDX-License-Identifier: MIT */
#include "scene.h"

uint32_t *word[3];
struct ufx_domain *domain;
long results[FIBERS], counted[FIBERS];

static uint32_t bucket_of(const uint32_t *w)
{
	return ufx_domain_hash(domain, (uintptr_t)w) & 1;
}

/* A word of the block, that no other took, in @bucket of two. */
static uint32_t *next_word(uint32_t **from, uint32_t bucket)
{
	while (bucket_of(*from) != bucket)
		++*from;
	return (*from)++;
}

void scene_domain_slots(uint32_t slots)
{
	const struct ufx_domain_options options = {
		.slots = slots,
		.replace = scene_at_zero() ? UFX_REPLACE_AT_ZERO : UFX_REPLACE_MOVING,
	};
	uint32_t *words = scene_memory(256);

	must(!ufx_domain_create(&domain, &options));
	word[0] = next_word(&words, 0);
	word[1] = next_word(&words, 0);
	word[2] = next_word(&words, 1);
}

void scene_domain(void)
{
	scene_domain_slots(2);
	must(!ufx_domain_start(domain));
}

uint32_t peek(uint32_t *w)
{
	return __atomic_load_n(w, __ATOMIC_RELAXED);
}

void set(uint32_t *w, uint32_t value)
{
	__atomic_store_n(w, value, __ATOMIC_RELAXED);
}

struct ufx_waiter *scene_waiter(void)
{
	struct ufx_thread *t = ufx_thread_self();
	struct ufx_waiter *w = ufx_thread_lines(t, 1);

	w->mask = UINT32_MAX;
	w->park = &t->park;
	w->priority = 0;
	return w;
}

static long wait_kind(uint32_t *w, uint32_t value, const struct ufx_deadline *deadline)
{
	struct ufx_waitv_entry entries[2] = {
		{ 0, 0, 0, 0 },
		{ value, (uintptr_t)w, UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, 0 },
	};

	return ufx_wait(domain, entries, 1, UINT32_MAX, deadline,
			deadline ? UFX_WAIT_INTERRUPTED : UFX_WAIT_RESTARTS);
}

long wait_on_two(uint32_t *a, uint32_t *b)
{
	struct ufx_waitv_entry entries[3] = {
		{ 0, 0, 0, 0 },
		{ 0, (uintptr_t)a, UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, 0 },
		{ 0, (uintptr_t)b, UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, 0 },
	};

	return ufx_wait(domain, entries, 2, UINT32_MAX, NULL, UFX_WAIT_RESTARTS);
}

long wait_on(uint32_t *w, uint32_t value)
{
	return wait_kind(w, value, NULL);
}

long wait_timed(uint32_t *w, uint32_t value)
{
	const struct ufx_deadline deadline = { { 1000, 500000 }, CLOCK_MONOTONIC };

	return wait_kind(w, value, &deadline);
}

void wait_until_not(uint32_t *w, uint32_t value)
{
	while (peek(w) == value)
		wait_on(w, value);
}

long wake(uint32_t *w, uint32_t n)
{
	return ufx_wake(domain, (uintptr_t)w, n, UINT32_MAX);
}

void set_and_wake(uint32_t *w, uint32_t value, uint32_t n)
{
	set(w, value);
	wake(w, n);
}

void set_slots(uint32_t slots)
{
	must(!ufx_domain_set_slots(domain, slots));
}

bool nobody_queued(void)
{
	struct ufx_table *t = domain->table;

	for (uint32_t i = 0; t && i <= t->mask; i++)
		if (t->buckets[i].root || ufx_bucket_count(t->buckets[i].word))
			return false;
	return true;
}

/* ---- for scenarios that count ---- */

void scene_domain_and_results(void)
{
	scene_domain();
	for (int i = 0; i < FIBERS; i++)
		results[i] = -1;
}

void waits(void)
{
	results[model_fiber()] = wait_on(word[0], 0);
}

void waits_timed(void)
{
	results[model_fiber()] = wait_timed(word[0], 0);
}

void wakes(void)
{
	counted[model_fiber()] = wake(word[0], 1);
}

void prepares_and_polls(void)
{
	struct ufx_waiter *w = scene_waiter();

	if (ufx_wait_prepare(domain, w, word[0], 0))
		return;
	while (!ufx_wait_woken(w))
		scenario_pause();
	must(ufx_wait_finish(domain, w));
	results[model_fiber()] = 0;
}

void counts_are_exact(void)
{
	long ended = 0, said = 0;

	for (int i = 0; i < FIBERS; i++) {
		ended += results[i] == 0;
		said += counted[i];
	}
	must(ended == said);
	must(nobody_queued());
}

void waits_until_set(void)
{
	wait_until_not(word[0], 0);
}

void sets_and_wakes(void)
{
	set_and_wake(word[0], 1, 1);
}

void nobody_left(void)
{
	must(nobody_queued());
}
