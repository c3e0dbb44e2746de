// SPDX-License-Identifier: MIT
/*
 * How old is what a reader sees? In generations: 0 is what was the newest
 * when it began, 1 is what was being replaced then, and more is never seen.
 *
 * read_ages: the read sides that stand in for sequences (grace/reader.h),
 * around a pointer whose old objects are poisoned after one grace period.
 * table_ages: the table that an operation on a domain uses.
 */
#include "grace/reader.h"
#include "table/domain.h"
#include "torture.h"

#include <ufutex/grace.h>

/* ---- read sides ---- */

#define PIPES 16

struct element {
	int age; /* 1: replaced; 2: a grace period ago, and nobody's any more */
	int free;
};

static struct element elements[PIPES], *current = elements;
static int updating;

static void start(void)
{
	int i;

	for (i = 1; i < PIPES; i++)
		elements[i] = (struct element){ 2, 1 };
}

static void read_one(struct worker *w)
{
	uint32_t spin = rnd(w, 200);
	struct ufx_read read = ufx_read_begin();
	struct element *e = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
	int age = __atomic_load_n(&e->age, __ATOMIC_SEQ_CST);

	while (spin--)
		__asm__ __volatile__("");
	if (age < 2)
		age = __atomic_load_n(&e->age, __ATOMIC_SEQ_CST);
	ufx_read_end(read);
	count(COUNT_age_read_0 + (enum count)age, 1);
	if (age > 1)
		finding("a reader sees what was replaced a grace period ago");
}

static void update(struct worker *w)
{
	struct element *old, *e;
	ufx_cookie cookie;

	if (__atomic_exchange_n(&updating, 1, __ATOMIC_ACQUIRE))
		return;
	do {
		e = &elements[rnd(w, PIPES)];
	} while (!e->free);
	old = current;
	e->free = 0;
	__atomic_store_n(&e->age, 0, __ATOMIC_SEQ_CST);
	cookie = ufx_grace_publish((void **)&current, e);
	__atomic_store_n(&old->age, 1, __ATOMIC_SEQ_CST);
	if (ufx_grace_cond_sync(cookie))
		finding("a grace period is refused");
	__atomic_store_n(&old->age, 2, __ATOMIC_SEQ_CST);
	old->free = 1;
	__atomic_store_n(&updating, 0, __ATOMIC_RELEASE);
}

static void step_reads(struct worker *w)
{
	(rnd(w, 100) ? read_one : update)(w);
}

const struct activity read_ages = { "reads", 2, start, step_reads, NULL, NULL };

/* ---- tables ---- */

static struct domain {
	struct ufx_domain *domain;
	int replacing; /* one at a time */
} domains[2];

static void start_tables(void)
{
	struct ufx_domain_options options = { 0 };

	if (ufx_domain_create(&domains[0].domain, &options))
		finding("ufx_domain_create fails");
	options.replace = UFX_REPLACE_AT_ZERO;
	if (ufx_domain_create(&domains[1].domain, &options))
		finding("ufx_domain_create fails");
}

static void touch(struct worker *w, struct ufx_domain *d)
{
	uint64_t asked = ufx_domain_requested(d);
	uint64_t used = ufx_domain_touch(d, rnd(w, 1000) * 4);
	uint64_t age = asked > used ? asked - used : 0;

	if (!used)
		finding("an operation uses a table of generation 0");
	count(COUNT_age_table_0 + (age > 2 ? 2 : (enum count)age), 1);
	if (age > 1)
		finding("an operation uses a table %ju generations old", (uintmax_t)age);
}

static void replace(struct worker *w, struct domain *d)
{
	int ret;

	if (__atomic_exchange_n(&d->replacing, 1, __ATOMIC_ACQUIRE))
		return;
	ret = ufx_domain_set_slots(d->domain, 2u << rnd(w, 8));
	if (ret)
		finding("setting slots returns %d", ret);
	count(COUNT_requests, 1);
	__atomic_store_n(&d->replacing, 0, __ATOMIC_RELEASE);
}

static void step_tables(struct worker *w)
{
	struct domain *d = &domains[rnd(w, 2)];

	if (rnd(w, 100))
		touch(w, d->domain);
	else
		replace(w, d);
}

static void check_tables(void)
{
	int i;

	for (i = 0; i < 2; i++)
		if (ufx_domain_destroy(domains[i].domain))
			finding("a domain without waiters is not freed");
}

const struct activity table_ages = {
	"tables", 2, start_tables, step_tables, NULL, check_tables
};
